"""Daphne's WebSockets, made careful and small.

Daphne queues what a WebSocket sends without end; here it is not read while frames wait (``config.inbox``). The common
frames are read and written as ``config.wire`` has them. Autobahn keeps its options and the whole handshake on each
connection; here one that has opened lets go of what only its opening needed.
"""

from time import time

from autobahn.websocket.protocol import TrafficStats
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from config.gate import Gate, lighten
from config.wire import Prepared, text_frame, text_in, write

_frame = Prepared(text_frame)

_UNCOUNTED = TrafficStats()  # one for all connections: nobody reads it
_OF_THE_HANDSHAKE = frozenset(
    """_raw_query_string _transport_details _wskey application_deferred clean_headers http_headers http_request_data
    http_request_host http_request_params http_request_path http_request_uri http_response_data http_status_line
    path protocol_to_accept root_path server_addr websocket_extensions websocket_extensions_in_use websocket_origin
    websocket_protocol_in_use websocket_protocols""".split()
)


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
            # They refer back to this, and nobody waits for them: so it goes now, and not when the collector comes by.
            self.is_closed = self.is_open = None

    def dropConnection(self, abort: bool = False) -> None:
        # After a closing handshake Autobahn resets the connection, which browsers report as unclean. End it in order.
        super().dropConnection(abort and not (self.closedByMe and self.wasClean))

    @property
    def waiting_bytes(self) -> int:
        """What is written, and waits for its reader."""
        return 0 if self.transport is None else self._bytes_in(self.transport)

    def hang_up(self) -> None:
        self.dropConnection(abort=True)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.client_addr}>"


class GatedWebSocketFactory(WebSocketFactory):
    def setProtocolOptions(self, **options: object) -> None:
        super().setProtocolOptions(**options)
        # Autobahn copies every option to every connection: here they are the class's.
        configured = {name: getattr(self, name) for name in GatedWebSocket.CONFIG_ATTRS}
        configured["perMessageCompressionAccept"] = staticmethod(self.perMessageCompressionAccept)
        self.protocol = type("ConfiguredWebSocket", (GatedWebSocket,), configured | {"CONFIG_ATTRS": ()})
