"""Daphne's HTTP requests, made careful and small.

Daphne takes in the whole of any request, whose form Twisted then parses while everybody waits; here a request is
turned away at the first byte too many, and forms are left to Django. A stream that has begun is written to as
``config.wire`` has it, and lets go of the request's headers and the beginning of its answer.
"""

import json
import re

from daphne.http_protocol import HTTPFactory, WebRequest
from django.conf import settings
from twisted.internet import reactor
from twisted.protocols.basic import LineReceiver
from twisted.web.http import HTTPChannel

from chat.errors import PayloadTooLarge
from chat.tracing import here
from config.gate import Gate, lighten
from config.guard import completed
from config.wire import Prepared, chunk, write

_chunk = Prepared(chunk)

_SUBPROTOCOLS = re.compile(rb"[!#$&'*+.^_`|~0-9A-Za-z, \t-]*")
_TOO_LARGE_BODY = json.dumps({"error": PayloadTooLarge().as_dict()}).encode() + b"\n"
_TOO_LARGE = (
    b"HTTP/1.1 413 Content Too Large\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_TOO_LARGE_BODY), _TOO_LARGE_BODY)
)


REFUSED_SECONDS = 2.0  # for what somebody goes on sending, which nobody reads, to reach its end

# Of a request's first line and its headers. Twisted's 16 KiB would cut off, without an answer, a stream of as many
# rooms as may be on one: each is named by up to 64 characters of nine bytes, and in the cursor again, encoded twice.
HEAD_BYTES = 64 * 1024
HTTPChannel.MAX_LENGTH = HTTPChannel.totalHeadersSize = HEAD_BYTES

# Twisted's 60 seconds begin anew with every byte, so that who sends one now and then would hold a connection for ever.
# Here a whole request, head and body, is given so long from its first line, and that line from the connection's begin.
REQUEST_SECONDS = 60
HTTPChannel.dataReceived = LineReceiver.dataReceived

_OF_THE_REQUEST = frozenset(
    """args clean_headers client client_scheme content cookies host notifications query_string received_cookies
    requestHeaders request_start responseHeaders root_path server_addr""".split()
)


class GatedRequest(Gate, WebRequest):
    # Twisted and Daphne set these on each request; a stream that has begun needs none of its own.
    cookies = notifications = ()
    _registered = False
    _writes_itself = False
    _is_too_large = False

    def __init__(self, *args: object, **kwargs: object) -> None:
        # Django parses forms. Twisted's way holds up the event loop, and stumbles over odd types of content.
        super().__init__(*args, **kwargs, parsePOSTFormSubmission=False)
        self.channel.resetTimeout()

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
            transport = self.channel.transport
            transport.write(_TOO_LARGE)
            # Whoever is still sending must be let: if what they send met a closed socket, the system would take the
            # answer back.
            transport.loseWriteConnection()
            reactor.callLater(REFUSED_SECONDS, transport.loseConnection)

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

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """As Daphne's, for what no application has seen or could answer."""
        content = f"{status} {status_text.decode('ascii')}: {body}\n".encode()
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(content))]
        headers = completed([*headers, (b"cache-control", b"no-store")], "", is_secure=False)
        self.handle_reply({"type": "http.response.start", "status": status, "headers": headers})
        self.handle_reply({"type": "http.response.body", "body": content})

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
        if message["type"] == "http.response.start" and self.channel is not None and not self.finished:
            if ident := here().request:
                self.responseHeaders.setRawHeaders(b"x-request-id", [ident.encode()])
            if self.server.is_leaving:
                self.responseHeaders.setRawHeaders(b"connection", [b"close"])  # the next request goes to who stays
                self.channel.persistent = False
        if message["type"] == "http.response.body" and self.channel is not None and not self.finished:
            if message.get("more_body") and not self._registered:
                self._registered = True
                # A stream that ends takes its connection along, as whoever would ask for more on it should know.
                self.responseHeaders.setRawHeaders(b"connection", [b"close"])
                self.registerProducer(self, True)
                super().handle_reply(message)
                self._stream()
                return
            if not message.get("more_body") and self._registered:
                self._registered = False
                self.unregisterProducer()
                self.channel.persistent = False
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
        self.producer = None  # it was its own: so it goes now, and not when the collector comes by

    def finish(self) -> None:
        self.resumeProducing()
        super().finish()

    @property
    def waiting_bytes(self) -> int:
        """What is written, and waits for its reader."""
        return 0 if self.channel is None else self._bytes_in(self.channel.transport)

    def hang_up(self) -> None:
        if self.channel is not None:
            self.channel.abortConnection()


class GatedHTTPFactory(HTTPFactory):
    def __init__(self, server: object) -> None:
        super().__init__(server)
        self.timeOut = REQUEST_SECONDS

    def buildProtocol(self, addr: object) -> object:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = GatedRequest
        return protocol

    def log(self, request: object) -> None:
        """Twisted's access log, for which it would put a line together and throw it away."""
