"""Daphne's protocols, made careful: of readers who are slow, of writers who do not wait, of what is too large; and
of memory, for most connections are open for long and say little.

Outwards (https://github.com/django/daphne/issues/170): Twisted tells a registered producer when a transport's
buffer is above its high-water mark and when it has run empty. Daphne registers none, and so buffers without end.
Here a connection is its own producer, and the server waits with its next message until ``drained``.

Inwards: Daphne queues what a WebSocket sends without end, and takes in the whole of any request, whose form
Twisted then parses while everybody waits. Here a socket is not read while frames wait, and a request is turned
away at the first byte too many.

In between: a message is written as ``config.wire`` prepares it, and a connection that has opened lets go of what
only its opening needed. Autobahn keeps some 40 options and the whole handshake on each connection, Twisted both the
request and the channel that a WebSocket began as: together three quarters of what an idle connection takes.
"""

import asyncio
import json
import re
from collections.abc import Collection
from time import monotonic, time

from autobahn.websocket.protocol import TrafficStats
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.conf import settings
from twisted.internet.interfaces import IPushProducer
from twisted.web.http import HTTPChannel
from zope.interface import implementer

from chat.errors import PayloadTooLarge
from config.wire import Prepared, chunk, text_frame, text_in, write

_SUBPROTOCOLS = re.compile(rb"[!#$&'*+.^_`|~0-9A-Za-z, \t-]*")
_TOO_LARGE_BODY = json.dumps({"error": PayloadTooLarge().as_dict()}).encode() + b"\n"
_TOO_LARGE = (
    b"HTTP/1.1 413 Content Too Large\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_TOO_LARGE_BODY), _TOO_LARGE_BODY)
)


_frame = Prepared(text_frame)
_chunk = Prepared(chunk)

_NOTHING = object()
_UNCOUNTED = TrafficStats()  # one for all connections: nobody reads it
_OF_THE_HANDSHAKE = frozenset(
    """_raw_query_string _transport_details _wskey application_deferred clean_headers http_headers http_request_data
    http_request_host http_request_params http_request_path http_request_uri http_response_data http_status_line
    path protocol_to_accept root_path server_addr websocket_extensions websocket_extensions_in_use websocket_origin
    websocket_protocol_in_use websocket_protocols""".split()
)
_OF_THE_REQUEST = frozenset(
    """args clean_headers client client_scheme content cookies host notifications query_string received_cookies
    requestHeaders request_start responseHeaders root_path server_addr""".split()
)


def lighten(thing: object, forget: Collection[str] = ()) -> None:
    """Let an object keep only what it does not have from its class, in a table no larger than that takes."""
    cls = type(thing)
    thing.__dict__ = {
        name: value
        for name, value in vars(thing).items()
        if name not in forget and value is not getattr(cls, name, _NOTHING)
    }


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

    def _settle(self, transport: object) -> None:
        """The connection stays: what only its log lines would need, and every one has of its own, goes."""
        transport.logstr = transport.repstr = "connection"
        lighten(transport)

    async def drained(self) -> None:
        """Wait until the reader has caught up, or is gone."""
        while self.paused_since is not None:
            if self._waiting is None:
                self._waiting = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._waiting)


class _Opened:
    """What is left of a handshake's request."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path


class GatedWebSocket(Gate, WebSocketProtocol):
    # Autobahn sets these on each connection. Most keep them as they are, and need none of their own once open.
    _perMessageCompress = current_frame = trackedTimings = wasNotCleanReason = None
    autoPingPending = autoPingPendingCall = autoPingPendingSent = autoPingTimeoutCall = None
    closeHandshakeTimeoutCall = openHandshakeTimeoutCall = protocol_to_accept = None
    localCloseCode = localCloseReason = remoteCloseCode = remoteCloseReason = None
    closedByMe = droppedByMe = failedByMe = inside_message = triggered = wasClean = False
    wasCloseHandshakeTimeout = wasMaxFramePayloadSizeExceeded = wasMaxMessagePayloadSizeExceeded = False
    wasOpenHandshakeTimeout = wasServerConnectionDropTimeout = wasServingFlashSocketPolicyFile = False
    autoPingPendingSeq = 0
    websocket_version = 13  # RFC 6455
    server = None  # set by Daphne on each as it connects
    data = b""
    _owed: bytes | None = None

    def _connectionMade(self) -> None:
        super()._connectionMade()
        self.trafficStats = _UNCOUNTED
        self.send_queue = ()  # for sends in slices of time, which nobody asks for

    def onOpen(self) -> None:
        # The HTTP channel that this connection began as is still registered.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self, True)
        super().onOpen()
        self.request = _Opened(self.request.path)
        lighten(self, _OF_THE_HANDSHAKE)
        self._settle(self.transport)

    def dataReceived(self, data: bytes) -> None:
        start = 0
        if (
            self.state == self.STATE_OPEN
            and not self.data
            and self.current_frame is None
            and not self.inside_message
            and self._perMessageCompress is None
            and self.autoPingTimeoutCall is None
            and not self.muted
        ):
            while (found := text_in(data, start)) is not None:
                text, start = found
                self.last_ping = time()
                self.application_queue.put_nowait({"type": "websocket.receive", "text": text})
        if start < len(data):
            super().dataReceived(data[start:])

    def pass_on(self, message: dict) -> bool:
        """Send ``message`` the short way, if it is one that has a short way, and nobody has to be waited for. True
        where it was sent."""
        text = message.get("text")
        if (
            not text
            or self.paused_since is not None
            or self.state != self.STATE_OPEN
            or self._perMessageCompress is not None
        ):
            return False
        write(self.transport, _frame(text))
        return True

    def handle_reply(self, message: dict) -> None:
        # What is said after the end is dropped, as ASGI has it; Autobahn would raise.
        if self.state in (self.STATE_CONNECTING, self.STATE_OPEN) or message["type"] == "websocket.close":
            super().handle_reply(message)

    def onPing(self, payload: bytes) -> None:
        # Who does not read is owed an answer to the last ping only (RFC 6455, 5.5.3), not a heap of them.
        if self.paused_since is None:
            super().onPing(payload)
        else:
            self._owed = payload

    def resumeProducing(self) -> None:
        super().resumeProducing()
        owed, self._owed = self._owed, None
        if owed is not None:
            super().onPing(owed)

    def hold_input(self) -> bool:
        """Stop reading: more is waiting than the application takes. True where that can be done."""
        self.transport.pauseProducing()
        return True

    def take_input(self) -> None:
        self.transport.resumeProducing()

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:
        if self.server is not None:  # it got beyond a handshake that Autobahn understands
            self.resumeProducing()
            super().onClose(wasClean, code, reason)

    def dropConnection(self, abort: bool = False) -> None:
        # After a closing handshake Autobahn resets the connection, which browsers report as unclean. End it in order.
        super().dropConnection(abort and not (self.closedByMe and self.wasClean))

    def hang_up(self) -> None:
        self.dropConnection(abort=True)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.client_addr}>"


class GatedRequest(Gate, WebRequest):
    # Twisted and Daphne set these on each request; a stream that has begun needs none of its own.
    cookies = notifications = ()
    _registered = False
    _writes_itself = False
    _is_too_large = False

    def __init__(self, *args: object, **kwargs: object) -> None:
        # Django parses forms. Twisted's way holds up the event loop, and stumbles over odd types of content.
        super().__init__(*args, **kwargs, parsePOSTFormSubmission=False)

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
        channel = self.channel
        processed = super().process()
        if self.transport is None:  # handed over to a WebSocket: end the cycle that keeps this and the channel alive
            channel.requests.clear()
            self.channel = None
        return processed

    def pass_on(self, message: dict) -> bool:
        """Send ``message`` the short way, if it is a part of a stream that has begun, and nobody has to be waited for.
        True where it was sent."""
        body = message.get("body")
        if (
            not body
            or not self._writes_itself
            or self.paused_since is not None
            or self.finished
            or self._disconnected
            or not message.get("more_body")
        ):
            return False
        write(self.channel.transport, _chunk(body) if self.chunked else body)
        return True

    def handle_reply(self, message: dict) -> None:
        if message["type"] == "http.response.start" and self.server.is_leaving and self.channel is not None:
            self.responseHeaders.setRawHeaders(b"connection", [b"close"])  # the next request goes to who stays
            self.channel.persistent = False
        if message["type"] == "http.response.body" and self.channel is not None and not self.finished:
            if message.get("more_body") and not self._registered:
                self._registered = True
                self.registerProducer(self, True)
                super().handle_reply(message)
                self._stream()
                return
            if not message.get("more_body") and self._registered:
                self._registered = False
                self.unregisterProducer()
                self.channel.persistent = False  # a stream that ends takes its connection along
        super().handle_reply(message)

    def _stream(self) -> None:
        """The first part is written: what was asked, and how the answer began, is not needed any more."""
        # Twisted replaces ``write`` on a request whose answer has no body, such as to HEAD.
        self._writes_itself = type(self.channel) is HTTPChannel and "write" not in vars(self)
        lighten(self, _OF_THE_REQUEST)
        if self._writes_itself:
            lighten(self.channel)
            self._settle(self.channel.transport)

    def hold_input(self) -> bool:
        return False  # a request is bounded by its size

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

    def log(self, request: object) -> None:
        """Twisted's access log, for which it would put a line together and throw it away."""


class GatedWebSocketFactory(WebSocketFactory):
    def setProtocolOptions(self, **options: object) -> None:
        super().setProtocolOptions(**options)
        # Autobahn copies every option to every connection: here they are the class's.
        configured = {name: getattr(self, name) for name in GatedWebSocket.CONFIG_ATTRS}
        configured["perMessageCompressionAccept"] = staticmethod(self.perMessageCompressionAccept)
        self.protocol = type("ConfiguredWebSocket", (GatedWebSocket,), configured | {"CONFIG_ATTRS": ()})
