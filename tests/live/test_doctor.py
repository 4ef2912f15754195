"""The doctor on a real server: well, and with one thing wrong at a time."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.utils import timezone

from chat import schedule
from chat.chores import chores
from chat.models import Job
from config.doctor.findings import Finding
from config.doctor.outside import Site, the_scheme
from config.doctor.regular import the_backups, the_scheduler
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

    with serving(Handler) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Where it does."""
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    proxy.daemon_threads = True
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield proxy.server_port
    finally:
        proxy.shutdown()
        proxy.server_close()


def test_a_proxy_that_spoils_it_is_found_out(server: Engawa) -> None:
    with a_bad_proxy(server) as url:
        code, found = doctor(server.environment, "--url", url)
    assert code == 1
    wrong = "\n".join(found["WRONG"])
    assert re.search(r"streams: Their first bytes come after [4-9].* something between keeps them back", wrong)
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


def test_settings_for_the_world_that_are_as_they_should_be(tmp_path: Path) -> None:
    secret = "a long secret for tests, made of words " * 2
    environment = engawa_environment(tmp_path, PUBLIC_URL="https://chat.example.org", SECRET_KEY=secret)
    found = doctor(environment, "--inside")[1]
    assert [each for level in ("look", "WRONG") for each in found[level] if each.startswith("settings")] == []


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


def told(findings: Iterator[Finding]) -> list[tuple[str, str]]:
    return [(finding.level, finding.says) for finding in findings]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "level", "says"),
    [
        ({}, "ok", "All that was due is done"),
        ({"due": -14}, "ok", "All that was due is done"),
        ({"due": -16}, "wrong", "and nobody does it"),
        ({"due": -600, "holder": "den:7:x", "started": -300, "expires": 1}, "ok", "All that was due is done"),
        ({"due": -600, "holder": "den:7:x", "started": -361, "expires": 1}, "look", "den:7 has been at tidy since"),
        ({"due": -600, "holder": "den:7:x", "started": -361, "expires": -16}, "wrong", "and nobody does it"),
        ({"due": 1, "failures": 1}, "look", "tidy failed last time (the disk is full)"),
        ({"due": 1, "failures": 2}, "wrong", "tidy failed 2 times in a row (the disk is full)"),
    ],
)
def test_what_is_due_and_not_done(fields: dict[str, object], level: str, says: str) -> None:
    assert told(the_scheduler())[0][0] == "look"  # nobody has looked yet
    schedule.enter(chores())
    now = timezone.now()
    minutes = {f"{name}_at": now + timedelta(minutes=fields[name]) for name in ("started", "expires") if name in fields}
    due_at = now + timedelta(minutes=fields.get("due", 30))
    more = {name: fields[name] for name in ("holder", "failures") if name in fields}
    Job.objects.filter(name="tidy").update(due_at=due_at, said="the disk is full", **minutes, **more)
    Job.objects.create(name="no-longer", due_at=now - timedelta(days=9))  # what nobody asks for is nobody's business
    ((found, sentence),) = told(the_scheduler())
    assert found == level
    assert says in sentence


def test_backups_that_are_not_made(tmp_path: Path, settings: object) -> None:
    folder = tmp_path / "backups"
    assert told(the_backups())[0] == ("look", "BACKUP_FOLDER is not set: none are made by themselves.")
    settings.BACKUP_FOLDER = str(folder)
    assert told(the_backups()) == [("wrong", f"There is no folder {folder} here.")]
    folder.mkdir()
    (folder / "notes.zip").write_text("not one of ours")
    assert told(the_backups()) == [("wrong", f"There are none in {folder}.")]
    environment = engawa_environment(tmp_path, BACKUP_FOLDER=str(folder))
    manage(environment, "migrate", "-v0")
    manage(environment, "backup", str(folder))
    assert "backups: The newest is of" in str(doctor(environment, "--inside")[1]["ok"])
    settings.BACKUP_HOURS = -2  # as if more time had passed
    ((level, says),) = told(the_backups())
    assert level == "wrong"
    assert "BACKUP_HOURS is -2" in says
    settings.BACKUP_HOURS = 24
    (folder / "engawa-99991231T000000Z.zip").write_text("broken off")
    ((level, says),) = told(the_backups())
    assert level == "wrong"
    assert says.startswith("The newest is of no use: ")


@pytest.mark.parametrize(
    ("status", "location", "level"),
    [
        (308, "https://chat.example.org/", "ok"),
        (301, "https://chat.example.org/", "ok"),
        (301, "https://chat.example.org.elsewhere.org/", "wrong"),
        (301, "https://elsewhere.org/", "wrong"),
        (200, None, "wrong"),
        (None, None, "look"),
    ],
)
def test_who_comes_by_http_is_led_to_https(
    monkeypatch: pytest.MonkeyPatch, status: int | None, location: str | None, level: str
) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if status is None:
                return  # and closes
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    site = Site("https://chat.example.org", "lobby")
    monkeypatch.setattr(site, "get", lambda path: (Answered(200, {"strict-transport-security": "max-age=1"}), b""))
    with serving(Handler) as port:
        site.host, site.plain_port = "127.0.0.1", port
        found = told(the_scheme(site))
    assert [each for each, _ in found] == [level, "ok"]


class Answered:
    def __init__(self, status: int, headers: dict[str, str]) -> None:
        self.status = status
        self.headers = headers


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        (Answered(200, {}), "look"),
        (Answered(308, {"location": "https://chat.example.org:8443/"}), "wrong"),
        (Answered(200, {"strict-transport-security": "max-age=31536000"}), "ok"),
    ],
)
def test_a_proxy_that_does_not_say_https(monkeypatch: pytest.MonkeyPatch, answer: Answered, level: str) -> None:
    site = Site("https://chat.example.org:8443", "lobby")  # of another port's neighbours nothing is known
    monkeypatch.setattr(site, "get", lambda path: (answer, b""))
    assert [each for each, _ in told(the_scheme(site))] == [level]


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
