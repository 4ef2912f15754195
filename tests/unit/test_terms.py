"""Texts as people look for them: cut into terms, and found again."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat import terms
from chat.terms import EXCERPT_CHARS, excerpt, fold, needles_of, terms_of

JAPANESE = "".join(map(chr, (*range(0x3041, 0x3097), *range(0x30A1, 0x30FB), 0x30FC, *range(0x4E00, 0x4E80))))
SCRIPTS = st.text(
    st.sampled_from(JAPANESE + 'abc XYZ-é_ 09한국어ไทยहिन्दीשלוםمرحبا👍🏽\u200d\u0301\x00\n、。「」"“ｶﾞß'), max_size=60
)


def finds(query: str, text: str) -> bool:
    """Whether both the index and the text itself say so."""
    needles = needles_of(query)
    in_index = all(needle.terms <= terms_of(text) for needle in needles)
    in_text = all(needle.stands_in(fold(text)) for needle in needles)
    assert in_index or not in_text, "the index names a message too many, never one too few"
    return bool(needles) and in_index and in_text


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("東京", "明日は東京駅で"),
        ("京駅", "明日は東京駅で"),
        ("北京", "我在北京大学"),
        ("猫", "うちの猫です"),
        ("に", "東京に行く"),
        ("ガギ", "ｶﾞｷﾞ"),
        ("サクラ", "さくらが咲いた"),
        ("さくら", "ｻｸﾗ"),
        ("サーバ", "サーバーが落ちた"),
        ("ＡＢＣ", "abc"),
        ("서울", "서울에서"),
        ("ภาษา", "ฉันพูดภาษาไทย"),
        ("हिन्", "यह हिन्दी है"),
        ("שלום", "שָׁלוֹם"),
        ("hello", "Hello, world"),
        ("wor", "Hello, world"),
        ("WORLD hel", "Hello, world"),
        ("cafe", "the café"),
        ("café", "the cafe"),
        ("straße", "STRASSE"),
        ("еще", "ещё"),
        ("x", "the letter x"),
        ("👍", "good 👍🏽"),
        ("💻", "👩\u200d💻"),
        ("iPhoneケース", "新しいiPhoneのケース"),
        ('"hello world"', "Hello, world!"),
        ('"iphoneケース"', "iPhone ケース"),
        ('"東京 駅"', "東京・駅"),
        ("foo.bar", "see foo_bar"),
        ("東\x00京", "東京"),
        ("internationalis", "internationalisation"),
        ("𠮷野", "𠮷野家"),
    ],
)
def test_what_people_mean_is_found(query: str, text: str) -> None:
    assert finds(query, text)


def test_a_character_is_folded_alike_beside_any_other() -> None:
    for code in (*range(0x80, 0xD800), *range(0xE000, 0x20000)):
        alone = fold(chr(code))
        assert fold(f"é {chr(code)}")[2:] == alone, hex(code)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("東京都", "東京と京都"),
        ("ビル", "ビールを飲む"),
        ("いっ", "いつ"),
        ("orld", "Hello, world"),
        ("x", "xylophone"),
        ("hello moon", "Hello, world"),
        ('"world hello"', "Hello, world"),
        ('"hello wor"', "Hello, world"),
        ("internationalist", "internationalisation"),
    ],
)
def test_and_nothing_else(query: str, text: str) -> None:
    assert not finds(query, text)


def test_nothing_to_look_for_is_nothing() -> None:
    assert needles_of(" !!! … \x00 ☜️\u200d"[:6]) == []
    assert needles_of('""') == []


@settings(deadline=None)
@given(SCRIPTS, st.data())
def test_any_two_characters_of_a_run_are_found(text: str, data: st.DataObject) -> None:
    runs = [run for run in re.findall(f"[{JAPANESE}]+", unicodedata.normalize("NFKC", text)) if len(run) > 1]
    if runs:
        run = data.draw(st.sampled_from(runs))
        start = data.draw(st.integers(0, len(run) - 2))
        assert finds(run[start : data.draw(st.integers(start + 2, len(run)))], text)


@settings(deadline=None)
@given(st.lists(st.text(st.characters(categories=["Ll", "Lu", "Nd"], max_codepoint=0x5FF), min_size=1), min_size=1))
def test_each_word_is_found_by_its_beginnings(words: list[str]) -> None:
    text = ", ".join(words)
    for kind, word in terms._units(fold(text)):
        assert kind == "word"
        for length in range(2, len(word) + 1):
            assert finds(word[:length], text)


@pytest.mark.parametrize("quotes", ['""', "“”", "「」", "『』"])
def test_a_phrase_is_quoted_as_one_s_keyboard_does(quotes: str) -> None:
    first, last = quotes
    assert finds(f"{first}green tea{last}", "some green tea, please")
    assert not finds(f"{first}green tea{last}", "green leaves of tea")


@settings(deadline=None)
@given(st.text(max_size=80), st.text(max_size=300))
def test_whatever_is_typed_and_said_comes_to_an_end(query: str, text: str) -> None:
    finds(query, text)
    pieces = excerpt(text, needles_of(query))
    shown = "".join(piece.text for piece in pieces)
    assert shown.strip("…") in text
    assert len(shown) <= EXCERPT_CHARS + 2 or len(text) <= EXCERPT_CHARS


@settings(deadline=None)
@given(SCRIPTS)
def test_an_excerpt_of_a_short_text_is_the_text(text: str) -> None:
    assert "".join(piece.text for piece in excerpt(text, needles_of(text[:9]))) == text


def marked(query: str, text: str) -> list[str]:
    return [piece.text for piece in excerpt(text, needles_of(query)) if piece.is_match]


def test_what_is_marked_is_what_stands_there() -> None:
    assert marked("ガ cafe", "ｶﾞ und Café") == ["ｶﾞ", "Café"]
    assert marked("東京", "東京と東京") == ["東京", "東京"]
    assert marked("ss", "ß") == ["ß"]
    assert marked("👍", "👍🏽!") == ["👍🏽"] or marked("👍", "👍🏽!") == ["👍"]


def test_an_excerpt_shows_what_was_found_far_in() -> None:
    text = "word " * 700 + "needle" + " word" * 90
    pieces = excerpt(text, needles_of("needle"))
    assert [piece.text for piece in pieces if piece.is_match] == ["needle"]
    assert (pieces[0].text, pieces[-1].text) == ("…", "…")
    assert sum(len(piece.text) for piece in pieces) <= EXCERPT_CHARS + 2


def test_many_words_take_no_long_time() -> None:
    for text in ("a" * 4000, "あ" * 4000, "\u0301" * 4000, "a " * 2000, "👍" * 4000, '"' * 4000):
        for query in ("a" * 200, "あ" * 200, '"a a a a"', '"a あ 👍"', '"' * 200):
            finds(query, text)
            excerpt(text, needles_of(query))
