"""Daphne's protocols, made careful: of readers who are slow, of writers who do not wait, of what is too large.

Outwards (https://github.com/django/daphne/issues/170): Twisted tells a registered producer when a transport's
buffer is above its high-water mark and when it has run empty. Daphne registers none, and so buffers without end.
Here a connection is its own producer, and the server waits with its next message until ``drained``.

Inwards: Daphne queues what a WebSocket sends without end, and takes in the whole of any request, whose form
Twisted then parses while everybody waits. Here a socket is not read while frames wait, and a request is turned
away at the first byte too many.
"""

import asyncio
import json
import re
from time import monotonic

from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.conf import settings
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from chat.errors import PayloadTooLarge

MOST_WAITING_FRAMES = 32

_SUBPROTOCOLS = re.compile(rb"[!#$&'*+.^_`|~0-9A-Za-z, \t-]*")
_TOO_LARGE_BODY = json.dumps({"error": PayloadTooLarge().as_dict()}).encode() + b"\n"
_TOO_LARGE = (
    b"HTTP/1.1 413 Content Too Large\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_TOO_LARGE_BODY), _TOO_LARGE_BODY)
)


@implementer(IPushProducer)
class Gate:
    """A connection that knows since when its reader is behind (``paused_since``, monotonic seconds, or None)."""

    paused_since: float | None = None
    _waiting: asyncio.Future[None] | None = None

    def pauseProducing(self) -> None:
        if self.paused_since is None:
            self.paused_since = monotonic()
            self.server.paused.add(self)

    def resumeProducing(self) -> None:
        if self.paused_since is not None:
            self.paused_since = None
            self.server.paused.discard(self)
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    stopProducing = resumeProducing  # the connection is lost: nobody waits any longer

    async def drained(self) -> None:
        """Wait until the reader has caught up, or is gone."""
        while self.paused_since is not None:
            if self._waiting is None:
                self._waiting = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._waiting)


class InputQueue(asyncio.Queue):
    """What a WebSocket has sent and the application has not taken. A long one stops its socket being read."""

    def __init__(self, socket: "GatedWebSocket") -> None:
        super().__init__()
        self._socket = socket
        self._is_long = False

    def put_nowait(self, item: dict) -> None:
        super().put_nowait(item)
        if self.qsize() >= MOST_WAITING_FRAMES and not self._is_long:
            self._is_long = True
            self._socket.transport.pauseProducing()

    async def get(self) -> dict:
        item = await super().get()
        if self._is_long and self.qsize() <= MOST_WAITING_FRAMES // 2:
            self._is_long = False
            self._socket.transport.resumeProducing()
        return item


class GatedWebSocket(Gate, WebSocketProtocol):
    def onOpen(self) -> None:
        # The HTTP channel that this connection began as is still registered.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self, True)
        super().onOpen()

    def handle_reply(self, message: dict) -> None:
        # What is said after the end is dropped, as ASGI has it; Autobahn would raise.
        if self.state in (self.STATE_CONNECTING, self.STATE_OPEN) or message["type"] == "websocket.close":
            super().handle_reply(message)

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:
        self.resumeProducing()
        super().onClose(wasClean, code, reason)

    def dropConnection(self, abort: bool = False) -> None:
        # After a closing handshake Autobahn resets the connection, which browsers report as unclean. End it in order.
        super().dropConnection(abort and not (self.closedByMe and self.wasClean))

    def hang_up(self) -> None:
        self.dropConnection(abort=True)


class GatedRequest(Gate, WebRequest):
    _registered = False
    _is_too_large = False
    _parsePOSTFormSubmission = False  # Django parses forms; Twisted's way holds up the event loop

    def gotLength(self, length: int | None) -> None:
        super().gotLength(length)
        self._refuse_beyond(length or 0)

    def handleContentChunk(self, data: bytes) -> None:
        if not self._is_too_large:
            super().handleContentChunk(data)
            self._refuse_beyond(self.content.tell())

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if not self._is_too_large:
            super().requestReceived(command, path, version)

    def _refuse_beyond(self, length: int) -> None:
        if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            self._is_too_large = True
            self.channel.transport.write(_TOO_LARGE)
            self.channel.loseConnection()

    def process(self) -> object:
        # Daphne takes its root path from this header, whoever sent it.
        self.requestHeaders.removeHeader(b"daphne-root-path")
        for offered in self.requestHeaders.getRawHeaders(b"sec-websocket-protocol", ()):
            if not _SUBPROTOCOLS.fullmatch(offered):  # Daphne decodes it, and chokes on what that may give
                self.basic_error(400, b"Bad Request", "Invalid subprotocol")
                return None
        return super().process()

    def handle_reply(self, message: dict) -> None:
        if message["type"] == "http.response.body" and self.channel is not None and not self.finished:
            if message.get("more_body") and not self._registered:
                self._registered = True
                self.registerProducer(self, True)
            elif not message.get("more_body") and self._registered:
                self._registered = False
                self.unregisterProducer()
                self.channel.persistent = False  # a stream that ends takes its connection along
        super().handle_reply(message)

    def connectionLost(self, reason: object) -> None:
        self.resumeProducing()
        super().connectionLost(reason)

    def finish(self) -> None:
        self.resumeProducing()
        super().finish()

    def hang_up(self) -> None:
        if self.channel is not None:
            self.channel.abortConnection()


class GatedHTTPFactory(HTTPFactory):
    def buildProtocol(self, addr: object) -> object:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = GatedRequest
        return protocol


class GatedWebSocketFactory(WebSocketFactory):
    protocol = GatedWebSocket
