"""A room with a long history, made fast: its messages are put into the database without passing Engawa."""

import hashlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from ulid import ULID

from bench.services import BENCH_FOLDER, Services

ROOM = "room0"
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
_COLUMNS = (
    "mid, room_id, author_key, author_name, author_kind, author_role, key, text, html, renderer, reply_to, network, "
    "created_at"
)
_STATE = "UPDATE chat_room SET last_mid = {0}, head = {0}, floor = {0} WHERE id = {0}"


def long_history(services: Services, messages: int) -> Path:
    """A database whose room ROOM has so many messages, one a second. Of all that Engawa keeps only its log is short."""
    template = services.sqlite_template
    migrations = sorted(Path("chat/migrations").glob("0*.py"))
    made_for = hashlib.sha256(b"".join(path.read_bytes() for path in [*migrations, Path(__file__)])).hexdigest()[:12]
    path = BENCH_FOLDER / f"history-{messages}-{made_for}.sqlite3"
    if not path.exists():
        part = path.with_suffix(".part")
        begin(part, template)
        fill_sqlite(part, ROOM, messages)
        part.rename(path)
    return path


def begin(path: Path, template: Path) -> None:
    """Make a database like ``template``, without what a run that was ended may have left: SQLite would take its log for
    the new one's."""
    for left in path.parent.glob(f"{path.name}*"):
        left.unlink()
    path.write_bytes(template.read_bytes())


def mid_of(number: int) -> str:
    """The mid of the message of that number, from 0."""
    return str(ULID.from_int((int(moment_of(number).timestamp() * 1000) << 80) | number))


def moment_of(number: int) -> datetime:
    """When it was said."""
    return _FIRST + timedelta(seconds=number)


def fill_sqlite(path: Path, slug: str, messages: int, since: int = 0) -> None:
    """Put so many messages, from the number ``since``, into an empty room, beside a log that begins after them."""
    connection = sqlite3.connect(path, timeout=30)
    try:
        connection.execute("PRAGMA synchronous=OFF")
        ((room,),) = connection.execute("SELECT id FROM chat_room WHERE slug = ?", [slug])
        marks = ", ".join("?" * len(_COLUMNS.split(",")))
        rows = ((*row[:-1], row[-1].strftime("%Y-%m-%d %H:%M:%S")) for row in _rows(room, since, messages))
        connection.executemany(f"INSERT INTO chat_message ({_COLUMNS}) VALUES ({marks})", rows)  # noqa: S608 – names of ours; values go beside
        connection.execute(_STATE.format("?"), _state(room, since, messages))
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("ANALYZE")
        connection.commit()
    finally:
        connection.close()


def fill_postgres(url: str, slug: str, messages: int) -> None:
    """The same in PostgreSQL."""
    with psycopg.connect(url) as connection:
        ((room,),) = connection.execute("SELECT id FROM chat_room WHERE slug = %s", [slug]).fetchall()
        with connection.cursor().copy(f"COPY chat_message ({_COLUMNS}) FROM STDIN") as copy:
            for row in _rows(room, 0, messages):
                copy.write_row(row)
        connection.execute(_STATE.format("%s"), _state(room, 0, messages))
        connection.commit()
        connection.execute("ANALYZE chat_message")


def _rows(room: int, since: int, messages: int) -> Iterator[tuple[Any, ...]]:
    for number in range(since, since + messages):
        yield (
            mid_of(number),
            room,
            f"guest{number % 500}",
            f"Guest {number % 500}",
            "guest",
            "none",
            f"{number:032x}",
            f"This is message {number}, and it says *nothing* new.",
            f"<p>This is message {number}, and it says <em>nothing</em> new.</p>",
            1,
            "",
            "",
            moment_of(number),
        )


def _state(room: int, since: int, messages: int) -> list[Any]:
    """What the room remembers of its messages: the last one, and numbers below which its log cannot be resumed."""
    return [mid_of(since + messages - 1), messages, messages, room]
