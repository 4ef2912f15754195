"""What the log never says."""

import io
import logging
import sys
from time import perf_counter

import pytest
from django.test import Client
from twisted.internet.testing import StringTransport
from twisted.web.http import HTTPChannel, Request

from config.logs import Line, without_secrets

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
    "many", ["?" * 100_000, "?a" * 50_000, "ticket=" * 20_000, "engawa_" * 20_000, "bearer " * 20_000]
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
