"""Sends prepared frames to whoever connects, and does nothing else: ``python -m bench.null_server PORT BYTES``.

Who came first says when: ONE for one to everybody, ON for one to everybody after the other, as fast as they are taken.
Several of them are more than the load can read, which shows where it ends.
"""

import select
import socket
import sys

from bench import wire

BACKLOG = 4096
ONE, ON = b"1", b"+"
_ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


def frame(length: int) -> bytes:
    """A server's text frame with one marked message in it, of so many bytes."""
    content = f'{{"type":"message","message":"{wire.text(0, 0)}","html":"'.encode()
    content = content.ljust(length - 2, b"x") + b'"}'
    return b"\x81\x7e" + len(content).to_bytes(2, "big") + content


def serve(port: int, length: int) -> None:
    """Until who came first goes. One message a write, to everybody in turn; whose buffer is full is passed over."""
    message = frame(length)
    listening = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
    everybody: list[socket.socket] = []
    goes_on = False
    while True:
        for ready in select.select([listening, *everybody[:1]], [], [], 0 if goes_on else None)[0]:
            if ready is listening:
                one, _ = listening.accept()
                one.recv(4096)
                one.sendall(_ANSWER)
                everybody.append(one)
                continue
            said = ready.recv(1)
            if not said:
                return
            goes_on = said == ON
            _send(everybody, message)
        if goes_on:
            _send(everybody, message)


def _send(everybody: list[socket.socket], message: bytes) -> None:
    for one in everybody:
        try:
            sent = one.send(message, socket.MSG_DONTWAIT)
        except BlockingIOError:
            continue
        if sent < len(message):
            one.sendall(message[sent:])


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
