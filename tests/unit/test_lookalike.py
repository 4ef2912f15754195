"""Names that look alike have one skeleton, others have not; nobody speaks for the site."""

import unicodedata
from itertools import combinations

import pytest

from chat import lookalike
from chat.lookalike import is_reserved, skeleton

ALIKE = [
    ["Aki", "aki", "AKI", "Ａｋｉ", "A.k.i", "A_k_i", "A k i", " Aki ", "A\u200bki", "A\u00adki", "Ak1", "Akl", "Ak|"],
    ["Aki", "\u0410ki", "Ak\u0456", "\u0391\u039a\u0399", "𝐀𝐤𝐢", "ᴀᴋɪ", "🅰🅺🅸", "Akı", "AKİ", "A̷k̷i̷", "Áki"],
    ["Akio", "Aki0", "AKIO", "Akiо", "Ａｋｉο"],
    ["Zoë", "Zoe\u0308", "zoe"],
    ["Strauß", "STRAUSS", "Strauẞ", "strauss"],
    ["modem", "rnodem", "ｍodem"],
    ["will", "vvill", "WILL"],
    ["Сергей", "СЕРГЕЙ", "сергеи"],
    ["Макс", "МАКС", "Maкc"],
    ["Νίκος", "ΝΊΚΟΣ", "νικος"],
    ["アキ", "あき", "ｱｷ", "ァキ", "ア・キ", "ア キ"],
    ["ガッツ", "がっつ", "ｶﾞｯﾂ", "か\u3099つつ", "カ゛ッツ"],
    ["コーヒー", "コ一ヒ一", "コ-ヒ-", "コ—ヒ—", "ｺｰﾋｰ", "こーひー", "コ〜ヒ〜", "コーーヒー"],
    ["ロト", "口卜", "ろと"],
    ["一郎", "ー郎"],
    ["김민수", unicodedata.normalize("NFD", "김민수"), "김 민수", "김\u3164민수"],
    ["محمد", "مُحَمَّد", "محـمد"],
]
DIFFERENT = [
    ("Aki", "Akio"),
    ("Aki", "Aiki"),
    ("Aki", "Aki★"),
    ("Yuki", "Yuri"),
    ("ann", "hannah"),
    ("user2", "user3"),
    ("Νίκος", "Νίνος"),
    ("Иван", "Ирина"),
    ("か", "が"),
    ("は", "ぱ"),
    ("はな", "はなー"),
    ("キノ", "キ"),
    ("シン", "ソン"),
    ("김민수", "김민서"),
    ("士", "土"),
    ("日", "曰"),
    ("一郎", "二郎"),
    ("一", "二"),
    ("未", "末"),
    ("दिन", "दान"),
    ("มา", "มี"),
]


@pytest.mark.parametrize("names", ALIKE, ids=lambda names: names[0])
def test_what_looks_alike_has_one_skeleton(names: list[str]) -> None:
    assert {name: skeleton(name) for name in names} == dict.fromkeys(names, skeleton(names[0]))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_looks_different_has_another(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


def test_common_kanji_names_stay_apart() -> None:
    names = (
        "山田 田中 中田 佐藤 鈴木 高橋 渡辺 渡邊 渡邉 斎藤 斉藤 齋藤 土屋 士郎"
        " 一 二 三 十 千 大 太 犬 王 玉 主 干 于 未来 末来"
    ).split()
    assert [pair for pair in combinations(names, 2) if skeleton(pair[0]) == skeleton(pair[1])] == []


@pytest.mark.parametrize("name", ["...", "-_-", "!", "ー", "★", "♡♡", "・", "、", "—", "\u0301.", "|", "`", "^_^", "¨"])
def test_whatever_can_be_seen_has_a_skeleton(name: str) -> None:
    assert skeleton(name)


def test_no_character_that_can_be_seen_vanishes() -> None:
    vanished = [chr(code) for code in range(0x110000) if chr(code).isalnum() and not skeleton.__wrapped__(chr(code))]
    assert [char for char in vanished if not lookalike.INVISIBLE.fullmatch(unicodedata.normalize("NFKD", char))] == []


@pytest.mark.parametrize("name", ["", " ", "\u200b", "\u3164\u2060"])
def test_nothing_to_see_has_none(name: str) -> None:
    assert skeleton(name) == ""


def test_the_table_never_takes_an_ideograph_or_a_syllable() -> None:
    assert [
        chr(code) for code in lookalike._LATIN if unicodedata.name(chr(code), "").startswith(("CJK", "HANGUL"))
    ] == []


def test_skeletons_are_kept_and_not_without_end() -> None:
    assert skeleton.cache_info().maxsize is not None


@pytest.mark.parametrize(
    "name",
    [
        *"admin Admin ADMIN administrator moderator Mod owner system Engawa staff support root official".split(),
        *"bot server".split(),
        *"管理人 管理者 運営 司会 管理员 管理員 版主 公式 운영자 админ yönetici しすてむ ｼｽﾃﾑ".split(),
        *[
            "Аdmin",
            "ADMΙΝ",
            "admіn",
            "adm1n",
            "4dmin",
            "@dmin",
            "adm!n",
            "m0d",
            "rnod",
            "a.d.m.i.n",
            "A D M I N",
            "ａｄｍｉｎ",
        ],
        *["admin1", "Mod 2", "mod!", "The Admin", "Admin Team", "[Admin]", "Engawa Staff", "運営スタッフ", "管 理 人"],
        *["s\u200bystem", "ᴀᴅᴍɪɴ", "🅼🅾🅳", "sуstem", "5y5tem"],
    ],
)
def test_nobody_speaks_for_the_site(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize(
    "name",
    [
        *"Aki Modesto Rooty Groot Botan Ada Adam Robot Ownery Stafford Supporter1st Team".split(),
        *"Room 2 42 10 ... の 山田 運 理人 管".split(),
        *["Mod Sun", "Bob the Builder", "the room", "システムズ子", "김민수", "Администр", "", "Chat"],
    ],
)
def test_others_are_free(name: str) -> None:
    assert not is_reserved(name)


def test_a_site_reserves_names_of_its_own(settings) -> None:
    assert not is_reserved("Acme")
    settings.RESERVED_NAMES = ["Acme", "縁側"]
    assert is_reserved("Аcme")
    assert is_reserved("Acme Support")
    assert is_reserved("縁 側")
    assert is_reserved("admin")
    settings.RESERVED_NAMES = []
    assert not is_reserved("acme")
