"""Requests that two servers could read differently: what follows one of them must never be taken for another."""

import socket

import pytest

from tests.servers import Engawa

SMUGGLED = "GET /health/live HTTP/1.1\r\nHost: {host}\r\n\r\n"


def exchange(server: Engawa, head: str, body: str = "") -> str:
    """All that the server answers to that, and to a request that is hidden behind it."""
    host = f"127.0.0.1:{server.port}"
    request = f"{head}\r\n\r\n{body}".replace("{host}", host) + SMUGGLED.format(host=host)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(request.encode("latin1"))
        answer = b""
        try:
            while b"alive" not in answer and (piece := line.recv(65536)):  # until it hangs up, or falls for it
                answer += piece
        except ConnectionResetError:
            pass
    return answer.decode("latin1")


POST = "POST /nowhere HTTP/1.1\r\nHost: {host}\r\n"


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (f"{POST}Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        (f"{POST}Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"),
        (f"{POST}Content-Length: 0\r\nContent-Length: 44", ""),
        (f"{POST}Content-Length: 5\r\nContent-Length: 5", "a=bcd"),
        (f"{POST}Content-Length: +0", ""),
        (f"{POST}Content-Length: 0, 44", ""),
        (f"{POST}Content-Length: 0x0", ""),
        (f"{POST}Content-Length: -1", ""),
        (f"{POST}Content-Length:", ""),
        (f"{POST}Content-Length : 0", ""),
        (f"{POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        (f"{POST}Transfer-Encoding: chunked, identity", "0\r\n\r\n"),
        (f"{POST}Transfer-Encoding: xchunked", "0\r\n\r\n"),
        (f"{POST}Transfer-Encoding : chunked", "0\r\n\r\n"),
        (f"{POST}Transfer-Encoding: \x0bchunked", "0\r\n\r\n"),
        (f"{POST}Transfer-Encoding: chunked", "0x0\r\n\r\n"),
        (f"{POST}Transfer-Encoding: chunked", "+0\r\n\r\n"),
        (f"{POST}Transfer-Encoding: chunked", "-0\r\n\r\n"),
        (f"{POST}Transfer-Encoding: chunked", "5\r\na=bcdefg\r\n0\r\n\r\n"),
        (f"{POST}X: a\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        (f"{POST}X: a\rb", ""),
        (f"{POST}X: a\x00b", ""),
        ("GET /nowhere\r\nHost: {host}", ""),
        ("GET /nowhere HTTP/1.1 HTTP/1.1\r\nHost: {host}", ""),
        ("GET  /nowhere HTTP/1.1\r\nHost: {host}", ""),
        ("GET /nowhere HTTP/9.9\r\nHost: {host}", ""),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused_with_all_that_follows(server: Engawa, head: str, body: str) -> None:
    answer = exchange(server, head, body)
    assert answer.startswith("HTTP/1.1 400 "), answer[:300]
    assert "alive" not in answer


@pytest.mark.parametrize(
    "hosts",
    ["Host: {host}\r\nHost: evil.example.com", "Host: evil.example.com\r\nHost: {host}", "Host: a@{host}"],
)
@pytest.mark.parametrize("path", ["/chat/", "/feeds/lobby/stream?history=1"])
def test_a_host_that_is_not_one_of_ours_is_refused(server: Engawa, hosts: str, path: str) -> None:
    answer = exchange(server, f"GET {path} HTTP/1.1\r\n{hosts}\r\nConnection: close")
    assert answer.startswith("HTTP/1.1 400 "), answer[:300]


@pytest.mark.parametrize(
    "target", ["http://evil.example.com/chat/", "//evil.example.com/chat", "/chat", "/chat/x%0d%0aA:%20b/..", "*"]
)
def test_no_answer_leads_where_the_request_line_says(server: Engawa, target: str) -> None:
    answer = exchange(server, f"GET {target} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close")
    head = answer.split("\r\n\r\n")[0].split("\r\n")
    location = [line.split(" ", 1)[1] for line in head if line.lower().startswith("location:")]
    assert all(where.startswith("/") and not where.startswith(("//", "/\\")) for where in location), location
    assert "\r\nA: b" not in answer


@pytest.mark.parametrize("many", [501, 5000])
def test_headers_have_an_end(server: Engawa, many: int) -> None:
    lines = "\r\n".join(f"X-{number}: {'y' * 20}" for number in range(many))
    answer = exchange(server, f"GET /chat/ HTTP/1.1\r\nHost: {{host}}\r\n{lines}")
    assert answer == "" or answer.startswith("HTTP/1.1 400 ")


def test_nothing_of_that_is_a_fault_of_ours(server: Engawa) -> None:
    assert "Traceback" not in server.output()
