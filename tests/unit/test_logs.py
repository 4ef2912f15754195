"""What the log never says."""

import asyncio
import io
import json
import logging
import os
import sys
from time import perf_counter

import pytest
from django.db import IntegrityError
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.testing import StringTransport
from twisted.web.http import HTTPChannel, Request

from chat import tracing
from config.logs import MOST_CHARS, MOST_TRACE_CHARS, JsonLine, Line, OneLine, _clean, without_secrets

TOKEN = "engawa_view_S0eQ7yJ3b-5kQ2m_9xW1zR4tU6vN8pL0aBcDeFgHiJk"
TICKET = "WzEsMiwxNzk1MzQ0ODQ5LjAsMTc5NTI1ODc0OS41XQ:1vMabc:7q-_Zk3"
QUOTED = TICKET.replace(":", "%3A")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"Not Found: /feeds/den/stream?ticket={QUOTED}&history=3", "Not Found: /feeds/den/stream?…"),
        (f"GET /a?b=c?ticket={TICKET} HTTP/1.1", "GET /a?… HTTP/1.1"),
        (f"a page https://den.example/?%74icket={QUOTED} sent it", "a page https://den.example/?… sent it"),
        (f"ValueError: invalid: '{TOKEN}'", "ValueError: invalid: 'engawa_view_…'"),
        (f"[(b'authorization', b'Bearer {TOKEN}')]", "[(b'authorization', b'Bearer …')]"),
        ("authorization: bearer a-wrong-one", "authorization: bearer …"),
        ("engawa_" + "x" * 43, "engawa_…"),
        (f"{{'ticket': '{TICKET}'}}", "{'ticket': '…'}"),
        (f"b'ticket={QUOTED}'", "b'ticket=…'"),
        ("POST /feeds/den/ticket 401, 93 bytes", "POST /feeds/den/ticket 401, 93 bytes"),
        ("Not Found: /join/Zk3-q7/", "Not Found: /join/…/"),
        ("'/accounts/reset/MQ/c1x-5f/?a=b'", "'/accounts/reset/MQ/…/?…'"),
        ("/accounts/reset/done/", "/accounts/reset/done/"),
        ("/accounts/reset/MQ/set-password/", "/accounts/reset/MQ/set-password/"),
        ("no row\nDETAIL:  Failing row contains (1, text).\nCONTEXT:  more", "no row\nDETAIL:…"),
        ("IntegrityError('no row\\nDETAIL:  (1, text).')", "IntegrityError('no row\\nDETAIL:…"),
        ("What? That is a = b", "What? That is a = b"),
        ("engawa.room.7 has 3 followers", "engawa.room.7 has 3 followers"),
    ],
)
def test_secrets_are_left_out(text: str, wanted: str) -> None:
    assert without_secrets(text) == wanted


def test_a_traceback_is_looked_through_as_well() -> None:
    try:
        raise ValueError(f"cannot read {TOKEN} or /feeds/den/stream?ticket={TICKET}")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "for %s", (TOKEN,), sys.exc_info())
    line = Line().format(record)
    assert "ValueError: cannot read engawa_view_… or /feeds/den/stream?…" in line
    assert TOKEN[15:] not in line
    assert TICKET not in line


def test_what_the_server_says_of_a_connection_names_no_query() -> None:
    """Daphne names the request where an application had to be killed, and Twisted its whole address."""
    channel = HTTPChannel()
    channel.makeConnection(StringTransport())
    request = Request(channel, False)
    request.method, request.uri, request.clientproto = (
        b"GET",
        f"/feeds/den/stream?ticket={QUOTED}".encode(),
        b"HTTP/1.1",
    )
    assert QUOTED in repr(request)
    record = logging.LogRecord("daphne.server", logging.WARNING, "", 1, "for connection %r", (request,), None)
    assert "uri=/feeds/den/stream?… " in Line().format(record)


def test_every_handler_is_ours_and_leaves_secrets_out() -> None:
    loggers = [logging.getLogger(), *(logging.getLogger(name) for name in list(logging.root.manager.loggerDict))]
    streams = [
        handler
        for logger in loggers
        for handler in getattr(logger, "handlers", [])
        if type(handler) is logging.StreamHandler or type(handler).__module__.startswith("django")
    ]
    assert streams
    assert {type(handler.formatter) for handler in streams} == {Line}


@pytest.mark.parametrize(
    "many",
    [
        "?" * 100_000,
        "?a" * 50_000,
        "ticket=" * 20_000,
        "engawa_" * 20_000,
        "bearer " * 20_000,
        "/join/" * 20_000,
        "\nDETAIL:" * 20_000,
    ],
)
def test_it_takes_no_time(many: str) -> None:
    began = perf_counter()
    without_secrets(many)
    assert perf_counter() - began < 1


@pytest.mark.django_db
def test_what_django_logs_of_a_refusal(monkeypatch) -> None:
    """In the form in which it is written, to where it is written."""
    handler = next(each for each in logging.getLogger().handlers if type(each.formatter) is Line)
    monkeypatch.setattr(handler, "stream", io.StringIO())
    for path in (f"/feeds/den/?ticket={QUOTED}", f"/nowhere/?ticket={QUOTED}", f"/feeds/den/stream?ticket={QUOTED}"):
        Client().get(path, headers={"Authorization": f"Bearer {TOKEN}"})
    Client(enforce_csrf_checks=True).post(
        "/chat/", {"name": "x"}, secure=True, headers={"Referer": f"https://den.example/?ticket={QUOTED}"}
    )
    said = handler.stream.getvalue()
    assert "Unauthorized: /feeds/den/" in said
    assert "Referer checking failed - https://den.example/?…" in said
    for secret in (TOKEN[15:], TICKET, QUOTED):
        assert secret not in said


# In JSON --------------------------------------------------------------------------------------------------


ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)  # halves of surrogate pairs, too
VALUES = st.one_of(ANYTHING, st.integers(), st.none(), st.binary(max_size=20), st.floats(), st.tuples(ANYTHING))


def record_of(message: object, *args: object, **more: object) -> logging.LogRecord:
    record = logging.LogRecord("chat.somewhere", logging.ERROR, "", 1, message, args, more.pop("exc_info", None))
    vars(record).update(more)
    OneLine().filter(record)
    return record


def in_json(record: logging.LogRecord) -> dict:
    line = JsonLine("all").format(record)
    assert line.isascii()
    assert len(line.splitlines()) == 1
    return json.loads(line)


def raised(error: Exception) -> tuple:
    try:
        raise error
    except type(error):
        return sys.exc_info()


@settings(max_examples=300, deadline=None)
@given(message=ANYTHING, args=st.lists(VALUES, max_size=3), ident=ANYTHING, path=ANYTHING, error=ANYTHING)
def test_whatever_is_logged_is_one_line_of_json(message: str, args: list, ident: str, path: str, error: str) -> None:
    with tracing.at(tracing.Here("c" + _clean(ident, 99), 7)):
        record = record_of(message, *args, fields={"path": path, "bytes": 3}, exc_info=raised(ValueError(error)))
        said = in_json(record)
    assert said["bytes"] == 3
    assert said["room"] == 7
    assert said.get("connection", "") == _clean(ident, 99)
    for value in said.values():
        str(value).encode()  # nothing in it is half a character
    if message and not args:
        assert said["message"] == _clean(message, MOST_CHARS)


def test_what_json_says_and_leaves_out() -> None:
    with tracing.at(tracing.Here("r3f9c02-1a", 7)):
        said = in_json(record_of("%s followers", 3, created=1_795_344_849.0625))
    assert said == {
        "time": "2026-11-22T10:54:09.062Z",
        "level": "error",
        "logger": "chat.somewhere",
        "message": "3 followers",
        "request": "3f9c02-1a",
        "room": 7,
        "role": "all",
        "process": os.getpid(),
    }
    with tracing.at(tracing.NOWHERE):
        assert in_json(record_of("alone")).keys() == said.keys() - {"request", "room"}


def test_a_line_names_what_it_is_about() -> None:
    formatter = Line("{name}{place}: {message}", style="{")
    with tracing.at(tracing.Here("c3f9c02-1a", 7)):
        assert formatter.format(record_of("x")) == "chat.somewhere [connection 3f9c02-1a, room 7]: x"
    with tracing.at(tracing.NOWHERE):
        assert formatter.format(record_of("x")) == "chat.somewhere: x"


def test_json_is_bounded_and_leaves_secrets_out() -> None:
    error = ValueError("e" * 100_000 + " " + TOKEN)
    said = in_json(record_of("m" * 100_000 + " " + TOKEN, exc_info=raised(error), fields={"path": f"/join/{TICKET}/"}))
    assert said["message"].endswith("m engawa_view_…")
    assert said["exception"].endswith("e engawa_view_…")
    assert said["exception"].startswith("Traceback")
    assert (len(said["message"]), len(said["exception"])) == (MOST_CHARS + 3, MOST_TRACE_CHARS + 3)
    assert said["path"] == "/join/…/"


def test_a_record_that_cannot_be_put_together_is_told_without_what_it_was_to_say() -> None:
    assert in_json(record_of("%d of %s", "the text"))["message"] == "%d of %s (and what it was to say does not fit it)"


def test_a_row_that_the_database_refused_is_not_told() -> None:
    """psycopg's error has it, and Django's, which is raised from that, has it again."""
    told = 'new row violates check constraint "c"\nDETAIL:  Failing row contains (7, xyzzy\n\nxyzzy).'
    record = record_of("no: %r", IntegrityError(told))
    try:
        try:
            raise ValueError(told)
        except ValueError as error:
            raise IntegrityError(told) from error
    except IntegrityError:
        record.exc_info = sys.exc_info()
    for formatter in (Line(), JsonLine("all")):
        line = formatter.format(record)
        assert "xyzzy" not in line
        assert line.count("violates check constraint") >= 1


def test_a_callback_that_failed_is_told_of_without_what_it_was_called_with() -> None:
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(Line().format(record))
    handler.addFilter(OneLine())
    loop = asyncio.new_event_loop()
    logging.getLogger("asyncio").addHandler(handler)
    try:
        loop.call_soon(lambda text: 1 / 0, "xyz" + "zy")
        loop.call_soon(loop.stop)
        loop.run_forever()
    finally:
        logging.getLogger("asyncio").removeHandler(handler)
        loop.close()
    assert "ZeroDivisionError" in said[0]
    assert "xyzzy" not in said[0]
