"""A room in which very many have talked, as people talk: some words in every other message, most in hardly any; every
fourth message Japanese. Put into a database without passing Engawa, and then entered into its index by itself.
"""

import hashlib
import random
import sqlite3
from collections.abc import Iterator
from functools import cache
from itertools import accumulate
from pathlib import Path

import psycopg

from bench.long_history import ROOM, begin, mid_of, moment_of
from bench.services import BENCH_FOLDER, Services
from tests.servers import engawa_environment, manage

RARE, RARE_EVERY = "heliotrope", 50_000  # in one message of so many
RARE_RUN = "絵巻物"  # and so is this
COMMON, COMMON_RUN = "the", "です"  # in every second, and in every tenth
NEVER_TOGETHER = f"{COMMON} {COMMON_RUN}"
PEOPLE = 500

_FIELDS = (
    "mid room_id author_key author_name author_kind author_role key text html renderer reply_to created_at network"
).split()
_SYLLABLES = "ba be bo da de do fa fi ga go ha he ka ki la lo ma mi na no pa po ra re sa so ta to va vi wa yo".split()
_SAID = (
    "今日は雨です 明日行きます 東京駅で会いましょう ありがとうございます これは何ですか "
    "電車が遅れている 写真を見た とても良い"
).split()


def talked_in(services: Services, messages: int) -> Path:
    """A SQLite database whose room ROOM has so many messages, one a second; made once, and kept."""
    path = BENCH_FOLDER / f"talk-{messages}-{_made_for()}.sqlite3"
    if not path.exists():
        part = path.with_suffix(".part")
        begin(part, services.sqlite_template)
        connection = sqlite3.connect(part)
        connection.execute("PRAGMA synchronous=OFF")
        ((room,),) = connection.execute("SELECT id FROM chat_room WHERE slug = ?", [ROOM])
        marks = ", ".join("?" * len(_FIELDS))
        connection.executemany(
            f"INSERT INTO chat_message ({', '.join(_FIELDS)}) VALUES ({marks})",  # noqa: S608 – names of ours; values go beside
            _rows(room, messages),
        )
        connection.execute("UPDATE chat_room SET last_mid = ? WHERE id = ?", [mid_of(messages - 1), room])
        connection.commit()
        connection.close()
        _index(services, f"sqlite:///{part}")
        connection = sqlite3.connect(part)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("ANALYZE")
        connection.commit()
        connection.close()
        part.rename(path)
    return path


@cache
def talk_in_postgres(services: Services, messages: int) -> str:
    """The URL of a PostgreSQL database with the same."""
    url = services.postgres_database()
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        ((room,),) = cursor.execute("SELECT id FROM chat_room WHERE slug = %s", [ROOM]).fetchall()
        with cursor.copy(f"COPY chat_message ({', '.join(_FIELDS)}) FROM STDIN") as copy:
            for row in _rows(room, messages):
                copy.write_row(row)
        cursor.execute("UPDATE chat_room SET last_mid = %s WHERE id = %s", [mid_of(messages - 1), room])
    _index(services, url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return url


def _made_for() -> str:
    """What a database is of no use without: its tables, and what its index is made by."""
    files = [
        *sorted(Path("chat/migrations").glob("0*.py")),
        *map(Path, ("chat/terms.py", "chat/indexing.py", __file__)),
    ]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def _index(services: Services, url: str) -> None:
    manage(engawa_environment(services.folder, DATABASE_URL=url), "reindex", "-v0", seconds=900)


def _rows(room: int, messages: int) -> Iterator[tuple[object, ...]]:
    for number, text in enumerate(_texts(messages)):
        who = number * 7919 % PEOPLE
        yield (
            mid_of(number),
            room,
            f"guest{who}",
            f"Guest {who}",
            "guest",
            "none",
            f"{number:032x}",
            text,
            f"<p>{text}</p>",
            1,
            "",
            f"{moment_of(number):%Y-%m-%d %H:%M:%S+00:00}",
            "",
        )


def _texts(messages: int) -> Iterator[str]:
    chance = random.Random(7)  # noqa: S311 – spreads load, keeps no secret
    words = [COMMON, *("".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4))) for _ in range(20_000))]
    weights = list(accumulate(1 / (rank + 1.5) for rank in range(len(words))))  # Zipf's law
    for number in range(messages):
        if number % 4 == 3:
            text = "、".join(chance.choices(_SAID, k=chance.randint(1, 3)))
        else:
            text = " ".join(chance.choices(words, cum_weights=weights, k=chance.randint(3, 14)))
        if number % RARE_EVERY == RARE_EVERY // 2:
            text += f" {RARE} {RARE_RUN}"
        yield text
