"""PostgreSQL: ``pg_dump`` copies out what one snapshot has; ``pg_restore`` puts it into a schema beside the one that is
used, and one transaction has the two change places.

The password goes to those programs in their environment, never on a command line.
"""

import os
import re
import select
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import BinaryIO

from django.db import Error, connection, transaction
from psycopg import pq
from psycopg.conninfo import make_conninfo

from chat import upgrading
from chat.dumps import Content, content_by
from chat.schedule import Beat, CannotBeDone

MEMBER = "database.dump"
COMPRESSED = True
CHUNK_BYTES = 1024 * 1024
LOCK_SECONDS = 60  # to wait for a migration that holds a table
LOOK_SECONDS = 3.0  # for who else is there: whoever follows a room asks each second
RESTORED, ASIDE = "engawa_restored", "engawa_aside"
OURS = re.compile(r"(chat|auth|django|feeds)_")
_UNFIT = {"options", "password", "client_encoding"}  # for other programs, or for a command line


def version() -> str:
    connection.ensure_connection()
    return ".".join(map(str, divmod(connection.pg_version, 10_000)))


def folder() -> Path:
    """Where there is room for what is only needed for a moment."""
    return Path(tempfile.gettempdir())


def copy_out(write: Callable[[bytes], object], scratch: Path, beat: Beat) -> Content:
    with closing(connection.copy()) as reader, reader.cursor() as cursor:
        reader.set_autocommit(False)
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_export_snapshot(), current_schema()")
        snapshot, schema = cursor.fetchone()

        def ask(query: str) -> list[tuple]:
            beat()
            cursor.execute(query)
            return cursor.fetchall()

        content = content_by(ask, schema)
        command = [
            *(_program("pg_dump"), "--format=custom", "--no-owner", "--no-privileges", "--no-password"),
            *(f"--snapshot={snapshot}", f"--schema={_pattern(schema)}", f"--lock-wait-timeout={LOCK_SECONDS}s"),
            f"--dbname={_address()}",
        ]
        with (scratch / "pg_dump.said").open("w+") as said:
            program = subprocess.Popen(  # noqa: S603 – its arguments are ours
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, env=_environment()
            )
            try:
                while chunk := _read(program.stdout.fileno(), beat):
                    write(chunk)
                _ended_well(program, "pg_dump", said)
            finally:
                _end(program)
    return content


def _read(descriptor: int, beat: Beat) -> bytes:
    while True:
        beat()
        if select.select([descriptor], [], [], 0.5)[0]:
            return os.read(descriptor, CHUNK_BYTES)


def others() -> int:
    """How many connections others have to the database, of whom an idle server may have none."""
    found, until = 0, monotonic() + LOOK_SECONDS
    while not found and monotonic() < until:
        found = _connected()
        sleep(0.2)
    connection.close()
    return found


def _connected() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND application_name <> %s",
            [upgrading.LOCK_NAME],
        )
        return cursor.fetchone()[0]


@contextmanager
def beside(stream: BinaryIO, scratch: Path, schema: str) -> Iterator[Callable[[], None]]:
    used = _used_schema()
    _restore_beside(stream, scratch, schema)
    options = connection.settings_dict["OPTIONS"]
    before = options.get("options", "")
    connection.close()
    options["options"] = f"{before} -c search_path={RESTORED}".strip()
    try:
        yield lambda: _change_places(used)
    finally:
        connection.close()
        options["options"] = before
        with suppress(Error), connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA IF EXISTS {RESTORED} CASCADE")
        connection.close()


def _used_schema() -> str:
    """The one that is ours to replace."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        (schema,) = cursor.fetchone()
        if schema is None:
            raise CannotBeDone("the database has no schema to restore into; make one: CREATE SCHEMA public")
        foreign = [name for name in connection.introspection.table_names(cursor) if not OURS.match(name)]
    connection.close()
    if foreign:
        raise CannotBeDone(
            f"the database's schema {schema} also has tables that are not Engawa's ({', '.join(foreign[:3])}), which a "
            "restore would delete; restore into a database of its own"
        )
    return schema


def _restore_beside(stream: BinaryIO, scratch: Path, schema: str) -> None:
    """A dump names its schema. So for one transaction, which nobody sees, the one that has that name has another."""
    name = connection.ops.quote_name(schema)
    away = f"""
        DO $$ BEGIN
            IF to_regnamespace('{name.replace("'", "''")}') IS NOT NULL THEN
                ALTER SCHEMA {name} RENAME TO {ASIDE};
            END IF;
        END $$"""
    back = away.replace(name, "\0").replace(ASIDE, name).replace("\0", ASIDE)
    before = f"DROP SCHEMA IF EXISTS {RESTORED} CASCADE; {away}; CREATE SCHEMA {name}"
    after = f"ALTER SCHEMA {name} RENAME TO {RESTORED}; {back}"
    reading = [_program("pg_restore"), "--no-owner", "--no-privileges", f"--schema={schema}", "--file=-"]
    writing = [
        *(_program("psql"), "--no-psqlrc", "--quiet", "--no-password", "--single-transaction", "--output=/dev/null"),
        *("--set=ON_ERROR_STOP=1", f"--dbname={_address()}", "-c", before, "-f", "-", "-c", after),
    ]
    with (scratch / "pg_restore.said").open("w+") as read_said, (scratch / "psql.said").open("w+") as write_said:
        reader = subprocess.Popen(  # noqa: S603 – its arguments are ours
            reading, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=read_said
        )
        writer = subprocess.Popen(  # noqa: S603 – its arguments are ours
            writing, stdin=reader.stdout, stdout=subprocess.DEVNULL, stderr=write_said, env=_environment()
        )
        reader.stdout.close()
        try:
            with suppress(BrokenPipeError), reader.stdin:
                shutil.copyfileobj(stream, reader.stdin, CHUNK_BYTES)
            _ended_well(writer, "psql", write_said)
            _ended_well(reader, "pg_restore", read_said)
        finally:
            _end(reader)
            _end(writer)


def _change_places(used: str) -> None:
    name = connection.ops.quote_name(used)
    if _connected():  # what they were acknowledged would be gone
        raise CannotBeDone(
            "the database is as it was: somebody has come to use it meanwhile; stop them, and begin again"
        )
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA {name} CASCADE")
            cursor.execute(f"ALTER SCHEMA {RESTORED} RENAME TO {name}")
    except Error as error:
        raise CannotBeDone(f"the database is as it was: {str(error).splitlines()[0]}") from error
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # what was put back has no statistics yet, and the first searches need them


def _pattern(schema: str) -> str:
    """As pg_dump takes a name literally."""
    return '"' + schema.replace('"', '""') + '"'


def _address() -> str:
    known = {default.keyword.decode() for default in pq.Conninfo.get_defaults()} - _UNFIT
    given = connection.get_connection_params()
    return make_conninfo(**{name: value for name, value in given.items() if name in known and value is not None})


def _environment() -> dict[str, str]:
    password = connection.settings_dict.get("PASSWORD")
    return {**os.environ, **({"PGPASSWORD": password} if password else {}), "LC_MESSAGES": "C"}


def _program(name: str) -> str:
    """Where it is: on PATH, else the newest where Debian puts them."""
    found = shutil.which(name)
    if found is None:
        folders = Path("/usr/lib/postgresql").glob("*/bin")
        newest = sorted((each for each in folders if (each / name).exists()), key=lambda each: float(each.parent.name))
        found = str(newest[-1] / name) if newest else None
    if found is None:
        raise CannotBeDone(f"{name} is not there: install PostgreSQL's client programs (Debian: postgresql-client)")
    return found


def _ended_well(program: subprocess.Popen, name: str, said: BinaryIO) -> None:
    if program.wait():
        said.seek(0)
        lines = [line.strip() for line in said.read().splitlines() if line.strip()]
        telling = [line for line in lines if "error" in line.lower()] or lines
        raise CannotBeDone(f"{name} gave up: {telling[0] if telling else f'it ended with {program.returncode}'}")


def _end(program: subprocess.Popen) -> None:
    if program.poll() is None:
        program.terminate()
    program.wait()
    for pipe in (program.stdin, program.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
