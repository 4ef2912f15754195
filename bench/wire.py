"""HTTP, WebSocket and Server-Sent Events by hand: requests as a browser words them, frames and chunks as bytes."""

import json
import struct
from collections.abc import Iterator

from bench.errors import Failed

TEXT_BYTES = 64
FIRST = "~"  # each posted text that is counted begins with it, and nothing else that is sent has it in that place
OTHER = "-"  # what begins with this is passed over
_NUMBER, _MOMENT = 9, 19
MOMENT_AT = _NUMBER  # counted from the end of the marker
MOMENT_END = _NUMBER + _MOMENT

_BROWSER = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-GB,en-US;q=0.9,en;q=0.8",
    "Cache-Control: no-cache",
    "Pragma: no-cache",
)


def text(number: int, moment: int, first: str = FIRST) -> str:
    """A text of TEXT_BYTES that says its number and when it was sent (monotonic nanoseconds)."""
    return f"{first}{number:0{_NUMBER}d}{moment:0{_MOMENT}d}".ljust(TEXT_BYTES, "x")


def number_of(posted: str) -> int:
    return int(posted[1 : 1 + _NUMBER])


def _request(path: str, port: int, lines: list[str]) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *lines, *_BROWSER, "", ""]).encode()


def socket_request(path: str, port: int, subprotocol: str | None = None, cookie: str | None = None) -> bytes:
    """A browser's handshake, but that it offers no compression: followers do not undo any."""
    offered = [f"Sec-WebSocket-Protocol: {subprotocol}"] if subprotocol else []
    offered += [f"Cookie: {cookie}"] if cookie else []
    lines = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        f"Origin: http://127.0.0.1:{port}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *offered,
    ]
    return _request(path, port, lines)


def stream_request(path: str, port: int, last_id: str | None = None) -> bytes:
    lines = ["Connection: keep-alive", "Accept: text/event-stream", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"]
    return _request(path, port, lines + ([f"Last-Event-ID: {last_id}"] if last_id is not None else []))


def page_request(path: str, port: int, accept: str = "text/html") -> bytes:
    return _request(path, port, ["Connection: keep-alive", f"Accept: {accept}"])


def client_frame(payload: str) -> bytes:
    """A masked text frame. The mask is zero, which leaves the payload as it is."""
    content = payload.encode()
    length = len(content)
    size = bytes([0x80 | length]) if length < 126 else b"\xfe" + struct.pack("!H", length)
    return b"\x81" + size + b"\0\0\0\0" + content


def frames(content: bytes) -> Iterator[bytes]:
    """The payloads of a server's whole text frames, after the handshake's head. Control frames are passed over."""
    at = content.index(b"\r\n\r\n") + 4
    while at + 2 <= len(content):
        opcode, length, start = content[at] & 0x0F, content[at + 1], at + 2
        if not content[at] & 0x80:
            raise Failed("A frame came in fragments, which the load does not read.")
        if extended := {126: 2, 127: 8}.get(length, 0):
            length, start = int.from_bytes(content[start : start + extended], "big"), start + extended
        if start + length > len(content):
            return
        if opcode == 1:
            yield content[start : start + length]
        at = start + length


def blocks(content: bytes) -> Iterator[bytes]:
    """The ``data`` of a stream's whole events, after the response's head, its chunks put together."""
    head, _, body = content.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        body = b"".join(_chunks(body))
    for block in body.replace(b"\r\n", b"\n").split(b"\n\n")[:-1]:
        lines = [line[5:].lstrip(b" ") for line in block.split(b"\n") if line.startswith(b"data:")]
        if lines:
            yield b"\n".join(lines)


def _chunks(body: bytes) -> Iterator[bytes]:
    at = 0
    while (end := body.find(b"\r\n", at)) >= 0:
        start = end + 2
        size = int(body[at:end].split(b";")[0], 16)
        if start + size + 2 > len(body):
            return
        yield body[start : start + size]
        at = start + size + 2


def posted(payloads: Iterator[bytes]) -> list[dict]:
    """The messages that are counted, in the order in which a connection was told of them."""
    return [message for message in _told(payloads) if str(message.get("message", "")).startswith(FIRST)]


def events(payloads: Iterator[bytes]) -> list[dict]:
    """The events of a room's log that an Engawa connection was told of, in that order: each has a number, ``id``."""
    return [event for event in _told(payloads) if "id" in event and "room" in event]


def _told(payloads: Iterator[bytes]) -> Iterator[dict]:
    for payload in payloads:
        yield from _objects(payload)


def _objects(payload: bytes) -> Iterator[dict]:
    payload = payload.lstrip(b"0123456789")  # what Socket.IO puts before its JSON
    if not payload.startswith((b"{", b"[")):
        return
    said = json.loads(payload)
    if isinstance(said, list):
        said = said[-1]
    if not isinstance(said, dict):
        return
    yield from said["events"] if said.get("type") == "batch" else [said]
