"""The outermost layer: gives each request and connection its id, and tells of it once it is over, where that is asked
for."""

import logging
import re
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable
from django.conf import settings

from chat import tracing
from chat.addresses import header, is_from_proxy
from chat.extensions import NAMES, NOW, PARK, Resume, send_now

_SANE = re.compile(r"[A-Za-z0-9_-]{1,64}")

logger = logging.getLogger("config.access")

Message = dict[str, Any]


class Outermost:
    def __init__(self, application: ASGI3Application) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        ident = ident_of(scope)
        tracing.be_at(ident)
        if scope["type"] == "http" and NAMES not in scope.get("extensions", ()):
            send = partial(_named, ident[1:].encode(), send)
        if settings.ACCESS_LOG:
            await Visit(scope, send).run(self._application, receive)
        else:
            await self._application(scope, receive, send)


def ident_of(scope: dict[str, Any]) -> str:
    """A new one, or that which a trusted proxy has given it."""
    kind = tracing.CONNECTION if scope["type"] == "websocket" else tracing.REQUEST
    given = header(scope["headers"], b"x-request-id")
    if given is not None and _SANE.fullmatch(given) and is_from_proxy(scope):
        return kind + given
    return tracing.new_ident(kind)


async def _named(ident: bytes, send: ASGISendCallable, message: Message) -> None:
    if message["type"] == "http.response.start":
        message = {**message, "headers": [*message.get("headers", ()), (b"x-request-id", ident)]}
    await send(message)


class Visit:
    """A request or a connection, counted, of which one line tells when it is over: no query, nobody's address, nothing
    of what was said. Without this, and whatever it costs, everything works the same."""

    __slots__ = ("_begun", "_is_parked", "_place", "_resume", "_scope", "_send", "_send_now", "bytes", "code",
                 "method", "path", "status", "transport")  # fmt: skip

    def __init__(self, scope: dict[str, Any], send: ASGISendCallable) -> None:
        self._begun = monotonic()
        self._send, self._send_now = send, send_now(scope)
        self._is_parked = False
        self._resume: Resume | None = None
        self._place = tracing.NOWHERE
        self.path = scope["path"]
        self.method = scope.get("method", "GET")
        self.transport = "websocket" if scope["type"] == "websocket" else "http"
        self.status: int | None = None
        self.code: int | None = None
        self.bytes = 0
        extensions = dict(scope.get("extensions") or {})
        if NOW in extensions:
            extensions[NOW] = {"send": self.send_now}
        self._scope: dict[str, Any] | None = {**scope, "extensions": extensions}

    async def run(self, application: Callable[..., Any], receive: ASGIReceiveCallable) -> None:
        scope, self._scope = self._scope, None
        try:
            await application(scope, partial(self._receive, receive), self.send)
        except Exception:
            self.status = self.status or 500
            raise
        finally:
            if not self._is_parked:
                self._tell()

    async def send(self, message: Message) -> None:
        match message["type"]:
            case "http.response.start":
                self.status = message["status"]
                if (b"x-accel-buffering", b"no") in message.get("headers", ()):
                    self.transport = "stream"
            case "websocket.accept":
                self.status = 101
            case "websocket.close":
                self.code = message.get("code", 1000)
            case kind if kind == PARK:
                self._is_parked, self._place, self._resume = True, tracing.here(), message["resume"]
                message = {**message, "resume": self._resumed}
        self.bytes += _size(message)
        await self._send(message)

    def send_now(self, message: Message) -> bool:
        sent = self._send_now(message)
        if sent:
            self.bytes += _size(message)
        return sent

    async def _receive(self, receive: ASGIReceiveCallable) -> Message:
        return self._heard(await receive())

    async def _resumed(self, message: Message) -> None:
        self._heard(message)
        try:
            await self._resume(message)
        finally:
            if message["type"] in ("http.disconnect", "websocket.disconnect"):
                with tracing.at(self._place):
                    self._tell()

    def _heard(self, message: Message) -> Message:
        if message["type"] == "websocket.disconnect" and self.code is None:
            self.code = message.get("code", 1005)
        return message

    def _tell(self) -> None:
        if self.transport == "websocket" and self.status is None:
            self.status, self.code = 403, None  # it was turned down before it opened
        fields = {
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "bytes": self.bytes,
            "seconds": round(monotonic() - self._begun, 4),
            "transport": self.transport,
            "code": self.code,
        }
        line = "%(method)s %(path)s %(status)s, %(bytes)s bytes, %(seconds)s s, %(transport)s"
        if self.code is not None:
            line += ", ended with %(code)s"
        shown = self.path.encode("unicode_escape").decode()  # a line feed would begin a line of its own
        logger.info(line, {**fields, "path": shown}, extra={"fields": fields})


def _size(message: Message) -> int:
    """How many bytes a message brings, before they are compressed or framed."""
    if (text := message.get("text")) is not None:
        return len(text.encode())
    return len(message.get("body") or message.get("bytes") or b"")
