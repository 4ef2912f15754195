"""The doctor on a real server: well, and with one thing wrong at a time."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.servers import ROOT, Engawa, Postgres, engawa_environment, free_port, manage


def doctor(environment: dict[str, str], *options: str) -> tuple[int, dict[str, list[str]]]:
    """How it ended, and its findings: ``WRONG`` and ``look`` are lists of ``what: says``."""
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    found: dict[str, list[str]] = {"ok": [], "look": [], "WRONG": []}
    for line in done.stdout.splitlines():
        level, _, rest = line.partition(" ")
        if level in found:
            found[level].append(rest.strip())
    return done.returncode, found


def test_one_that_is_well_is_said_to_be(server: Engawa) -> None:
    code, found = doctor(server.environment)
    assert (code, found["WRONG"]) == (0, []), found
    said = {finding.split(":")[0] for finding in found["ok"]}
    assert {"database", "migrations", "logs", "search", "streams", "sockets", "pages", "health"} <= said


@contextmanager
def a_bad_proxy(to: Engawa) -> Iterator[str]:
    """In front of ``to``: keeps what it is answered for four seconds if there may be more, knows no upgrades, drops
    headers."""

    class Handler(BaseHTTPRequestHandler):
        server_version = "middlebox"

        def do_GET(self) -> None:
            until = time.monotonic() + 4
            with closing(HTTPConnection("127.0.0.1", to.port, timeout=4)) as asked:
                asked.request("GET", self.path, headers={"Host": f"127.0.0.1:{to.port}"})
                answer = asked.getresponse()
                body = b""
                with suppress(TimeoutError):
                    while time.monotonic() < until and (part := answer.read1()):
                        body += part
                answer.close()
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.daemon_threads = True
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{proxy.server_port}"
    finally:
        proxy.shutdown()
        proxy.server_close()


def test_a_proxy_that_spoils_it_is_found_out(server: Engawa) -> None:
    with a_bad_proxy(server) as url:
        code, found = doctor(server.environment, "--url", url)
    assert code == 1
    wrong = "\n".join(found["WRONG"])
    assert "streams: Their first bytes come after 4." in wrong
    assert "sockets: A WebSocket is answered by" in wrong
    assert "pages: Headers are missing: content-security-policy" in wrong
    assert "proxy: middlebox" in wrong
    assert not [finding for finding in found["WRONG"] if finding.startswith("health")]


def test_nobody_there(tmp_path: Path) -> None:
    environment = engawa_environment(tmp_path, PORT=str(free_port()))
    code, found = doctor(environment, "--outside")
    assert code == 1
    assert [finding.split(":")[0] for finding in found["WRONG"]] == ["name"]


def test_what_is_wrong_inside(tmp_path: Path) -> None:
    environment = engawa_environment(
        tmp_path, PUBLIC_URL="http://chat.example.org", ALLOWED_HOSTS="*", DEBUG="true", REDIS_URL="redis://127.0.0.1:1"
    )
    code, found = doctor(environment, "--inside")
    assert code == 1
    wrong = "\n".join(found["WRONG"])
    for says in ("DEBUG is on", "in the clear", "ALLOWED_HOSTS has *", "does not answer", "migrations: "):
        assert says in wrong, found


def test_a_database_that_is_away_ends_what_needs_it(tmp_path: Path) -> None:
    environment = engawa_environment(tmp_path, DATABASE_URL="postgres://nobody:a-password@127.0.0.1:1/none")
    code, found = doctor(environment, "--inside")
    assert code == 1
    assert [finding for finding in found["WRONG"] if finding.startswith("database: It does not answer")]
    assert not [finding for finding in found["ok"] if finding.startswith(("logs", "search", "migrations"))]
    assert "a-password" not in str(found)


def test_a_restore_without_its_last_step(tmp_path: Path) -> None:
    environment = engawa_environment(tmp_path)
    manage(environment, "migrate", "-v0")
    code = (
        "from chat import actions, posting; from chat.identity import new_guest; from chat.models import Room\n"
        "room, _ = actions.create_room(new_guest(), 'torn')\n"
        "[posting.post(new_guest(), room.pk, 'hello') for _ in range(3)]\n"
        "Room.objects.filter(pk=room.pk).update(head=1)"
    )
    manage(environment, "shell", "-v0", "-c", code)
    assert "logs: There are events beyond the head of torn" in str(doctor(environment, "--inside")[1]["WRONG"])
    manage(environment, "restart_logs")
    assert not doctor(environment, "--inside")[1]["WRONG"]


def test_a_database_that_may_forget(postgres: Postgres, tmp_path: Path) -> None:
    environment = engawa_environment(tmp_path, DATABASE_URL=postgres.fresh_database())
    manage(environment, "migrate", "-v0")
    assert not doctor(environment, "--inside")[1]["WRONG"]
    postgres.stop()
    postgres.command += ["-c", "full_page_writes=off"]
    postgres.start()
    postgres.wait_until_ready()
    try:
        assert "database: full_page_writes is off" in str(doctor(environment, "--inside")[1]["WRONG"])
    finally:
        postgres.command = postgres.command[:-2]
        postgres.restart()


@pytest.mark.parametrize("options", [["--url", "chat.example.org"], ["--ca", "/nowhere.pem"]])
def test_a_command_line_that_is_wrong(tmp_path: Path, options: list[str]) -> None:
    code, found = doctor(engawa_environment(tmp_path), "--outside", *options)
    assert (code, found) == (1, {"ok": [], "look": [], "WRONG": []})
