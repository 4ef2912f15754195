"""Sends prepared frames to whoever connects, as fast as they are taken, and does nothing else: ``python -m
bench.null_server PORT BYTES``. Several of them are more than the load can read, which shows where it ends."""

import select
import socket
import sys

from bench import wire

BACKLOG = 1024
_ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


def frame(length: int) -> bytes:
    """A server's text frame with one marked message in it, of so many bytes."""
    content = f'{{"type":"message","message":"{wire.text(0, 0)}","html":"'.encode()
    content = content.ljust(length - 2, b"x") + b'"}'
    return b"\x81\x7e" + len(content).to_bytes(2, "big") + content


def serve(port: int, length: int) -> None:
    """Never returns. One message a write, to everybody in turn; whose buffer is full is passed over."""
    message = frame(length)
    listening = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
    listening.setblocking(False)
    everybody: list[socket.socket] = []
    while True:
        if select.select([listening], [], [], 0 if everybody else 1)[0]:
            one, _ = listening.accept()
            one.recv(4096)
            one.sendall(_ANSWER)
            one.setblocking(False)
            everybody.append(one)
        for one in everybody:
            try:
                sent = one.send(message)
            except BlockingIOError:
                continue
            if sent < len(message):
                one.setblocking(True)
                one.sendall(message[sent:])
                one.setblocking(False)


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
