"""SQLite: ``VACUUM INTO`` copies out what is in the file at one moment, without what free pages still hold; the backup
API copies back in, in one transaction of the file that it replaces."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

from django.db import connection

from chat.dumps import Content, content_by
from chat.schedule import Beat, CannotBeDone

MEMBER = "database.sqlite3"
COMPRESSED = False
CHUNK_BYTES = 1024 * 1024
STEPS = 100_000  # of SQLite's virtual machine between two beats
WAIT_SECONDS = 20.0


def version() -> str:
    return sqlite3.sqlite_version


def path() -> Path:
    return Path(connection.settings_dict["NAME"])


def folder() -> Path:
    """Where there is room for a second database."""
    return path().parent


def copy_out(write: Callable[[bytes], object], scratch: Path, beat: Beat) -> Content:
    if not path().exists():
        raise CannotBeDone(f"there is no database {path()}")
    copy = scratch / MEMBER
    with closing(_open(path())) as source:
        _between_steps(source, beat, lambda: source.execute("VACUUM INTO ?", [str(copy)]))
    with closing(_open(copy)) as made:
        content = content_by(lambda query: made.execute(query).fetchall())
    with copy.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            beat()
            write(chunk)
    copy.unlink()
    return content


def _open(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, timeout=WAIT_SECONDS, isolation_level=None)


def _between_steps(source: sqlite3.Connection, beat: Beat, do: Callable[[], object]) -> None:
    """Do something that takes long, and end it where ``beat`` raises."""
    raised: list[BaseException] = []

    def step() -> int:
        try:
            beat()
        except BaseException as error:
            raised.append(error)
            return 1
        return 0

    source.set_progress_handler(step, STEPS)
    try:
        do()
    except sqlite3.OperationalError as error:
        if raised:
            raise raised[0] from None
        raise CannotBeDone(f"SQLite cannot copy {path()}: {error}") from error
    finally:
        source.set_progress_handler(None, 0)


def others() -> int:
    """1 where somebody else has the file open, else 0. A WAL that nobody else reads can be put away."""
    connection.close()
    if not path().exists():
        return 0
    with closing(sqlite3.connect(path(), timeout=1.0, isolation_level=None)) as alone:
        try:
            alone.execute("PRAGMA journal_mode=DELETE").fetchone()
        except sqlite3.OperationalError:
            return 1
        alone.execute("PRAGMA journal_mode=WAL").fetchone()
    return 0


@contextmanager
def beside(stream: BinaryIO, scratch: Path, schema: str) -> Iterator[Callable[[], None]]:
    copy = scratch / MEMBER
    with copy.open("wb") as file:
        shutil.copyfileobj(stream, file, CHUNK_BYTES)
    with closing(_open(copy)) as check:
        try:
            found = check.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.DatabaseError as error:
            found = str(error)
    if found != "ok":
        raise CannotBeDone(f"SQLite says of the copy in the backup: {found}")
    there = path()
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = copy
    try:
        yield lambda: _put_back(copy, there)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _put_back(copy: Path, there: Path) -> None:
    """In one transaction of the file that is there: broken off, it is as it was. Whoever has it open sees the change as
    they see any other."""
    connection.close()
    if not there.exists():
        os.close(os.open(there, os.O_CREAT, 0o600))
    with closing(_open(copy)) as source, closing(_open(there)) as target:
        target.execute("PRAGMA synchronous=FULL")
        try:
            source.backup(target)
        except sqlite3.Error as error:
            raise CannotBeDone(f"SQLite cannot write {there}, which is as it was: {error}") from error
