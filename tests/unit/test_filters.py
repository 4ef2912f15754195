"""What filters catch, what they leave alone, and that no text makes them slow."""

import dataclasses

import pytest
from django.core.exceptions import ValidationError

from chat import wordlist
from chat.filters import Rules, catches_name, check_words, fingerprint, judge
from chat.wordlist import WordList, compiled, spelled

CAUGHT = [
    (
        "bad",
        [
            "bad",
            "BAD!",
            "so bad.",
            "(bad)",
            "bad\nword",
            "ｂａｄ",
            "bád",
            "ba\u0301d",
            "b\u200bad",
            "b\u00adad",
            "_bad_",
        ],
    ),
    ("bad", ["b.a.d", "b a d", "b-a-d", "so b.a.d indeed", "B  A  D", "b_a_d", "I b.a.d", "b★a★d", "b\u200b.a.d"]),
    ("bad", ["b4d", "b@d", "Bаd", "bаd", "ʙᴀᴅ", "𝐛𝐚𝐝", "ⓑⓐⓓ", "🅱🅰🅳", "このbadだ", "bad。", "b̶a̶d̶"]),
    ("kill", ["ki11", "k!ll", "KILL", "kіll"]),
    ("ass*", ["ass", "assume", "ASSES", "a55"]),
    ("*ass", ["ass", "class", "Class!"]),
    ("*ass*", ["passage", "class", "assume"]),
    ("b*d", ["bd", "bad", "blessed", "Bild"]),
    ("kill yourself", ["kill yourself", "Kill  yourself!", "kill-yourself", "kill\tYOURSELF"]),
    ("strasse", ["Straße", "STRASSE", "straſſe"]),
    ("straße", ["strasse", "STRAẞE"]),
    ("ilk", ["İLK", "ılk", "ILK", "ilk"]),
    ("sıkıntı", ["SIKINTI", "sikinti", "sıkıntı"]),
    ("плохо", ["Плохо", "ПЛОХО!", "п.л.о.х.о", "пл\u0301охо"]),
    ("ёлка", ["елка", "ЁЛКА"]),
    ("バカ", ["ばか", "バカ", "ﾊﾞｶ", "お前はバカだ", "ばヵ", "は\u3099か", "ば か", "ば・か", "バ.カ"]),
    ("馬鹿", ["馬鹿", "この馬鹿野郎", "馬 鹿", "馬.鹿", "馬\u200b鹿", "馬***鹿"]),
    ("死ね", ["しんで死ね!", "死　ね"]),
    ("笨蛋", ["你是笨蛋吗", "笨-蛋"]),
    ("AV女優", ["AV女優", "ａｖ女優", "あのAV女優"]),
    ("바보", ["바보", "너 바보!", "바 보 바보"]),
    ("바보*", ["바보야", "바보"]),
    ("โง่", ["คนโง่มาก"]),
    ("सूअर", ["वह सूअर है"]),
    ("حمار", ["يا حمار", "حِمَار", "حـمـار"]),
    ("🖕", ["🖕", "you🖕🏽!", "🖕\ufe0f"]),
    ("don't", ["don't", "DON’T", "don t"]),
]
FREE = [
    ("bad", ["badge", "abad", "ba", "b a", "ba d", "forbad", "b, a and d", "bade", "lambada", ""]),
    ("ass", ["class", "assume", "pass", "$455", "455", "as s", "c l a s s"]),
    ("ass*", ["class", "as", "grass"]),
    ("*ass", ["assume", "classes"]),
    ("b*d", ["b d", "bade", "abd", "b, d", "b\nd"]),
    ("fail", ["fall", "fai1ure"]),
    ("lil", ["ill", "till"]),
    ("kill yourself", ["kill! Yourself", "skill yourself", "kill yourselfie", "kill\nyourself"]),
    ("馬鹿", ["馬と鹿", "馬、鹿", "馬。鹿", "馬\n鹿", "馬"]),
    ("バカ", ["ばっか", "はか"]),
    ("AV女優", ["UAV女優"]),
    ("바보", ["바보야", "바람"]),
    ("cock", ["соск", "peacock"]),
    ("плохо", ["неплохо", "плохой"]),
    ("мои", ["мой"]),
    ("सू", ["सूअर"]),
    ("# bad", ["bad", "# bad"]),
    ("...\n*\n!!", ["bad", "...", "*", "!!"]),
]


@pytest.mark.parametrize(("words", "text"), [(words, text) for words, texts in CAUGHT for text in texts])
def test_a_blocked_word_is_caught_however_it_is_spelled(words: str, text: str) -> None:
    verdict = judge([Rules(words=words)], text)
    assert verdict is not None
    assert (verdict.action, verdict.filter) == ("refuse", "words")


@pytest.mark.parametrize(("words", "text"), [(words, text) for words, texts in FREE for text in texts])
def test_other_words_are_not(words: str, text: str) -> None:
    assert judge([Rules(words=words)], text) is None


def test_a_list_is_one_word_a_line_and_any_of_them_is_caught() -> None:
    words = "# not here\n\n  apple \r\nbanana\n*cherry*\nキウイ"
    for text in ("an apple", "Banana", "blackcherrypie", "きうい"):
        assert judge([Rules(words=words)], text), text
    assert judge([Rules(words=words)], "not here, nor pear, nor apples") is None


def test_a_verdict_never_shows_the_list() -> None:
    for action in ("hold", "refuse"):
        verdict = judge([Rules(words="bad\nworse", on_words=action)], "bad")
        assert verdict is not None
        assert verdict.action == action
        assert "bad" not in verdict.detail
        assert "worse" not in verdict.detail


@pytest.mark.parametrize(
    ("rules", "action", "caught"),
    [
        ([Rules("bad", "hold"), Rules("bad", "refuse")], "refuse", "words"),
        ([Rules("bad", "refuse"), Rules("bad", "hold")], "refuse", "words"),
        ([Rules("bad", "hold"), Rules(on_links="refuse")], "refuse", "links"),
        ([Rules("bad", "hold", on_links="hold")], "hold", "words"),
        ([Rules("bad", "allow"), Rules(on_links="hold")], "hold", "links"),
        ([Rules(on_links="hold"), Rules(on_links="refuse")], "refuse", "links"),
        ([Rules("bad", "allow")], None, None),
        ([Rules("good")], None, None),
        ([], None, None),
    ],
)
def test_the_strictest_verdict_counts(rules: list[Rules], action: str | None, caught: str | None) -> None:
    verdict = judge(rules, "bad: https://example.org/")
    assert (verdict and verdict.action, verdict and verdict.filter) == (action, caught)


@pytest.mark.parametrize(
    "text",
    [
        *[
            "https://example.org",
            "HTTP://EXAMPLE.ORG/x",
            "see <https://example.org/>",
            "ftp://example.org/",
            "//example.org/a",
        ],
        *[
            "www.example.org",
            "WWW.Example.org",
            "example.org/..",
            "example.org/a?b",
            "example.com",
            "go to example.com!",
        ],
        *[
            "mailto:me@example.org",
            "me@example.org",
            "ｅｘａｍｐｌｅ．ｃｏｍ",
            "example。com",
            "例え.jp/",
            "a.example.co.uk/x",
        ],
        *["exam\u200bple.com", "localhost.example.test:8000/x", "https://例え.jp/"],
    ],
)
def test_links_are_caught(text: str) -> None:
    verdict = judge([Rules(on_links="hold")], text)
    assert verdict is not None
    assert verdict.filter == "links"


@pytest.mark.parametrize(
    "text",
    ["readme.md", "main.py, and so on.", "and.so it goes", "1.5/2", "3.14", "e.g. this", "Hi.There", "http:", "a/b"],
)
def test_what_only_has_dots_is_no_link(text: str) -> None:
    assert judge([Rules(on_links="refuse")], text) is None


@pytest.mark.parametrize(
    "text", ["w" * 21, "笑" * 21, "ﾊﾊ" * 30, "lol " * 21 + "lol", "a\n" * 30, "Ww" * 15, "!" * 21, "😂" * 30]
)
def test_runs_beyond_reason_are_caught(text: str) -> None:
    verdict = judge([Rules(on_repeats="refuse")], text)
    assert verdict is not None
    assert verdict.filter == "repeats"


@pytest.mark.parametrize(
    "text", ["w" * 20, "笑" * 20, "lol " * 20, "a" + " " * 40 + "b", "ハハハ", "abcdefghi" * 30, "ok"]
)
def test_long_laughter_passes(text: str) -> None:
    assert judge([Rules(on_repeats="refuse")], text, [fingerprint("another")]) is None


def test_saying_it_again_is_caught() -> None:
    earlier = [fingerprint("one"), fingerprint("Buy my things!")]
    rules = [Rules(on_repeats="hold")]
    for again in ("Buy my things!", "buy  MY things", "b.u.y my things...", "ｂｕｙ my\u200b things"):
        verdict = judge(rules, again, earlier)
        assert verdict is not None
        assert (verdict.action, verdict.filter) == ("hold", "repeats")
    assert judge(rules, "Buy my thing", earlier) is None
    assert judge([Rules(on_shouting="hold")], "Buy my things!", earlier) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("ok", "no"), ("...", "!!"), ("😂", "😭"), ("馬", "鹿"), ("1", "2"), ("..", "..."), ("か", "が")],
)
def test_different_texts_have_different_fingerprints(one: str, other: str) -> None:
    assert fingerprint(one) != fingerprint(other)


def test_a_fingerprint_is_short_keyed_and_stable(settings) -> None:
    known = fingerprint("secret words")
    assert len(known) == 16
    assert fingerprint("Secret, words.") == known
    settings.SECRET_KEY = "another secret of this site, long enough"
    assert fingerprint("secret words") != known


@pytest.mark.parametrize(
    "text",
    [
        "WHY DOES NOBODY ANSWER",
        "ПОЧЕМУ НИКТО НЕ ОТВЕЧАЕТ",
        "WHY DOES nobody ANSWER ME",
        "ＷＨＹＤＯＥＳＮＯＢＯＤＹＣＯＭＥ",
    ],
)
def test_shouting_is_caught(text: str) -> None:
    verdict = judge([Rules(on_shouting="refuse")], text)
    assert verdict is not None
    assert verdict.filter == "shouting"


@pytest.mark.parametrize(
    "text", ["WHY?", "NASA AND ESA", "NASA and ESA are agencies", "馬鹿" * 20, "1234567890" * 3, "なぜWWW", "A" * 14]
)
def test_talking_is_not_shouting(text: str) -> None:
    assert judge([Rules(on_shouting="refuse")], text) is None


def test_where_nothing_is_wanted_the_text_is_not_even_looked_at() -> None:
    class Unread(str):
        __slots__ = ()

        def __getattribute__(self, name: str) -> object:
            raise AssertionError(name)

    assert judge((Rules(), Rules(words="bad", on_words="allow")), Unread("bad")) is None


def test_blocked_words_are_caught_in_names() -> None:
    rules = [Rules(words="bad\n馬鹿", on_words="hold")]
    for name in ("Bad", "b.a.d", "xx_bad_xx", "B4d", "馬鹿太郎", "Ｂａｄ Boy"):
        assert catches_name(rules, name), name
    for name in ("Badger", "太郎", ""):
        assert not catches_name(rules, name), name
    assert not catches_name([Rules(words="bad", on_words="allow"), Rules()], "bad")


@pytest.mark.parametrize(
    "words",
    ["", "bad", "# a note\n\nbad\n*ass*\nb*d\n馬*\n🖕", "\n".join(["word"] * 500), "x" * 100, "馬", "no way", "b"],
)
def test_a_list_that_works_is_accepted(words: str) -> None:
    check_words(words)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("\n".join(["word"] * 501), "500"),
        ("ok\n" + "x" * 101, "Line 2"),
        ("*", "Line 1"),
        ("a\n\n# note\n* *", "Line 4"),
        ("...", "Line 1"),
        ("\u200b!", "Line 1"),
        ("a*", "single letter"),
        ("\n".join(["x" * 100] * 61), "6000"),
    ],
)
def test_a_list_that_cannot_work_is_not(words: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        check_words(words)


# Time: one step for each character, whatever the text is; so what counts is how many characters there are. ------------

HOSTILE = [
    *[
        "a",
        "a ",
        "a.",
        "1!",
        "1a",
        "馬",
        "馬.",
        ".",
        "_.",
        "aа1 ",
        "a\u0301",
        "\u330d",
        "\ufdfa",
        "\u200b",
        "@",
        "a.b",
        "\n",
        "ﾊﾞ",
    ],
    *["ᴀ1|", "🅰", "a-a-", "  ", "*", "ẞ", "İ", "www.", "a@b."],
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_what_is_compared_grows_with_the_text_and_no_faster(piece: str) -> None:
    short, long = (len(spelled((piece * size)[:size])) for size in (1000, 4000))
    assert long <= 4.1 * short + 100
    assert long <= 10 * 4000


class Counted(str):
    """A text that counts how many of its characters are taken."""

    taken = 0

    def __iter__(self):
        for char in str.__iter__(self):
            self.taken += 1
            yield char


@pytest.mark.parametrize(
    "words", ["*a*b*", "a*a*a*a*a*b", "*b*a*\n*aab*\n*aaa*b", "\n".join(f"a*{'a' * n}*b" for n in range(90))]
)
def test_wildcards_never_go_back(words: str) -> None:
    text = Counted(" " + "a" * 4000 + " ")
    assert not compiled(words).is_in(text)
    assert text.taken == len(text)


def test_a_compiled_list_has_bounds() -> None:
    longest = "\n".join(chr(0x4E00 + number) * 12 for number in range(500))
    check_words(longest)
    words = WordList(longest.splitlines())
    assert sum(mask.bit_length() for mask in words._masks.values()) / 8 <= 2_500_000
    assert compiled.cache_info().maxsize == 64


def test_rules_cannot_be_changed_and_can_be_kept_in_a_set() -> None:
    assert len({Rules(), Rules(), Rules(words="a")}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        Rules().words = "b"  # type: ignore[misc]


def test_no_text_is_kept() -> None:
    """A deleted message is gone from the memory of every process: only lists are remembered."""
    assert [name for name in dir(wordlist) if hasattr(getattr(wordlist, name), "cache_info")] == ["compiled"]
