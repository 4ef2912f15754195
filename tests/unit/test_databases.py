"""What the address of a database may say, and what it may not."""

from pathlib import Path

import pytest
from django.db.backends.sqlite3.base import DatabaseWrapper

from config import databases

pytestmark = pytest.mark.django_db  # which lets connections of our own be opened


def asked(configuration: dict, *questions: str) -> list[object]:
    """What an SQLite database answers to PRAGMAs, on a connection of that configuration."""
    defaults = {"AUTOCOMMIT": True, "TIME_ZONE": None, "TEST": {}}
    connection = DatabaseWrapper({**defaults, **configuration}, alias="another")
    try:
        with connection.cursor() as cursor:
            return [cursor.execute(f"PRAGMA {question}").fetchone()[0] for question in questions]
    finally:
        connection.close()


def test_a_file_waits_for_its_turn_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    found = databases.in_file(tmp_path / "one.sqlite3")
    assert asked(found, "busy_timeout", "journal_mode", "synchronous") == [20_000, "wal", 2]
    assert (found["CONN_MAX_AGE"], found["CONN_HEALTH_CHECKS"]) == (0, True)


def test_an_address_says_how_long_a_file_is_waited_for(tmp_path: Path) -> None:
    found = databases.at(f"sqlite:///{tmp_path}/one.sqlite3?timeout=3")
    assert asked(found, "busy_timeout", "journal_mode", "synchronous") == [3000, "wal", 2]


@pytest.mark.parametrize("name", ["transaction_mode=DEFERRED", "init_command=PRAGMA%20synchronous%3DOFF"])
def test_an_address_does_not_say_what_is_relied_on(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name.split('=')[0]} is not to be chosen"):
        databases.at(f"sqlite:////tmp/one.sqlite3?{name}")


def test_an_address_goes_before_what_is_usual_on_postgresql() -> None:
    found = databases.at(
        "postgres://engawa@host/engawa?sslmode=require&connect_timeout=9&options=-c%20lock_timeout%3D1s"
    )["OPTIONS"]
    assert (found["sslmode"], found["connect_timeout"], found["keepalives_idle"]) == ("require", 9, 10)
    words = found["options"].split()
    assert words.index("lock_timeout=5s") < words.index("lock_timeout=1s") < words.index("synchronous_commit=on")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("sqlite://:memory:", "another one for each thread"),
        ("mysql://engawa@host/engawa", "only sqlite:///… and postgresql://…"),
    ],
)
def test_other_databases_are_refused(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        databases.at(url)
