"""What runs before there is anything to serve, and beside it: a deployment's secrets, and the probe of a container."""

import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from config import probe, secrets
from tests.servers import free_port


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text().strip() for path in folder.rglob("*") if path.is_file()}


def test_secrets_are_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "secrets"
    assert secrets.main([str(folder)]) == 0
    assert "secret_key" in capsys.readouterr().out
    made = contents(folder)
    assert all(len(value) >= 32 for value in made.values())
    assert len(set(made.values())) == len(made)
    assert secrets.main([str(folder)]) == 0
    assert capsys.readouterr().out == "all secrets are there\n"
    assert contents(folder) == made


def test_both_sides_are_told_the_same(tmp_path: Path) -> None:
    secrets.make(tmp_path)
    made = contents(tmp_path)
    assert unquote(urlsplit(made["database_url"]).password) == made["postgres/postgres_password"]
    assert parse_qs(urlsplit(made["grip_url"]).query)["key"] == ["base64:" + made["pushpin/grip_key"]]


def test_what_is_there_decides_over_what_is_missing(tmp_path: Path) -> None:
    secrets.make(tmp_path)
    before = contents(tmp_path)
    for name in ("postgres/postgres_password", "pushpin/grip_key", "metrics_token"):
        (tmp_path / name).unlink()
    assert set(secrets.make(tmp_path)) == {"postgres/postgres_password", "pushpin/grip_key", "metrics_token"}
    after = contents(tmp_path)
    assert after.pop("metrics_token") != before.pop("metrics_token")
    assert after == before


def test_only_who_needs_a_secret_can_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    secrets.make(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.rglob("*"):
        if path.is_file():
            theirs = path.parent != folder
            assert stat.S_IMODE(path.stat().st_mode) == (0o444 if theirs else 0o400), path


def test_where_no_secret_can_be_kept_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert secrets.main([str(tmp_path / "file" / "secrets")]) == 1
    assert "cannot keep secrets in" in capsys.readouterr().err
    assert secrets.main([]) == 2


# The probe ------------------------------------------------------------------------------------------------


@contextmanager
def answering(answers: dict[str, tuple[int, str]], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, str]]]:
    """A process that gives those answers. Gives the headers that it was asked with."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(dict(self.headers))
            status, body = answers[self.path]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    monkeypatch.setenv("PORT", str(server.server_port))
    monkeypatch.setenv("HOST", "0.0.0.0")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "word", "code"),
    [
        (200, "ready\n", "ready", 0),
        (200, "degraded\nlayer\n", "degraded", 0),
        (503, "database\n", "database", 1),
        (503, "leaving\n", "leaving", 1),
        (404, "", "404", 1),
    ],
)
def test_the_probe_passes_on_what_it_hears(
    status: int, body: str, word: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering({"/health/ready": (status, body), "/health/live": (200, "alive\n")}, monkeypatch):
        assert probe.main([]) == code
        assert capsys.readouterr().out == f"{word}\n"
        assert probe.main(["--live"]) == 0
        assert capsys.readouterr().out == "alive\n"


def test_the_probe_asks_as_somebody_who_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://chat.example.org")
    with answering({"/health/ready": (200, "ready\n")}, monkeypatch) as asked:
        assert probe.main([]) == 0
    assert asked[0]["Host"] == "chat.example.org"
    assert asked[0]["X-Forwarded-Proto"] == "https"


def test_nobody_there_is_no_good_news(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PORT", str(free_port()))
    monkeypatch.setenv("HOST", "127.0.0.1")
    assert probe.main([]) == 1
    assert capsys.readouterr().out.startswith("no answer: ")
    assert probe.main(["--help"]) == 2
