"""How the database is spoken with: what Engawa relies on, and what its address may say beside that."""

from pathlib import Path
from typing import Any

import dj_database_url

_CONNECTIONS = {
    "CONN_MAX_AGE": 0,  # a request's connection ends with it; chat.database keeps a few
    "CONN_HEALTH_CHECKS": True,  # which a restarted server must not spoil
}
_SQLITE = {
    # A deferred transaction that reads and then writes fails at once with "database is locked"; an immediate one waits
    # its turn. WAL lets readers go on meanwhile. FULL: acknowledged is durable.
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
}
_SQLITE_USUALLY = {"timeout": 20}  # seconds that a transaction waits for its turn
_POSTGRESQL_USUALLY = {
    "connect_timeout": 5,
    # A server that vanished without a word is found in half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}
# A lock is waited for so long: then whoever asked is told to try again, and the thread is free.
_SESSION_USUALLY = "-c lock_timeout=5s -c idle_in_transaction_session_timeout=30s"
_SESSION = "-c synchronous_commit=on"  # acknowledged is durable, whatever the server's own default


def at(url: str) -> dict[str, Any]:
    """Django's configuration of the database at an address. Raises ``ValueError``."""
    parsed = dict(dj_database_url.parse(url))
    if parsed["NAME"] == ":memory:":
        raise ValueError("a database in memory is another one for each thread: name a file")
    if parsed["ENGINE"].endswith("sqlite3"):
        return _sqlite(parsed, parsed.get("OPTIONS", {}))
    if parsed["ENGINE"].endswith("postgresql"):
        return _postgresql(parsed, parsed.get("OPTIONS", {}))
    raise ValueError("only sqlite:///… and postgresql://… are supported")


def in_file(path: Path) -> dict[str, Any]:
    """The same of an SQLite database in a file."""
    return _sqlite({"ENGINE": "django.db.backends.sqlite3", "NAME": path}, {})


def _sqlite(parsed: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    if fixed := sorted(_SQLITE.keys() & given.keys()):
        raise ValueError(f"{fixed[0]} is not to be chosen: Engawa relies on its own")
    return {**parsed, **_CONNECTIONS, "OPTIONS": {**_SQLITE_USUALLY, **given, **_SQLITE}}


def _postgresql(parsed: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    session = " ".join(filter(None, (_SESSION_USUALLY, given.get("options"), _SESSION)))
    return {**parsed, **_CONNECTIONS, "OPTIONS": {**_POSTGRESQL_USUALLY, **given, "options": session}}
