"""bin/start as a newcomer meets it. (The environment is the tests' own: bin/test has just made it.)"""

import asyncio
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.clients import participant, viewer
from tests.servers import ROOT, Engawa, free_port, hear_interrupts


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The project as somebody else's folder has it: what is committed or about to be, and nothing more."""
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in files.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes((ROOT / name).read_bytes())
            (tmp_path / name).chmod((ROOT / name).stat().st_mode)
    # Installing again is what bin/test itself has shown; here the environment is borrowed.
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    return tmp_path


def environment(**settings: str) -> dict[str, str]:
    names = ("PATH", "HOME", "LANG")
    return {**{name: os.environ[name] for name in names if name in os.environ}, **settings}


@contextmanager
def started(clone: Path, **settings: str) -> Iterator[subprocess.Popen]:
    with subprocess.Popen(
        ["bin/start"],
        cwd=clone,
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=hear_interrupts,
    ) as process:
        try:
            yield process
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        finally:
            process.kill()


def said_until(process: subprocess.Popen, last: str) -> str:
    said = ""
    while last not in said:
        line = process.stdout.readline()
        assert line, f"it ended after saying:\n{said}"
        said += line
    return said


def test_from_nothing_to_a_room_in_one_command(clone: Path) -> None:
    port = free_port()
    secret = clone / "var" / "secret_key"
    with started(clone, PORT=str(port)) as process:
        lines = said_until(process, "Ctrl-C").splitlines()
        base = f"http://127.0.0.1:{port}"
        room, watch, curl, embed, admin = lines[1:10:2]
        assert room == f"{base}/chat/lobby/"
        assert "Lobby" in httpx.get(room).text
        assert httpx.get(watch).status_code == 200
        assert curl == f"curl -N {base}/feeds/lobby/stream.txt"
        source = re.fullmatch(r'<iframe src="([^"]+)" title="Lobby" width="400" height="600"></iframe>', embed)
        assert httpx.get(source[1]).status_code == 200
        answers = environment(
            DJANGO_SUPERUSER_USERNAME="root",
            DJANGO_SUPERUSER_PASSWORD="tea at five",
            DJANGO_SUPERUSER_EMAIL="root@example.org",
        )
        made = subprocess.run(f"{admin} --noinput", shell=True, env=answers, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        assert httpx.get(f"{base}/static/css/base.css").headers["content-type"].startswith("text/css")
        assert httpx.get(f"{base}/static/admin/css/base.css").status_code == 200
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        kept = secret.read_text()
        assert len(kept) >= 50
    with started(clone, PORT=str(port)) as process:
        said_until(process, "Ctrl-C")
        assert secret.read_text() == kept


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_it_stops_within_two_seconds_with_everything_open(tmp_path: Path, how: signal.Signals) -> None:
    server = Engawa(tmp_path)
    async with participant(server.sockets), viewer(server.base), viewer(server.base, path="/chat/lobby/stream"):
        began = time.monotonic()
        server.popen.send_signal(how)
        code = await asyncio.to_thread(server.popen.wait, 10)
        assert time.monotonic() - began < 2
        assert code == 0
    assert "Traceback" not in server.output()
    assert "Error" not in server.output()


def refusal(clone: Path, **settings: str) -> str:
    done = subprocess.run(
        ["bin/start"], cwd=clone, env=environment(**settings), capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    (sentence,) = done.stderr.strip().splitlines()
    return sentence


def test_a_port_in_use_is_one_sentence(clone: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1:{port} (Address already in use)" in refusal(clone, PORT=str(port))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DEBUG", "ture", "DEBUG: 'ture' is neither true nor false"),
        ("PORT", "80000", "PORT: 80000 is not between 1 and 65535"),
        ("PORT", "http", "PORT: "),
        ("ROOM_CREATION", "nobody", "ROOM_CREATION: 'nobody' is none of everyone, signed-in, staff"),
        ("PUBLIC_URL", "chat.example.org", "PUBLIC_URL: 'chat.example.org' is not like https://chat.example.org"),
        ("SECRET_KEY", "short", "SECRET_KEY: shorter than 32 characters"),
        ("SECRET_KEY_FILE", "/nowhere", "SECRET_KEY_FILE: cannot read /nowhere"),
        ("DATABASE_URL", "sqlite:///x.sqlite3", "SECRET_KEY: set it, or SECRET_KEY_FILE"),
        ("GRIP_URL", "http://localhost:5561", "GRIP_URL: it has no key"),
        ("MAX_TEXT_CHARS", "0", "MAX_TEXT_CHARS: 0 is not between"),
    ],
)
def test_a_wrong_setting_is_one_sentence_that_names_it(clone: Path, name: str, value: str, sentence: str) -> None:
    assert sentence in refusal(clone, **{name: value})


def test_a_wrong_python_is_one_sentence(clone: Path) -> None:
    (clone / ".venv").unlink()
    old = clone / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit\nexit 1\n')
    old.chmod(0o755)
    assert "this needs Python 3.11 or newer, and" in refusal(clone, PYTHON=str(old))
    assert "3.9.2" in refusal(clone, PYTHON=str(old))


def test_a_folder_that_cannot_be_written_is_one_sentence(clone: Path) -> None:
    # Root may write anywhere, but not where a file is in the way.
    (clone / "var").write_text("")
    assert "cannot write to" in refusal(clone)


def test_dotenv_is_read_beneath_the_environment(clone: Path) -> None:
    (clone / ".env").write_text("DEBUG=perhaps\n")
    assert "DEBUG: 'perhaps'" in refusal(clone)
    assert "DEBUG: 'never'" in refusal(clone, DEBUG="never")


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "daphne", "-b", "127.0.0.1", "-p", "{port}", "config.asgi:application"],
        ["manage.py", "runserver", "--noreload", "127.0.0.1:{port}"],
    ],
    ids=["daphne", "runserver"],
)
async def test_it_runs_on_the_usual_commands_too(tmp_path: Path, command: list[str]) -> None:
    Engawa(tmp_path, "first").stop()  # the database, and the lobby
    server = Engawa(tmp_path, "second", command)
    try:
        async with participant(server.sockets) as somebody, viewer(server.base) as watching:
            await somebody.post("hello")
            assert (await watching.event())["message"] == "hello"
        assert httpx.get(f"{server.base}/static/css/base.css").status_code == 200
        assert httpx.get(f"{server.base}/chat/lobby/").status_code == 200
    finally:
        server.stop()
