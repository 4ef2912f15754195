"""A room with a long history, made once and kept: its messages are put into SQLite without passing Engawa."""

import hashlib
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ulid import ULID

from bench.services import BENCH_FOLDER, Services

ROOM = "room0"
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
_COLUMNS = (
    "mid, room_id, author_key, author_name, author_kind, author_role, key, text, html, renderer, reply_to, created_at"
)


def long_history(services: Services, messages: int) -> Path:
    """A database whose room ROOM has so many messages, one a second. Of all that Engawa keeps only its log is short."""
    template = services.sqlite_template
    migrations = sorted(Path("chat/migrations").glob("0*.py"))
    made_for = hashlib.sha256(b"".join(path.read_bytes() for path in migrations)).hexdigest()[:12]
    path = BENCH_FOLDER / f"history-{messages}-{made_for}.sqlite3"
    if not path.exists():
        part = path.with_suffix(".part")
        part.write_bytes(template.read_bytes())
        _fill(part, messages)
        part.rename(path)
    return path


def mid_of(number: int) -> str:
    """The mid of the message of that number, from 0."""
    moment = _FIRST + timedelta(seconds=number)
    return str(ULID.from_int((int(moment.timestamp() * 1000) << 80) | number))


def _fill(path: Path, messages: int) -> None:
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA synchronous=OFF")
        ((room,),) = connection.execute("SELECT id FROM chat_room WHERE slug = ?", [ROOM])
        connection.executemany(
            f"INSERT INTO chat_message ({_COLUMNS}) VALUES (?, ?, ?, ?, 'guest', 'none', ?, ?, ?, 1, '', ?)",  # noqa: S608
            (
                (
                    mid_of(number),
                    room,
                    f"guest{number % 500}",
                    f"Guest {number % 500}",
                    f"{number:032x}",
                    f"This is message {number}, and it says *nothing* new.",
                    f"<p>This is message {number}, and it says <em>nothing</em> new.</p>",
                    (_FIRST + timedelta(seconds=number)).strftime("%Y-%m-%d %H:%M:%S"),
                )
                for number in range(messages)
            ),
        )
        connection.execute("UPDATE chat_room SET last_mid = ? WHERE id = ?", [mid_of(messages - 1), room])
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("ANALYZE")
        connection.commit()
    finally:
        connection.close()
