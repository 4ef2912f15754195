"""Transcripts, form by form: what people wrote is in them, and is nothing but text."""

import csv
import io
import json
import re
from datetime import UTC, datetime
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from django.test import Client

from chat import errors, governing, posting
from chat.models import Message
from chat.render import to_html
from feeds import transcript_views
from feeds.asking import Span, read_span
from feeds.transcripts import COLUMNS, FORMS, HTML_POLICY, About

ABOUT = About("engawa", "[縁側] <veranda>", "https://chat.example.org/feeds/engawa/", "", "", "2026-11-21T07:00:00Z", 2)
HOSTILE = [
    *("=1+1", "+1", "-1", "@SUM(A1)", "＝1", 'say "hi", twice\nand again', "<script>alert(1)</script>", "a,b;c\td"),
    *("\n[2026-01-01 00:00:00] Olga: not hers", "</ol><li id='m-x'>", "\x1b[2J\x07 cleared", "\u202egnp.exe", "日本語"),
]


def message(text: str, **more: object) -> Message:
    at = datetime(2026, 11, 21, 7, tzinfo=UTC)
    fields = {"author_key": "g1", "author_name": "Gil", "author_kind": "guest", "author_role": "none", **more}
    mid = "01JD0000000000000000000000"
    return Message(mid=mid, text=text, html=to_html(text), renderer=1, created_at=at, **fields)


def whole(form: str, *texts: str, reason: str = "") -> str:
    made = FORMS[form]
    written = [made.message(message(text), "engawa") for text in texts]
    return made.begin(ABOUT) + "".join(written) + made.end(len(texts), reason)


@pytest.mark.parametrize("form", FORMS)
def test_each_message_is_marked_once_whatever_is_in_it(form: str) -> None:
    made = FORMS[form]
    assert whole(form, *HOSTILE).count(made.mark) - made.extra_marks == len(HOSTILE)
    assert whole(form).count(made.mark) == made.extra_marks


@pytest.mark.parametrize("form", FORMS)
def test_a_transcript_says_whether_it_is_whole(form: str) -> None:
    assert re.search(r"\b[Cc]omplete\b", whole(form, "hello")[-120:])
    ended = whole(form, "hello", reason="That is over.")[-120:]
    assert re.search(r"\b[Ii]ncomplete\b", ended)
    assert "That is over." in ended
    assert re.search(r"\b2\b", whole(form)[:-60] if form == "html" else whole(form)), "how many there were"


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))


def test_no_cell_of_a_table_is_a_formula() -> None:
    found = rows(whole("csv", *HOSTILE))
    assert tuple(found[0]) == COLUMNS
    assert {len(row) for row in found} == {len(COLUMNS)}
    cells = [row[-1] for row in found[2:-1]]
    assert [cell.removeprefix("'") for cell in cells] == HOSTILE
    assert not [cell for row in found for cell in row if cell[:1] in set("=+-@\t\r\n＝＋－＠")]
    assert whole("csv", "hello").startswith("\ufeff")
    assert whole("csv", "hello").endswith("\r\n")


def test_a_name_is_no_formula_either() -> None:
    (_, _, row, _) = rows(
        FORMS["csv"].begin(ABOUT) + FORMS["csv"].message(message("x", author_name="=A1"), "engawa") + "\r\n"
    )
    assert row[COLUMNS.index("author")] == "'=A1"


def test_text_cannot_act_on_a_terminal_or_pretend_to_be_another_message() -> None:
    text = whole("txt", *HOSTILE)
    assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text) == []
    assert "\ufffd[2J\ufffd cleared" in text
    assert len(re.findall(r"^\[", text.partition("\n")[2], re.MULTILINE)) == len(HOSTILE)


def test_a_page_is_one_file_and_runs_nothing() -> None:
    page = whole("html", *HOSTILE)
    assert "<script" not in page
    assert f'<meta http-equiv="Content-Security-Policy" content="{HTML_POLICY.replace(chr(39), "&#x27;")}">' in page
    assert page.index("Content-Security-Policy") < page.index("<style>")
    assert "[縁側] &lt;veranda&gt;</title>" in page
    assert not re.search(r"<(link|img|iframe|object|embed|base|form)\b|\bsrc=|@import|url\(", page)


def test_lines_are_what_streams_and_histories_have() -> None:
    first, *lines, last = (json.loads(line) for line in whole("jsonl", *HOSTILE).splitlines())
    assert [line["message"] for line in lines] == HOSTILE
    assert (first["type"], first["total"], first["title"]) == ("transcript", 2, ABOUT.title)
    assert last == {"type": "complete", "messages": len(HOSTILE)}


# From when to when ------------------------------------------------------------------------------------------


def test_a_span_is_of_days_moments_or_messages() -> None:
    days = read_span({"from": "2026-11-20", "to": "2026-11-21"})
    assert (days.since, days.until) == ("2026-11-20T00:00:00.000Z", "2026-11-22T00:00:00.000Z")
    assert days.days == ["2026-11-20", "2026-11-21"]
    moments = read_span({"from": "2026-11-20T08:00:00+09:00", "to": "2026-11-20T08:00:00 09:00"})
    assert (moments.since, moments.until) == ("2026-11-19T23:00:00.000Z", "2026-11-19T23:00:00.001Z")
    mid = "01JD0000000000000000000000"
    messages = read_span({"from": mid, "to": mid})
    assert messages.first <= mid < messages.end
    assert read_span({}) == Span()


@pytest.mark.parametrize(
    "bad", ["yesterday", "2026-02-30", "2026-1-1", "1969-12-30", "0001-01-01", "9999-12-31T23:59:59Z\0", "Z" * 26, "１"]
)
def test_what_is_no_moment(bad: str) -> None:
    for name in ("from", "to"):
        with pytest.raises(errors.InvalidQuery):
            read_span({name: bad})


# The page where one is chosen --------------------------------------------------------------------------------


@pytest.fixture
def history(cast: SimpleNamespace) -> SimpleNamespace:
    for number in range(3):
        posting.post(cast.gil, cast.room.pk, f"message {number}")
    return cast


def test_the_page_says_how_much_it_is(history: SimpleNamespace) -> None:
    page = Client().get("/feeds/veranda/export")
    assert "3 messages." in page.text
    for form in FORMS:
        assert f'formaction="/feeds/veranda/export.{form}"' in page.text
    assert "0 messages." in Client().get("/feeds/veranda/export?to=2001-01-01").text
    again = Client().get("/feeds/veranda/export", headers={"If-None-Match": page["ETag"]})
    assert again.status_code == 304
    assert Client().get(f"/feeds/veranda/export?from={quote('<x>')}").status_code == 400


def test_what_is_large_is_left_to_the_browser(history: SimpleNamespace, monkeypatch) -> None:
    assert "data-is-large" not in Client().get("/feeds/veranda/export").text
    monkeypatch.setattr(transcript_views, "MOST_COUNTED", 2)
    page = Client().get("/feeds/veranda/export?to=9000-01-01").text
    assert "data-is-large" in page
    assert "More than 2 messages." in page


def test_members_have_a_page_of_their_own(history: SimpleNamespace) -> None:
    governing.change_visibility(history.olga, history.room.pk, "private")
    mine = Client()
    mine.force_login(history.users.mio)
    page = mine.get("/chat/veranda/export")
    assert "3 messages." in page.text
    assert 'formaction="/chat/veranda/export.csv"' in page.text
    assert Client().get("/chat/veranda/export").status_code == 404
    assert mine.get("/chat/veranda/export?from=x").status_code == 404
