"""Names that look alike to people: one skeleton for all of them, after UTS #39. Pure."""

import json
import re
import unicodedata
from functools import lru_cache
from importlib.resources import files

from django.conf import settings

# Nothing to see: default-ignorable code points and those that are blank by design.
INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
# Accents and the like, which stand on any letter, and the points that Hebrew and Arabic are read without. The signs
# of other scripts make another word.
MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
# What stands for letters within a word. A "1" may be either of two, so there are two tables.
LEET = str.maketrans("0134578@$€!|", "oieastbaseii")
LEET_L = str.maketrans("1!|", "lll")

# Site and roles, in the languages of those who are likely to meet them.
_ROLES = """
admin admins administrator administrators administrador administrateur administration админ администратор
mod mods moderator moderators moderador moderateur moderation модератор owner founder host operator sysop sysadmin
webmaster root superuser system server staff support helpdesk security official bot engawa
管理 管理人 管理者 管理員 管理员 管理局 運営 運営者 運営スタッフ 司会 司会者 公式 主催者 システム サーバー サーバ
スタッフ サポート ボット
モデレーター モデレータ アドミン オーナー ホスト 事務局 版主 站长 站長 房主 群主 客服 官方
系统 系統 机器人 機器人 超级管理员
관리자 운영자 운영진 방장 시스템 공식 고객센터 yönetici moderatör
"""
_FILLERS = "the a of and site chat room web super global team service this your ここ の さん チャット 部屋"

_SMALL_KANA = str.maketrans("ぁぃぅぇぉっゃゅょゎゕゖ", "あいうえおつやゆよわかけ")
_KANA = {code: chr(code - 0x60).translate(_SMALL_KANA) for code in (*range(0x30A1, 0x30F7), 0x30FD)}
_KANA |= _SMALL_KANA
_KANA |= {0x31F0 + number: kana for number, kana in enumerate("くしすとぬはひふへほむらりるれろ")}
_AS_KANA = str.maketrans(
    "力口二工卜八夕亻ꟷ㇐", "かろにえとはたいーー"
)  # where UTS #39 has a kana and an ideograph for one
_KANA_LETTER = "ぁ-ゖゝ\u3099\u309a"
_DASHES = "-‐‑‒–—―−─━~〜〰ー一"
_LONG = re.compile(f"(?<=[{_KANA_LETTER}])[{_DASHES}]+")
_NOT_LONG = re.compile(f"(?<![{_KANA_LETTER}])ー")

# What UTS #39 leaves apart: small capitals, and letters on a coloured ground.
_SMALL_CAPITALS = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢĸʍƅꞓɛɜƨ", "ABCDEFGHIJKLMNOPRSTUVWYZKMbee3s", strict=True))
_ON_COLOUR = {chr(start + n): chr(65 + n) for start in (0x1F150, 0x1F170, 0x1F1E6) for n in range(26)}
# Of those that anybody can type. "i" is here since its capital looks like "l", and capitals are folded.
_TYPED = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", "m": "rn", "w": "vv"})


def _table() -> dict[int, str]:
    """Characters beyond ASCII and the letters that they look like, cased: UTS #39's table without what we do apart.

    The package has the table as pairs in both directions. The one with more partners is what the others look like.
    """
    pairs = json.loads(files("confusable_homoglyphs").joinpath("confusables.json").read_text(encoding="utf-8"))
    own = _SMALL_CAPITALS | _ON_COLOUR
    table = {ord(char): letter for char, letter in own.items()}
    for char, partners in pairs.items():
        source = char.strip("\u200e")
        if len(partners) != 1 or len(source) != 1 or source.isascii() or _is_apart(source) or source in own:
            continue
        other = partners[0]["c"]
        if len(pairs[other]) == 1 and not other.isascii() and (len(other) > 1 or other > source):
            continue  # a pair by itself goes one way only: to ASCII, else to the older character
        letters = MARKS.sub("", unicodedata.normalize("NFKD", other)).strip("'\u200e\u02c9\u0304")
        letters = "".join(own.get(letter, letter) for letter in letters)
        if letters.isalnum() and letters != source and not any(map(_is_apart, letters)):
            table[ord(source)] = letters
    return table


def _is_apart(char: str) -> bool:
    """Whether ``char`` is Han, kana or Hangul. A stroke more or less makes another ideograph: 士 is not 土."""
    return (
        "\u2e80" <= char <= "\ua4cf"
        or "\u1100" <= char <= "\u11ff"
        or "\ua960" <= char <= "\ua97f"
        or ("\uac00" <= char <= "\ufaff" or char >= "\U00020000")
    )


_LATIN = _table()


def to_latin(text: str) -> str:
    """``text`` with each character beyond ASCII that looks like Latin letters or digits replaced by them, case kept."""
    return text if text.isascii() else text.translate(_LATIN)


def to_hiragana(text: str) -> str:
    """``text``, decomposed or not, with katakana as hiragana and small kana as large."""
    return text.translate(_KANA)


@lru_cache(maxsize=8192)
def skeleton(name: str) -> str:
    """What is left of ``name`` for the eye: names with the same skeleton look alike. ``""`` only where none is visible.

    What can be read as Latin is read as it looks (Greek "Ν" is an n); any other is folded first ("Νίκος", "νίκος").
    """
    if name.isascii():
        return _bones(name) or name.strip().casefold()
    parts = INVISIBLE.sub("", unicodedata.normalize("NFKD", name))
    parts = MARKS.sub("", parts).translate(_KANA).translate(_AS_KANA)
    parts = _NOT_LONG.sub("一", _LONG.sub("ー", parts))
    seen = _bones(parts.translate(_LATIN))
    if not seen.isascii():
        seen = _bones(MARKS.sub("", parts.casefold()).translate(_LATIN))
    seen = unicodedata.normalize("NFC", seen)
    return seen or INVISIBLE.sub("", unicodedata.normalize("NFKC", name)).strip().casefold()


def _bones(text: str) -> str:
    """``text`` without spaces and punctuation, folded, with one letter for those that look the same."""
    if not text.isalnum():
        text = "".join(
            char for char in text if char == "|" or (unicodedata.category(char)[0] not in "PZC" and char != "`")
        )
    return text.casefold().translate(_TYPED)


def is_reserved(name: str) -> bool:
    """Whether ``name`` pretends to speak for the site or a role, or is one of settings.RESERVED_NAMES.

    Names made of nothing else, such as "The Admin Team" and "m0d_2", do so too.
    """
    roles = _reserved(tuple(settings.RESERVED_NAMES))
    plain = unicodedata.normalize("NFKC", name).rstrip("0123456789 ")
    return any(roles.fullmatch(skeleton(form)) for form in {name, plain, plain.translate(LEET)} if form)


@lru_cache(maxsize=8)
def _reserved(more: tuple[str, ...]) -> re.Pattern[str]:
    """What the skeleton of a reserved name matches as a whole. It never goes back, so it is linear."""
    roles = {skeleton(word) for word in (*_ROLES.split(), *more)} - {""}
    fillers = {skeleton(word) for word in _FILLERS.split()}
    longest_first = sorted(roles | fillers, key=len, reverse=True)
    anything = "|".join(map(re.escape, longest_first))
    return re.compile(f"(?!(?:{'|'.join(map(re.escape, fillers))})++$)(?:{anything})++")
