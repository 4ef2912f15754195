"""Ids: who gives them, who is told, and to whom what is done belongs."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from ipaddress import ip_network
from typing import Any

import pytest

from chat import tracing
from chat.extensions import NAMES, NOW, PARK
from config.inbox import Inbox
from config.outermost import Outermost, ident_of
from config.server import Server

FROM_PROXY = ("10.0.0.1", 1234)


@pytest.fixture(autouse=True)
def proxy(settings) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]


def scope_of(kind: str = "http", path: str = "/", client: tuple = FROM_PROXY, **headers: str) -> dict[str, Any]:
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": kind, "path": path, "client": client, "headers": lines, "method": "GET", "query_string": b"a=b"}


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [
        ("f3-A_9", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("a b", False),
        ("a\nb", False),
        ("a.b", False),
        ("日本", False),
    ],
)
def test_a_proxys_id_is_taken_over_where_it_is_sane(given: str, is_taken: bool) -> None:
    for kind, letter in (("http", "r"), ("websocket", "c")):
        assert (ident_of(scope_of(kind, x_request_id=given)) == letter + given) is is_taken
        assert ident_of(scope_of(kind, client=("192.0.2.1", 9), x_request_id=given)) != letter + given
    twice = scope_of(x_request_id=given)
    twice["headers"] *= 2
    assert ident_of(twice) != "r" + given


def test_ids_are_never_the_same() -> None:
    idents = [ident_of(scope_of(kind)) for kind in ("http", "websocket") * 500]
    assert len({ident[1:] for ident in idents}) == 1000


async def answer(scope: dict, receive: Callable, send: Callable, *, status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"x-a", b"b")]})
    await send({"type": "http.response.body", "body": b"12345", "more_body": True})
    await send({"type": "http.response.body", "body": b"678"})


async def run(application: Callable, scope: dict[str, Any], *heard: dict) -> list[dict]:
    """What it sends; ``heard`` is what it receives."""
    sent: list[dict] = []
    inbox = iter(heard)

    async def receive() -> dict:
        return next(inbox)

    async def send(message: dict) -> None:
        sent.append(message)

    await Outermost(application)(scope, receive, send)
    return sent


async def test_the_client_is_told_unless_the_server_does_that() -> None:
    told = await run(answer, scope_of(x_request_id="mine"))
    assert told[0]["headers"] == [(b"x-a", b"b"), (b"x-request-id", b"mine")]
    told = await run(answer, {**scope_of(x_request_id="mine"), "extensions": {NAMES: {}}})
    assert told[0]["headers"] == [(b"x-a", b"b")]


@pytest.fixture
def access(settings, caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict]]:
    """What the access log has told."""
    settings.ACCESS_LOG = True
    caplog.set_level(logging.INFO, "config.access")
    return lambda: [{**record.fields, "line": record.getMessage()} for record in caplog.records]


async def test_a_request_is_told_of_without_its_query(access) -> None:
    await run(answer, scope_of(path="/chat/座敷/\nx"))
    (told,) = access()
    assert told.pop("seconds") < 5
    line = told.pop("line")
    assert line.startswith(r"GET /chat/\u5ea7\u6577/\nx 200, 8 bytes, ")
    assert told == {
        "method": "GET",
        "path": "/chat/座敷/\nx",
        "status": 200,
        "bytes": 8,
        "transport": "http",
        "code": None,
    }


async def test_what_breaks_is_told_of_as_a_failure(access) -> None:
    async def breaks(scope: dict, receive: Callable, send: Callable) -> None:
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        await run(breaks, scope_of())
    assert access()[0]["status"] == 500


@pytest.mark.parametrize(
    ("says", "hears", "wanted"),
    [
        ([{"type": "websocket.close"}], [], (403, None)),
        ([{"type": "websocket.accept"}, {"type": "websocket.close", "code": 4009}], [1006], (101, 4009)),
        ([{"type": "websocket.accept"}], [1001], (101, 1001)),
    ],
)
async def test_a_socket_is_told_of_with_how_it_ended(access, says: list, hears: list, wanted: tuple) -> None:
    async def talk(scope: dict, receive: Callable, send: Callable) -> None:
        for message in says:
            await send(message)
        for _ in hears:
            await receive()

    await run(talk, scope_of("websocket"), *({"type": "websocket.disconnect", "code": code} for code in hears))
    (told,) = access()
    assert (told["status"], told["code"], told["transport"]) == (*wanted, "websocket")


async def test_who_parks_is_told_of_when_they_leave_with_all_that_was_sent(access) -> None:
    parked: list[Callable] = []
    now: list[Callable] = []

    async def park(scope: dict, receive: Callable, send: Callable) -> None:
        now.append(scope["extensions"][NOW]["send"])
        headers = [(b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"begins", "more_body": True})
        tracing.be_in(7)
        await send({"type": PARK, "resume": heard.append_later})

    class Heard(list):
        async def append_later(self, message: dict) -> None:
            self.append((message["type"], tracing.here().room))

    heard = Heard()
    is_open = iter([True, False])
    scope = {**scope_of(path="/feeds/den/stream"), "extensions": {NOW: {"send": lambda _: next(is_open)}, PARK: {}}}
    for message in await run(park, scope):
        if message["type"] == PARK:
            parked.append(message["resume"])
    assert access() == []
    assert now[0]({"type": "http.response.body", "body": b"123", "more_body": True}) is True
    assert now[0]({"type": "http.response.body", "body": b"45", "more_body": True}) is False
    await parked[0]({"type": "http.request"})
    assert access() == []
    await parked[0]({"type": "http.disconnect"})
    (told,) = access()
    assert (told["bytes"], told["transport"], told["status"]) == (9, "stream", 200)
    assert [kind for kind, _ in heard] == ["http.request", "http.disconnect"]


async def test_who_parked_is_woken_as_whom_they_parked() -> None:
    woken: list[str] = []

    class Protocol:
        class server:
            run_for = staticmethod(lambda protocol, work: tasks.append(asyncio.ensure_future(work)))

    tasks: list[asyncio.Task] = []

    async def resume(message: dict) -> None:
        woken.append(tracing.here().ident)

    async def application(inbox: Inbox, ident: str) -> None:
        tracing.be_at(ident)
        inbox.park(resume)

    inboxes = [Inbox(Protocol), Inbox(Protocol)]
    for number, inbox in enumerate(inboxes):
        await asyncio.create_task(application(inbox, f"c{number}"))
    for inbox in (*reversed(inboxes), *inboxes):
        inbox.put_nowait({"type": "websocket.receive"})
        await tasks[-1]
    assert woken == ["c1", "c0", "c0", "c1"]


async def test_what_is_for_everybody_is_nobodys() -> None:
    async def where() -> tracing.Here:
        return tracing.here()

    with tracing.at(tracing.Here("c1", 7)):
        assert await asyncio.create_task(where()) == ("c1", 7)
        assert await tracing.apart(where()) == tracing.NOWHERE
        assert await tracing.apart(where(), 9) == ("", 9)
        assert tracing.context_in(3).run(tracing.here) == ("", 3)
        with tracing.at(tracing.NOWHERE):
            assert tracing.here() == tracing.NOWHERE
        assert tracing.here() == ("c1", 7)


def test_our_server_says_that_it_names() -> None:
    scopes: list[dict] = []
    server = Server(lambda scope, receive, send: scopes.append(scope), "tcp:0", lambda: None)
    server.run_for = lambda protocol, work: None
    server.create_application(_Protocol(), {"type": "http"})
    assert NAMES in scopes[0]["extensions"]


class _Protocol:
    pass_on = partial(bool, False)
