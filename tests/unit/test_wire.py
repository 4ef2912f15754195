"""What ``config.wire`` and ``config.protocols`` take for granted of the installed Twisted, Autobahn and Daphne."""

import inspect
import re
import socket

import daphne.server
import pytest
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.protocol import WebSocketProtocol
from twisted.internet import tcp
from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport
from twisted.web import http

from config import protocols
from config.protocols import GatedHTTPFactory, GatedWebSocket, GatedWebSocketFactory
from config.wire import MOST_KEPT, Prepared, chunk, text_frame, write

LENGTHS = [1, 125, 126, 127, 65_535, 65_536, 70_000]


def autobahn() -> WebSocketServerProtocol:
    """A connection of Autobahn's own, open, on a transport that keeps what is written."""
    factory = WebSocketServerFactory()
    connection = WebSocketServerProtocol()
    connection.factory = factory
    connection.makeConnection(StringTransport())
    connection.openHandshakeTimeoutCall.cancel()
    connection.state = connection.STATE_OPEN
    return connection


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("character", ["a", "あ", "🙂"])
def test_a_frame_is_autobahns(length: int, character: str) -> None:
    text = character * length
    connection = autobahn()
    connection.sendMessage(text.encode(), isBinary=False)
    assert text_frame(text) == connection.transport.value()


@pytest.mark.parametrize("length", LENGTHS)
def test_a_chunk_is_twisteds(length: int) -> None:
    assert chunk(b"x" * length) == b"".join(http.toChunk(b"x" * length))


def test_what_was_prepared_is_found_again_and_told_apart() -> None:
    made: list[str] = []
    prepared = Prepared(lambda text: made.append(text) or text.encode())
    one, other = "".join(["same ", "words"]), "".join(["same ", "words"])
    assert one is not other
    assert prepared(one) is prepared(one)
    assert prepared(other) == prepared(one)
    assert len(made) == 2
    for number in range(10 * MOST_KEPT):
        assert prepared(f"message {number}") == f"message {number}".encode()
    assert len(prepared._kept) <= MOST_KEPT


class Watched:
    """A reactor that remembers who wants to write."""

    def __init__(self) -> None:
        self.writers: set[object] = set()

    def addWriter(self, writer: object) -> None:
        self.writers.add(writer)

    def removeWriter(self, writer: object) -> None:
        self.writers.discard(writer)

    addReader = removeReader = lambda self, reader: None


@pytest.fixture
def connected():
    """Both ends of a connection: Twisted's transport with small buffers, and a socket to read from."""
    near, far = socket.socketpair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    reactor = Watched()
    transport = tcp.Server(near, Protocol(), ("", 0), None, 0, reactor)
    transport.connected = True
    transport.reactor = reactor
    yield transport, far
    near.close()
    far.close()


def everything(transport: tcp.Server, far: socket.socket, length: int) -> bytes:
    received = b""
    far.settimeout(5)
    while len(received) < length:
        if transport in transport.reactor.writers:
            assert transport.doWrite() is None
        received += far.recv(1 << 20)
    return received


def test_what_the_socket_takes_at_once_does_not_pass_the_reactor(connected) -> None:
    transport, far = connected
    write(transport, b"first")
    assert far.recv(100) == b"first"
    assert not transport.reactor.writers


def test_what_the_socket_does_not_take_follows_in_order(connected) -> None:
    transport, far = connected
    pieces = [bytes([number % 256]) * 3000 for number in range(200)]
    for piece in pieces[:100]:
        write(transport, piece)
    assert transport in transport.reactor.writers
    for piece in pieces[100:]:
        transport.write(piece)  # the plain way, behind the short one
    assert everything(transport, far, 600_000) == b"".join(pieces)
    write(transport, b"at once again")
    assert far.recv(100) == b"at once again"


def test_what_waits_before_it_is_not_overtaken(connected) -> None:
    transport, far = connected
    transport.write(b"first ")
    write(transport, b"second")
    assert everything(transport, far, 12) == b"first second"


def test_a_transport_of_another_kind_is_written_to_plainly() -> None:
    transport = StringTransport()
    write(transport, b"through TLS, for instance")
    assert transport.value() == b"through TLS, for instance"


def test_a_socket_that_is_gone_is_left_to_its_transport(connected) -> None:
    transport, far = connected
    far.close()
    write(transport, b"into the void")
    write(transport, b"and again")
    assert transport in transport.reactor.writers, "the transport must find out by itself"


# Names ----------------------------------------------------------------------------------------------------


def test_daphne_makes_our_factories() -> None:
    import config.server  # noqa: F401  for what it does

    assert daphne.server.HTTPFactory is GatedHTTPFactory
    assert daphne.server.WebSocketFactory is GatedWebSocketFactory
    source = inspect.getsource(daphne.server.Server.run)
    assert "HTTPFactory(self)" in source
    assert "WebSocketFactory(self" in source


def test_an_idle_connection_keeps_what_autobahn_would_have_set() -> None:
    """What an open connection does not keep for itself has the same value on the class."""
    as_made = vars(autobahn())
    unlike = {
        name: value
        for name, value in as_made.items()
        if name in vars(GatedWebSocket) and not callable(value) and vars(GatedWebSocket)[name] != value
    }
    # Replaced on purpose in _connectionMade, or only known after the handshake.
    assert unlike == {}


def test_what_is_forgotten_is_only_of_the_handshake() -> None:
    """Nothing that Autobahn and Daphne do with an open connection reads what was let go of."""
    opening = {"connectionMade", "onConnect", "_onOpen", "sendServerStatus", "startHandshake", "transport_details"}
    for name, member in inspect.getmembers(GatedWebSocket, inspect.isfunction):
        if name not in opening and "andshake" not in name and name != "__init__":
            read = set(re.findall(r"self\.(\w+)", inspect.getsource(member))) & protocols._OF_THE_HANDSHAKE
            assert not read, f"{name} reads {read}"


def test_options_are_the_classs() -> None:
    factory = GatedWebSocketFactory(None)
    factory.setProtocolOptions(autoPingTimeout=30, openHandshakeTimeout=7, maxFramePayloadSize=1234)
    connection = factory.buildProtocol(None)
    connection.makeConnection(StringTransport())
    connection.openHandshakeTimeoutCall.cancel()
    for name in WebSocketServerProtocol.CONFIG_ATTRS:
        assert name not in vars(connection)
        assert getattr(connection, name) == getattr(factory, name), name
    assert connection.openHandshakeTimeout == 7
    assert connection.maxFramePayloadSize == 1234
    assert connection.perMessageCompressionAccept([]) is None
    assert WebSocketProtocol.STATE_OPEN == GatedWebSocket.STATE_OPEN
