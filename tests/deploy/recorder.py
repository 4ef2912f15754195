"""Somebody who answers in place of a service, and keeps what they were asked with."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SIGN = "X-Recorder"


class Recorder(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: str, port: int) -> None:
        super().__init__((address, port), _Handler)
        self.asked: dict[str, Message] = {}  # the headers, by the path


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked[self.path] = self.headers
        self.send_response(204)
        self.send_header(SIGN, "here")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def recorder_at(address: str, port: int) -> Iterator[Recorder]:
    recorder = Recorder(address, port)
    thread = threading.Thread(target=recorder.serve_forever, name="recorder", daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        recorder.shutdown()
        recorder.server_close()
        thread.join()
