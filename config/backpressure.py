"""Daphne's protocols, made to wait for slow readers (https://github.com/django/daphne/issues/170).

Twisted tells a registered producer when a transport's buffer is above its high-water mark and when it has run
empty. Daphne registers none, and so buffers without end. Here a connection is its own producer, and the server
waits with its next message until ``drained``.
"""

import asyncio
from time import monotonic

from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer


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


class GatedWebSocket(Gate, WebSocketProtocol):
    def onOpen(self) -> None:
        # The HTTP channel that this connection began as is still registered.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self, True)
        super().onOpen()

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
