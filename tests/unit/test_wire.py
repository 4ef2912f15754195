"""What the server takes for granted of the installed Twisted, Autobahn and Daphne."""

import gc
import inspect
import re
import socket
from itertools import pairwise
from types import SimpleNamespace
from weakref import ref

import daphne.server
import pytest
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from daphne.ws_protocol import WebSocketProtocol
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import tcp
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web import http

from chat.stepping import step
from config.inbox import Inbox
from config.requests import GatedHTTPFactory
from config.sockets import _OF_THE_HANDSHAKE, GatedWebSocket, GatedWebSocketFactory
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


# Frames that come -----------------------------------------------------------------------------------------


def frame(payload: bytes, first: int = 0x81, mask: bytes | None = b"\x01\x80\xfe\x00", long: bool = False) -> bytes:
    length = len(payload)
    if length < 126 and not long:
        sizes = bytes([length | (0x80 if mask else 0)])
    elif length < 65536:
        sizes = bytes([126 | (0x80 if mask else 0)]) + length.to_bytes(2, "big")
    else:
        sizes = bytes([127 | (0x80 if mask else 0)]) + length.to_bytes(8, "big")
    masked = payload if mask is None else bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return bytes([first]) + sizes + (mask or b"") + masked


FRAMES = st.one_of(
    st.text(max_size=300).map(lambda text: frame(text.encode())),
    st.text(max_size=30).map(lambda text: frame(text.encode(), mask=b"\xff\x00\x10\x7f")),
    st.sampled_from(
        [
            frame(b""),
            frame(b"x" * 125),
            frame(b"y" * 126),
            frame(b"z" * 70_000),
            frame(b"\x00\x01", first=0x82),
            frame(b"frag", first=0x01) + frame(b"mented", first=0x80),
            frame(b"frag", first=0x01) + frame(b"between", first=0x89) + frame(b"mented", first=0x80),
            frame(b"ping", first=0x89),
            frame(b"pong", first=0x8A),
        ]
    ),
)
RUBBISH = st.sampled_from(
    [
        frame(b"\xff\xfe"),
        frame(b"short", long=True),
        frame(b"unmasked", mask=None),
        frame(b"reserved", first=0xC1),
        frame(b"control", first=0x8B),
        frame(b"out of place", first=0x80),
        frame(b"\x03\xe8", first=0x88),
    ]
)


def heard(kind: type, pieces: list[bytes]) -> tuple[list[dict], bytes, int]:
    """What a connection makes of what comes: its messages, its answers, and the state that it is left in."""
    inbox: list[dict] = []
    connection = kind()
    connection.factory = WebSocketServerFactory()
    connection.makeConnection(StringTransport())
    connection.openHandshakeTimeoutCall.cancel()
    connection.transport.registerProducer(connection, True)
    connection.state, connection.inside_message, connection.current_frame = connection.STATE_OPEN, False, None
    connection.websocket_version = 13
    connection.client_addr, connection.request = None, SimpleNamespace(path="")
    connection.server = SimpleNamespace(
        protocol_disconnected=lambda protocol: None, log_action=lambda *what: None, paused=set()
    )
    connection.application_queue = SimpleNamespace(put_nowait=inbox.append)
    connection.log = NullLogger()
    for piece in pieces:
        connection.dataReceived(piece)
    for timer in connection.closeHandshakeTimeoutCall, connection.autoPingTimeoutCall:
        if timer is not None:
            timer.cancel()
    return inbox, connection.transport.value(), connection.state


class NullLogger:
    debug = info = warn = error = lambda *args, **kwargs: None


@given(st.lists(FRAMES, max_size=8), st.none() | RUBBISH, st.lists(FRAMES, max_size=2), st.data())
@settings(max_examples=300, deadline=None)
def test_frames_are_read_as_autobahn_reads_them(before, rubbish, after, data) -> None:
    stream = b"".join([*before, rubbish or b"", *after])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[begin:end] for begin, end in pairwise([0, *cuts, len(stream)])]
    assert heard(GatedWebSocket, pieces) == heard(WebSocketProtocol, pieces)


# The reactor -----------------------------------------------------------------------------------------------


def test_a_descriptor_that_the_loop_gave_up_is_a_lost_connection(monkeypatch) -> None:
    """uvloop says nothing more of a connection that was reset; Twisted would ask and answer for ever."""
    from twisted.internet import reactor
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor

    near, far = socket.socketpair()
    lost: list[str] = []
    protocol = Protocol()
    protocol.connectionLost = lambda reason: lost.append(reason.type.__name__)
    transport = tcp.Server(near, protocol, ("", 0), None, 0, reactor)
    transport.connected = True

    def given_up(self: object, descriptor: object) -> None:
        raise RuntimeError("the handler is closed")

    monkeypatch.setattr(AsyncioSelectorReactor, "addWriter", given_up)
    transport.write(b"anybody there?")
    write(transport, b"anybody?")
    assert lost == [], "not from within a write"
    for call in list(reactor.getDelayedCalls()):
        if call.func == reactor._give_up:
            call.func(*call.args)
            call.cancel()
    assert lost == ["ConnectionLost"]
    far.close()


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
            read = set(re.findall(r"self\.(\w+)", inspect.getsource(member))) & _OF_THE_HANDSHAKE
            assert not read, f"{name} reads {read}"


def test_a_connection_that_ended_is_gone_without_the_collector() -> None:
    """It runs rarely, and what it frees late is not given back to the system."""
    factory = GatedWebSocketFactory(None)
    factory.setProtocolOptions(openHandshakeTimeout=0)
    connection = factory.buildProtocol(None)
    connection.makeConnection(StringTransport())
    connection.request, connection.client_addr = SimpleNamespace(path="/"), None
    connection.server = SimpleNamespace(
        protocol_disconnected=lambda protocol: None,
        log_action=lambda *what: None,
        run_for=lambda protocol, work: step(work),
    )
    connection.application_queue = Inbox(connection)
    heard: list[str] = []

    async def resume(message: dict) -> None:
        heard.append(message["type"])

    connection.application_queue.park(resume)
    connection.state = connection.STATE_OPEN
    gone = ref(connection)
    gc.collect()
    gc.disable()
    try:
        connection.connectionLost(Failure(ConnectionDone()))
        del connection
        assert heard == ["websocket.disconnect"]
        assert gone() is None
    finally:
        gc.enable()


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
