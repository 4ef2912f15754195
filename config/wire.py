"""What a broadcast costs on the wire, paid once a message instead of once a connection.

Autobahn builds a WebSocket frame for each connection, Twisted a chunk for each response, and both leave the bytes
to the reactor, which waits for the socket to be writable: four system calls and some 25 µs of Python for what the
kernel takes in 4. Here the bytes are made when a text or body is first met, found again as long as the same object
comes back, and offered to the socket at once; what it does not take goes the way of everything else. And the one
kind of frame that nearly all clients send is read in a few steps, where Autobahn takes some 80 µs for any kind.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from twisted.internet.tcp import Server as Connection

MOST_KEPT = 32  # a broadcast makes a message or two for each form; the rest are answers to one connection

Payload = TypeVar("Payload", str, bytes)


class Prepared(Generic[Payload]):
    """Remembers what ``prepare`` made of a payload, for as long as few others come between.

    Payloads are told apart by what they are, not by what they say: they are immutable, and held here, so an address
    is that of one payload only.
    """

    def __init__(self, prepare: Callable[[Payload], bytes]) -> None:
        self._prepare = prepare
        self._kept: dict[int, tuple[Payload, bytes]] = {}

    def __call__(self, payload: Payload) -> bytes:
        kept = self._kept.get(id(payload))
        if kept is not None:
            return kept[1]
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        prepared = self._prepare(payload)
        self._kept[id(payload)] = (payload, prepared)
        return prepared


def text_frame(text: str) -> bytes:
    """A whole text message as an unmasked frame (RFC 6455, 5.2)."""
    payload = text.encode()
    length = len(payload)
    if length < 126:
        return b"\x81%c" % length + payload
    if length < 1 << 16:
        return b"\x81\x7e" + length.to_bytes(2, "big") + payload
    return b"\x81\x7f" + length.to_bytes(8, "big") + payload


def text_in(data: bytes, start: int) -> tuple[str, int] | None:
    """The text of the frame that begins at ``start``, and where the next one begins, if it is all there and of the
    common kind: one masked frame, a message by itself, of less than 64 KiB, in UTF-8. None for all others."""
    here = data[start : start + 4]
    if len(here) < 4 or here[0] != 0x81 or here[1] < 0x80:
        return None
    length, at = here[1] - 0x80, start + 2
    if length == 127:
        return None
    if length == 126:
        length, at = here[2] << 8 | here[3], start + 4
        if length < 126:  # written longer than it need be, which is not allowed
            return None
    begin, end = at + 4, at + 4 + length
    if end > len(data):
        return None
    mask = int.from_bytes((data[at:begin] * (length // 4 + 1))[:length], "little")
    try:
        return (int.from_bytes(data[begin:end], "little") ^ mask).to_bytes(length, "little").decode(), end
    except UnicodeDecodeError:
        return None


def chunk(body: bytes) -> bytes:
    """A part of a body whose length is not known (RFC 9112, 7.1). Not for an empty one, which would end it."""
    return b"%x\r\n%b\r\n" % (len(body), body)


def write(transport: Any, data: bytes) -> None:
    """Write ``data`` to a connection; at once, where nothing is before it and the socket takes it."""
    if (
        type(transport) is Connection  # a plain TCP connection: TLS has its own way to the socket
        and transport.connected
        and not transport.disconnecting
        and not transport._tempDataLen
        and not transport.dataBuffer
    ):
        try:
            sent = transport.socket.send(data)
        except OSError:  # full, or gone: the transport finds out which, and acts on it
            sent = 0
        if sent == len(data):
            return
        data = data[sent:]
    transport.write(data)
