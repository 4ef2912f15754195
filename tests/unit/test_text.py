import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import errors
from chat.text import canonical_slug, check_embed_origins, clean_name, clean_text, is_slug, slug_of

ANY_TEXT = st.text(alphabet=st.characters(), max_size=200)  # lone surrogates included


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  hello \n", "hello"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("nul\0 and bell\a", "nul and bell"),
        ("e\u0301", "é"),
        ("\ud83d\ude42", "🙂"),
        ("half \ud800", "half \ufffd"),
        ("abc\u202edef", "abcdef"),
        ("👩\u200d👩", "👩\u200d👩"),
        ("ｆｕｌｌ", "ｆｕｌｌ"),
        ("tab\tstays", "tab\tstays"),
    ],
)
def test_clean_text_keeps_what_was_meant(typed: str, kept: str) -> None:
    assert clean_text(typed) == kept


@pytest.mark.parametrize("typed", ["", "   \n", "\0\0", "\u200b\u2060", "\u3164", "\u202e"])
def test_clean_text_refuses_what_cannot_be_seen(typed: str) -> None:
    with pytest.raises(errors.TextEmpty):
        clean_text(typed)


@pytest.mark.parametrize("typed", [None, 7, ["a"], {"a": 1}, b"a", True])
def test_clean_text_refuses_what_is_no_text(typed: object) -> None:
    with pytest.raises(errors.TextInvalid):
        clean_text(typed)


def test_clean_text_counts_characters_to_the_limit(settings) -> None:
    settings.MAX_TEXT_CHARS = 10
    assert clean_text("字" * 10) == "字" * 10
    with pytest.raises(errors.TextTooLong, match="at most 10 characters; that one has 11"):
        clean_text("字" * 11)
    with pytest.raises(errors.TextTooLong):
        clean_text("x" * 10_000_000)


@given(ANY_TEXT)
def test_clean_text_is_storable_stable_and_without_controls(typed: str) -> None:
    try:
        kept = clean_text(typed)
    except errors.TextEmpty:
        return
    kept.encode()
    assert clean_text(kept) == kept
    assert not any(unicodedata.category(char) == "Cc" and char not in "\n\t" for char in kept)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("  Ａki \n San ", "Aki San"), ("\u202eevil", "evil"), ("鈴木", "鈴木"), ("a\u0000b", "ab"), ("ℌ", "H")],
)
def test_clean_name(typed: str, kept: str) -> None:
    assert clean_name(typed) == kept


@pytest.mark.parametrize("typed", ["", " ", "\u200d", "\u202e", None, 3, "x" * 33, "x" * 10_000_000])
def test_clean_name_refuses(typed: object) -> None:
    with pytest.raises(errors.NameInvalid):
        clean_name(typed)


@given(ANY_TEXT)
def test_clean_name_is_one_stable_line(typed: str) -> None:
    try:
        kept = clean_name(typed)
    except errors.NameInvalid:
        return
    assert clean_name(kept) == kept
    assert len(kept.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("My Room", "my-room"),
        ("日本語の部屋", "日本語の部屋"),
        ("🎉 Party!", "party"),
        ("Ｌｏｂｂｙ", "lobby"),
        ("Straße", "strasse"),
        ("हिन्दी", "हिन्दी"),
        ("a/b?c#d", "a-b-c-d"),
        ("snake_case", "snake_case"),
        ("x" * 64, "x" * 64),
    ],
)
def test_slug_of(name: str, slug: str) -> None:
    assert slug_of(name) == slug
    assert canonical_slug(slug) == slug


@pytest.mark.parametrize("name", ["", "--", "🎉", "\u0301", "x" * 65, "x" * 10_000_000, "___"])
def test_slug_of_refuses(name: str) -> None:
    with pytest.raises(errors.RoomNameInvalid):
        slug_of(name)


@pytest.mark.parametrize("name", ["Stream", "admin", "NULL"])
def test_slug_of_refuses_reserved_names(name: str) -> None:
    with pytest.raises(errors.RoomNameReserved):
        slug_of(name)


@given(ANY_TEXT)
def test_a_slug_leads_to_itself(name: str) -> None:
    try:
        slug = slug_of(name)
    except errors.ChatError:
        return
    assert is_slug(slug)
    assert canonical_slug(slug) == slug == slug_of(slug)


def test_canonical_slug_refuses_what_is_no_slug() -> None:
    assert canonical_slug("LOBBY") == "lobby"
    assert canonical_slug("a b") is None
    assert canonical_slug("../etc") is None
    assert canonical_slug("x" * 1_000_000) is None


def test_embed_origins_are_checked() -> None:
    from django.core.exceptions import ValidationError

    check_embed_origins("* https://example.org http://localhost:3000 https://*.example.org")
    for bad in ["example.org", "https://example.org/path", "'none'; script-src *", "https://a;b", "javascript:x"]:
        with pytest.raises(ValidationError):
            check_embed_origins(bad)
