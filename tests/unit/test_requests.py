"""How long a request may take to arrive, by a clock that the test turns."""

from types import SimpleNamespace

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from config.requests import REQUEST_SECONDS, GatedHTTPFactory

HEAD = b"POST /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n"


class Connection:
    def __init__(self) -> None:
        self.clock = Clock()
        factory = GatedHTTPFactory(SimpleNamespace(protocol_connected=lambda request: None))
        factory.reactor = self.clock
        self.protocol = factory.buildProtocol(None)
        self.transport = StringTransport()
        self.protocol.makeConnection(self.transport)

    def say(self, data: bytes) -> None:
        if not self.transport.disconnecting:
            self.protocol.dataReceived(data)

    def drip(self, data: bytes, seconds: int) -> None:
        """A byte a second."""
        for second in range(seconds):
            self.say(data[second : second + 1])
            self.clock.advance(1)

    @property
    def is_closed(self) -> bool:
        return self.transport.disconnecting


@pytest.fixture
def connection() -> Connection:
    return Connection()


@pytest.mark.parametrize("at_once", [b"", HEAD[:30], HEAD[:-2], HEAD], ids=["nothing", "a line", "a head", "a body"])
def test_who_sends_a_byte_now_and_then_is_let_go(connection: Connection, at_once: bytes) -> None:
    connection.say(at_once)
    connection.drip(b"X" * REQUEST_SECONDS, REQUEST_SECONDS - 1)
    assert not connection.is_closed
    connection.drip(b"XX", 2)
    assert connection.is_closed


def test_a_request_has_its_time_from_its_first_line(connection: Connection) -> None:
    connection.clock.advance(REQUEST_SECONDS - 1)
    connection.say(HEAD)
    connection.drip(b"a" * REQUEST_SECONDS, REQUEST_SECONDS - 1)
    assert not connection.is_closed
    connection.clock.advance(1)
    assert connection.is_closed


def test_who_says_nothing_is_let_go(connection: Connection) -> None:
    connection.clock.advance(REQUEST_SECONDS)
    assert connection.is_closed
