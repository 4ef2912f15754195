"""The audit of what we use, asked of a service that speaks as OSV does."""

import json
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests import auditing
from tests.auditing import (
    CLEAN,
    KNOWN,
    NOT_ASKED,
    WRONG,
    Package,
    WrongFileError,
    exempt_here,
    fixed_here,
    known_of,
    main,
)

ADVISORIES = {
    "GHSA-1": {"id": "GHSA-1", "aliases": ["CVE-2026-1"], "summary": "It lets anybody in."},
    "GHSA-2": {"id": "GHSA-2", "summary": "It ends."},
    "GHSA-3": {"id": "GHSA-3", "summary": "It was none.", "withdrawn": "2026-01-01T00:00:00Z"},
}
KNOWN_OF = {("PyPI", "django", "5.2.19"): ["GHSA-1"], ("npm", "axe-core", "1.0.0"): ["GHSA-2", "GHSA-3"]}
EXEMPT = '[[tool.engawa.audit]]\nid = "{id}"\nreason = "Nothing here calls it."\nuntil = {until}\n'


class Service(BaseHTTPRequestHandler):
    broken = ""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        assert self.path == "/v1/querybatch"
        results = []
        for query in asked:
            key = (query["package"]["ecosystem"], query["package"]["name"], query["version"])
            ids = KNOWN_OF.get(key, [])
            # A page holds one.
            at = int(query.get("page_token", "0"))
            page = {"vulns": [{"id": id, "modified": "2026-01-01T00:00:00Z"} for id in ids[at : at + 1]]} if ids else {}
            results.append({**page, **({"next_page_token": str(at + 1)} if at + 1 < len(ids) else {})})
        self.say({"short": {"results": results[1:]}, "odd": []}.get(self.broken, {"results": results}))

    def do_GET(self) -> None:
        self.say(ADVISORIES[self.path.removeprefix("/v1/vulns/")])

    def say(self, answer: object) -> None:
        content = json.dumps(answer).encode()
        self.send_response(503 if self.broken == "away" else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service(monkeypatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = HTTPServer(("127.0.0.1", 0), Service)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project of one package for Python and one for Node."""
    monkeypatch.setattr(auditing, "installed_here", set)
    (tmp_path / "requirements.txt").write_text("# What runs.\n-r other.txt\nDjango==5.2.19  # LTS\nuvloop==1.0; x\n")
    (tmp_path / "pyproject.toml").write_text("")
    lock = {"": {"name": "us"}, "node_modules/a/node_modules/axe-core": {"version": "1.0.0", "integrity": "sha512-x"}}
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": lock}))
    return tmp_path


def test_everything_that_is_fixed_here_is_asked_for() -> None:
    found = fixed_here()
    named = {package.name for package in found if package.ecosystem == "PyPI"}
    assert {"django", "psycopg", "argon2-cffi", "uvloop", "pytest", "httptools"} <= named
    assert {"axe-core", "lighthouse"} <= {package.name for package in found if package.ecosystem == "npm"}
    assert Package("PyPI", "psycopg-binary", next(each.version for each in found if each.name == "psycopg")) in (
        auditing.installed_here()
    )


@pytest.mark.parametrize("line", ["Django", "Django>=5.2", "Django==5.2.*", "Django==5,<6", "git+https://x.example/y"])
def test_what_is_not_fixed_is_refused(project, line: str, capsys) -> None:
    (project / "requirements.txt").write_text(f"{line}\n")
    with pytest.raises(WrongFileError):
        fixed_here(project)
    assert main(project) == WRONG
    assert "fixed" in capsys.readouterr().err


def test_a_lock_without_hashes_is_refused(project) -> None:
    lock = {"packages": {"node_modules/a": {"version": "1"}}}
    (project / "package-lock.json").write_text(json.dumps(lock))
    assert main(project) == WRONG


def test_what_is_known_fails(project, service, capsys) -> None:
    assert main(project, service) == KNOWN
    said = capsys.readouterr().err
    assert "django 5.2.19 (PyPI): GHSA-1: It lets anybody in." in said
    assert "axe-core 1.0.0 (npm): GHSA-2" in said
    assert "GHSA-3" not in said, "which was taken back"


def test_several_pages_are_read(service) -> None:
    (advisories,) = known_of({Package("npm", "axe-core", "1.0.0")}, service).values()
    assert [advisory.id for advisory in advisories] == ["GHSA-2"]
    assert known_of({Package("npm", "axe-core", "2.0.0")}, service) == {}


def test_what_is_passed_over_is_passed_over_by_any_of_its_names_until_a_day(project, service, capsys) -> None:
    entries = [EXEMPT.format(id=id, until="2999-01-01") for id in ("CVE-2026-1", "GHSA-2")]
    (project / "pyproject.toml").write_text("".join(entries))
    assert main(project, service) == CLEAN
    assert [exempt.id for exempt in exempt_here(project, date(2999, 1, 1))] == ["CVE-2026-1", "GHSA-2"]
    with pytest.raises(WrongFileError, match="look at it again"):
        exempt_here(project, date(2999, 1, 2))
    (project / "pyproject.toml").write_text(EXEMPT.format(id="GHSA-1", until="2020-01-01"))
    assert main(project, service) == WRONG
    (project / "pyproject.toml").write_text("".join([*entries, EXEMPT.format(id="GHSA-9", until="2999-01-01")]))
    assert main(project, service) == WRONG
    assert "take it away" in capsys.readouterr().err


@pytest.mark.parametrize(
    "entry",
    [
        '[[tool.engawa.audit]]\nid = "GHSA-1"\n',
        '[[tool.engawa.audit]]\nid = "GHSA-1"\nreason = "no"\nuntil = 2999-01-01\n',
        '[[tool.engawa.audit]]\nid = "GHSA-1"\nreason = "Nothing here calls it."\nuntil = "always"\n',
    ],
)
def test_who_passes_something_over_says_why_and_until_when(project, entry: str) -> None:
    (project / "pyproject.toml").write_text(entry)
    assert main(project) == WRONG


@pytest.mark.parametrize("broken", ["away", "short", "odd"])
def test_nobody_to_ask_is_no_answer(project, service, monkeypatch, capsys, broken: str) -> None:
    monkeypatch.setattr(Service, "broken", broken)
    assert main(project, service) == NOT_ASKED
    assert "NOT DONE" in capsys.readouterr().err
    assert main(project, "http://127.0.0.1:1") == NOT_ASKED
