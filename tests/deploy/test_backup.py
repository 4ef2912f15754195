"""Backups made while everybody writes, and put back on an empty machine: what was acknowledged is there, and whoever
comes back with an old number starts over instead of skipping."""

import asyncio
import json
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote
from zipfile import ZipFile

import psycopg
import pytest

from tests.clients import participant, viewer
from tests.faults.crowd import guest_cookie
from tests.parts import postgres_binaries
from tests.servers import DATABASE, ROOT, Engawa, Postgres, engawa_environment, manage

WRITERS = 6
BEFORE, AFTER = 150, 60  # posts acknowledged before the backup begins, and after it has ended
PASSWORD = "open sesame"  # which the server here asks nobody for
KINDS = ("sqlite", "postgresql")

Machine = Callable[..., tuple[Path, dict[str, str]]]


@pytest.fixture(scope="module")
def templates(postgres: Postgres) -> dict[str, str]:
    """The name of a database that is up to date and empty, on PostgreSQL, and the file of one."""
    url = postgres.fresh_database()
    manage(engawa_environment(Path(), DATABASE_URL=url), "upgrade", "-v0")
    return {"postgresql": url.rpartition("/")[2], "sqlite": str(Engawa.database())}


@pytest.fixture
def machine(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    postgres: Postgres,
    templates: dict[str, str],
) -> Iterator[Machine]:
    """What makes a machine: a folder, and the settings with which Engawa runs there. Its database has no tables, or is
    up to date. The programs that are started there put down their command lines, which no password may be on."""

    programs = tmp_path_factory.mktemp("programs")
    for name in ("pg_dump", "pg_restore", "psql"):
        said = f'echo "$0 $@" >> {programs}/lines; echo "$PGPASSWORD" >> {programs}/passwords'
        (programs / name).write_text(f'#!/bin/sh\n{said}\nexec {postgres_binaries() / name} "$@"\n')
        (programs / name).chmod(0o755)
    settings = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "SCHEDULER": "false"}

    def make(*, bare: bool = False) -> tuple[Path, dict[str, str]]:
        folder = tmp_path_factory.mktemp("machine")
        if request.param == "postgresql":
            url = postgres.fresh_database() if bare else postgres.fresh_database(templates["postgresql"])
            url = url.replace("engawa@", f"engawa:{quote(PASSWORD)}@")
            return folder, {**settings, "DATABASE_URL": url}
        if not bare:
            shutil.copy(templates["sqlite"], folder / DATABASE)
        return folder, {**settings, "DATABASE_URL": f"sqlite:///{folder}/{DATABASE}"}

    yield make
    if (lines := programs / "lines").exists():
        assert "sesame" not in lines.read_text()
        assert f"{PASSWORD}\n" in (programs / "passwords").read_text()


@contextmanager
def connected(url: str) -> Iterator[sqlite3.Connection | psycopg.Connection]:
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    else:
        connection = psycopg.connect(url, autocommit=True)
    with closing(connection):
        yield connection


def ask(url: str, query: str) -> list[tuple]:
    with connected(url) as connection:
        return connection.execute(query).fetchall()


def refused(environment: dict[str, str], *arguments: str) -> str:
    """Run a command that ends with 1. Returns the sentence that it says."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


class Writers:
    """Who keeps posting, one post after the other, and knows what was acknowledged, in that order."""

    def __init__(self, server: Engawa, slug: str) -> None:
        self.server = server
        self.slug = slug
        self.acknowledged: list[tuple[str, str]] = []  # mid, text
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Writers":
        self._tasks = [asyncio.create_task(self._write(number)) for number in range(WRITERS)]
        return self

    async def __aexit__(self, *raised: object) -> None:
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results), results

    async def _write(self, number: int) -> None:
        async with participant(self.server.sockets, self.slug) as writer:
            count = 0
            while True:
                count += 1
                text = f"{number}: {count}"
                answer = await writer.post(text)
                assert answer["type"] == "posted", answer
                self.acknowledged.append((answer["mid"], text))

    async def until(self, count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.acknowledged) < count:
                await asyncio.sleep(0.02)


MESSAGES = "SELECT mid, text FROM chat_message ORDER BY mid"


@pytest.mark.parametrize("machine", KINDS, indirect=True)
async def test_a_backup_under_load_is_restored_on_an_empty_machine(machine: Machine, tmp_path: Path) -> None:
    settings = {"POSTS_PER_MINUTE": "0", "FRAMES_PER_SECOND": "0"}
    folder, where = machine()
    server = await asyncio.to_thread(lambda: Engawa(folder, **where, **settings))
    backup = tmp_path / "backup.zip"
    cookie = await asyncio.to_thread(guest_cookie, server, "lobby")
    key = str(uuid.uuid4())
    try:
        async with participant(server.sockets, cookie=cookie) as somebody:
            first = await somebody.post("said once", key=key)
        async with Writers(server, "lobby") as writers:
            await writers.until(BEFORE)
            before = list(writers.acknowledged)
            told = await asyncio.to_thread(server.manage, "backup", str(backup))
            assert str(backup) in told
            await writers.until(len(writers.acknowledged) + AFTER)
            lost = writers.acknowledged[-1]
        async with participant(server.sockets) as last:
            head = last.welcome["head"]
        everything = ask(where["DATABASE_URL"], MESSAGES)
    finally:
        server.stop()
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["backup.zip"]

    folder, where = machine(bare=True)
    restored = await asyncio.to_thread(manage, engawa_environment(folder, **where), "restore", str(backup))
    assert "The logs of 1 rooms begin anew" in restored
    server = await asyncio.to_thread(lambda: Engawa(folder, **where, **settings))
    try:
        there = ask(where["DATABASE_URL"], MESSAGES)
        assert set(before) <= set(there), "what was acknowledged before the backup began is in it"
        assert there == everything[: len(there)], "in the order in which it was said, and nothing in between is missing"
        assert lost not in there, "nothing was said while it was made: the test shows nothing"
        with ZipFile(backup) as archive:
            assert json.loads(archive.read("manifest.json"))["counts"]["messages"] == len(there)

        for cursor in (head, head // 2, 0):  # beyond what the backup has, and within
            async with (
                participant(server.sockets, query=f"?after={cursor}", cookie=cookie) as old,
                viewer(server.base, last_id=f"lobby:{cursor}") as watching,
            ):
                reset = await old.until("reset")
                block = await watching.block()
                assert block["event"] == "stream-reset"
                assert (await old.post("said once", key=key))["mid"] == first["mid"]
                posted = await old.post(f"back from {cursor}")
                assert posted["id"] == reset["head"] + 1 > head
                assert (await watching.event())["id"] == posted["id"]
        # And who comes back from there misses nothing, and starts over no more.
        async with participant(server.sockets, query=f"?after={posted['id'] - 1}") as again:
            assert (await again.event())["id"] == posted["id"]
    finally:
        server.stop()


# A database of the release before, in which there is enough to take a moment.
FILL = """
import secrets
from django.core.management import call_command
from chat.models import AuditEntry, Room
room = Room.objects.create(slug="hall", title="Hall")
reason = secrets.token_hex(150)
AuditEntry.objects.bulk_create([AuditEntry(room=room, reason=reason) for _ in range(20_000)])
call_command("migrate", "chat", "0010", verbosity=0)
"""


def started(environment: dict[str, str], *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_when(process: subprocess.Popen, condition: Callable[[], object], number: int) -> int:
    """End a process in the middle of what it does."""
    until = time.monotonic() + 30
    while not condition():
        assert process.poll() is None, "it had ended before"
        assert time.monotonic() < until
        time.sleep(0.001)
    process.send_signal(number)
    return process.wait(30)


@pytest.mark.parametrize("machine", KINDS, indirect=True)
def test_what_is_broken_off_leaves_nothing_half(machine: Machine, tmp_path: Path, postgres: Postgres) -> None:
    here, where = machine()
    url = where["DATABASE_URL"]
    environment = engawa_environment(here, **where)
    manage(environment, "shell", "-v0", "-c", FILL)
    backup = tmp_path / "backup.zip"

    def scratch() -> list[Path]:
        return list(tmp_path.glob(".engawa-backup-*/backup.zip"))

    # A backup that is told to stop takes along what it had; what a killed one leaves goes with the next.
    assert kill_when(started(environment, "backup", str(backup)), scratch, signal.SIGTERM) == 1
    assert os.listdir(tmp_path) == []
    kill_when(started(environment, "backup", str(backup)), scratch, signal.SIGKILL)
    assert not backup.exists()
    assert scratch()
    manage(environment, "backup", str(backup))
    assert os.listdir(tmp_path) == ["backup.zip"]

    # A restore that is broken off leaves the database; the next one succeeds, and brings it up to date.
    ask(url, "UPDATE chat_room SET title = 'Newer' RETURNING title")

    def is_at_it() -> object:
        if url.startswith("sqlite"):
            return list(here.glob(".engawa-backup-*/database.sqlite3"))
        query = "SELECT 1 FROM pg_stat_activity WHERE datname = '{}' AND application_name = 'psql'"
        return ask(postgres.url, query.format(url.rpartition("/")[2]))

    kill_when(started(environment, "restore", str(backup), "--yes"), is_at_it, signal.SIGKILL)
    with connected(url) as connection:
        assert connection.execute("SELECT title FROM chat_room").fetchall() == [("Newer",)]
        assert "somebody else uses the database" in refused(environment, "restore", str(backup), "--yes")

    # Nor does one go on where somebody came meanwhile, who may have been acknowledged something.
    restoring = started(environment, "restore", str(backup), "--yes")
    while not is_at_it():
        assert restoring.poll() is None
    with connected(url) as connection:
        assert connection.execute("SELECT title FROM chat_room").fetchall() == [("Newer",)]
        assert restoring.wait(60) == 1
        assert connection.execute("SELECT title FROM chat_room").fetchall() == [("Newer",)]
    told = manage(environment, "restore", str(backup), "--yes")
    assert re.search(r"newer than the backup were applied: [1-9]\d*\.", told)
    assert ask(url, "SELECT title FROM chat_room") == [("Hall",)]
    assert ask(url, "SELECT count(*) FROM chat_job") == [(0,)]
    assert not list(here.glob(".engawa-backup-*"))


@pytest.mark.parametrize("machine", ["sqlite"], indirect=True)
def test_backups_are_made_when_they_are_due(machine: Machine, tmp_path: Path) -> None:
    """In a folder they are named by the time; of these the newest stay, and files under other names."""
    folder, where = machine()
    for name in ("engawa-20010101T000000Z.zip", "mine.zip"):
        (tmp_path / name).write_text("older")
    environment = engawa_environment(folder, **where, BACKUP_FOLDER=str(tmp_path), BACKUPS_KEPT="1")
    manage(environment, "schedule", "--once")
    (made,) = tmp_path.glob("engawa-*.zip")
    assert sorted(os.listdir(tmp_path)) == sorted([made.name, "mine.zip"])
    (line,) = [line for line in manage(environment, "schedule", "--list").splitlines() if line.startswith("backup")]
    assert "last: done" in line
    assert made.name in line
