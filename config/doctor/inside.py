"""A deployment seen from inside: its settings, its database, its Redis, its disk, and what should happen by itself."""

import asyncio
import resource
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.core import checks
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from chat import log, reindexing
from chat.subscription import round_trip
from config.doctor.findings import Broken, Examination, Finding, look, ok, wrong
from config.doctor.regular import the_backups, the_scheduler

PATIENCE_SECONDS = 5.0
SLOW_SECONDS = 0.05  # more than a service in the same house takes
CLOCKS_APART_SECONDS = 1.0
LEAST_FREE_BYTES = 1024**3
LEAST_FILES = 4096
LEAST_QUEUE = 1024
ROOMS_NAMED = 5
_REMOTE_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs", "fuse.glusterfs"}


def the_settings() -> Iterator[Finding]:
    public = urlsplit(settings.PUBLIC_URL)
    is_local = public.hostname in ("localhost", "127.0.0.1", "::1")
    if settings.DEBUG and not is_local:
        yield wrong("settings", "DEBUG is on: errors show strangers the code.", "Set DEBUG=false.")
    if public.scheme != "https" and not is_local:
        yield wrong(
            "settings",
            f"PUBLIC_URL is {settings.PUBLIC_URL}: what people say and sign in with crosses the net in the clear.",
            "Put a proxy with TLS in front, such as the Caddy of compose.yaml, and set PUBLIC_URL=https://….",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield wrong(
            "settings",
            "ALLOWED_HOSTS has *: links in e-mail can be made to lead elsewhere.",
            "Name your hosts, or leave ALLOWED_HOSTS out.",
        )
    if settings.WEBHOOK_PRIVATE_ADDRESSES and not is_local:
        yield look(
            "settings",
            "WEBHOOK_PRIVATE_ADDRESSES is on: who owns a room can have this server call whatever it reaches.",
            "Turn it off, unless only people whom you trust own rooms.",
        )
    if settings.EMAIL_BACKEND.endswith(("console.EmailBackend", "mails.Unsent")):
        yield look("e-mail", "EMAIL_URL is not set: who forgets a password gets no letter.", "Set EMAIL_URL.")
    deployment = [each for each in checks.run_checks(include_deployment_checks=True) if not each.is_silenced()]
    for message in deployment if public.scheme == "https" else [each for each in deployment if each.is_serious()]:
        says = f"{message.msg} ({message.id})"
        mend = message.hint or "Django's documentation of that check says more."
        yield wrong("settings", says, mend) if message.is_serious() else look("settings", says, mend)
    yield ok("settings", f"Read, for {settings.PUBLIC_URL}.")


def the_secret() -> Iterator[Finding]:
    for path in (settings.VAR_DIR / "secret_key", settings.BASE_DIR / ".env"):
        with suppress(OSError):
            if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH) and not _is_shared_on_purpose(path):
                yield look("secret", f"{path} can be read by others on this machine.", f"chmod 600 {path}")
    yield ok("secret", f"SECRET_KEY has {len(settings.SECRET_KEY)} characters.")


def _is_shared_on_purpose(path: Path) -> bool:
    """A ``.env`` without a secret in it."""
    return path.name == ".env" and not any(
        name in path.read_text(errors="replace") for name in ("SECRET", "KEY", "PASSWORD", "://")
    )


def the_database() -> Iterator[Finding]:
    began = monotonic()
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        yield wrong(
            "database",
            f"It does not answer: {str(error).strip()}",
            "See that it runs, that DATABASE_URL names it, and that its user may connect.",
        )
        raise Broken from error
    seconds = monotonic() - began
    version = ".".join(map(str, connection.get_database_version()))
    yield ok("database", f"{connection.display_name} {version} answers in {seconds * 1000:.0f} ms.")
    yield from _postgres() if connection.vendor == "postgresql" else _sqlite()


def _postgres() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        apart = abs((cursor.fetchone()[0] - timezone.now()).total_seconds())
        if apart > CLOCKS_APART_SECONDS:
            yield wrong(
                "clock",
                f"This machine's clock and the database's are {apart:.1f} s apart.",
                "Have both set theirs by NTP: messages are dated and ordered by them.",
            )

        def shown(name: str) -> str:
            cursor.execute(f"SHOW {name}")
            return cursor.fetchone()[0]

        for name in ("fsync", "full_page_writes"):
            if shown(name) != "on":
                yield wrong(
                    "database",
                    f"{name} is {shown(name)}: after a power cut acknowledged messages may be gone, or all of them.",
                    f"Set {name} = on in postgresql.conf.",
                )
        if shown("server_encoding") != "UTF8":
            yield wrong("database", f"Its encoding is {shown('server_encoding')}.", "Make it anew with UTF8.")
        most = int(shown("max_connections"))
        each = settings.DATABASE_THREADS + 4  # and what requests of pages take for a moment
        if most < 2 * each:
            yield look(
                "database",
                f"It takes {most} connections, of which a process may use {each}.",
                "Raise max_connections, or lower DATABASE_THREADS.",
            )


def _sqlite() -> Iterator[Finding]:
    path = Path(settings.DATABASES["default"]["NAME"]).resolve()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        mode = cursor.fetchone()[0]
        cursor.execute("PRAGMA quick_check(1)")
        state = cursor.fetchone()[0]
    if mode != "wal":
        yield wrong("database", f"Its journal is {mode} instead of wal.", "Put it on a disk of this machine.")
    if state != "ok":
        yield wrong("database", f"The file is damaged: {state}", "Restore a backup: manage.py restore FILE.")
    kind = _file_system(path)
    if kind in _REMOTE_FILE_SYSTEMS:
        yield wrong(
            "database",
            f"{path} lies on {kind}, over which SQLite's locks do not hold.",
            "Put it on a disk of this machine, or use PostgreSQL.",
        )
    yield from _free(path.parent)


def _file_system(path: Path) -> str:
    """What kind of file system that is on, as Linux names it."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return "unknown"
    over = [(point, kind) for point, kind in mounts if path.is_relative_to(point)]
    return max(over, key=lambda each: len(each[0]), default=("", "unknown"))[1]


def _free(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        yield look(
            "disk",
            f"{folder} has {free // 1024**2} MiB left.",
            "Make room: on a full disk nothing more is said. Retention of rooms and manage.py prune help.",
        )
    else:
        yield ok("disk", f"{folder} has {free / 1024**3:.1f} GiB left.")


def the_migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    unknown = [
        f"{app}.{name}"
        for app, name in executor.loader.applied_migrations
        if app in executor.loader.migrated_apps and (app, name) not in executor.loader.disk_migrations
    ]
    if missing:
        first = missing[0][0]
        says = f"{len(missing)} are not applied, of which {first.app_label}.{first.name} is the first."
        yield wrong("migrations", says, "Run manage.py upgrade.")
        raise Broken
    if unknown:
        yield look(
            "migrations",
            f"The database is newer than this code: {', '.join(sorted(unknown))}.",
            "That is so after a rollback, and meant to work with the release before. Otherwise update the code.",
        )
    yield ok("migrations", "All are applied.")


def the_logs() -> Iterator[Finding]:
    """Events beyond a head are what a restore without its last step leaves."""
    torn = log.torn(ROOMS_NAMED)
    if torn:
        yield wrong(
            "logs",
            f"There are events beyond the head of {', '.join(torn)}: numbers would be given out twice.",
            "Stop every process, run manage.py restart_logs, start again.",
        )
    else:
        yield ok("logs", "No room has events beyond its head.")


def the_search() -> Iterator[Finding]:
    if reindexing.is_complete():
        yield ok("search", "All that was said can be found.")
    else:
        yield look("search", "Not all that was said is in the index.", "Run manage.py reindex.")


def the_layer() -> Iterator[Finding]:
    if not settings.REDIS_URLS:
        several = settings.WORKERS > 1
        says = "REDIS_URL is not set: processes hear of each other by the database, within a second."
        mend = "That is right for one process. Set REDIS_URL for more."
        yield wrong("redis", says, mend) if several else ok("redis", says)
        return
    for url in settings.REDIS_URLS:
        where = f"{urlsplit(url).hostname or urlsplit(url).path}"
        with redis.Redis.from_url(
            url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
        ) as client:
            try:
                client.ping()
                began = monotonic()
                client.ping()
            except redis.RedisError as error:
                yield wrong(
                    "redis",
                    f"{where} does not answer: {error}",
                    "Nothing said is lost meanwhile, but told up to a second later. See that Redis runs.",
                )
                return
            seconds = monotonic() - began
            if seconds > SLOW_SECONDS:
                yield look("redis", f"{where} takes {seconds * 1000:.0f} ms.", "Have it near: the same network.")
            yield from _memory_of(client, where)
    try:
        seconds = asyncio.run(round_trip(PATIENCE_SECONDS))
    except (TimeoutError, OSError, redis.RedisError) as error:
        yield wrong(
            "redis",
            f"What is sent through the channel layer does not arrive ({type(error).__name__}).",
            "See that Redis' user may PUBLISH and SUBSCRIBE, and that nothing between cuts idle connections.",
        )
    else:
        yield ok("redis", f"A message goes through the channel layer in {seconds * 1000:.0f} ms.")


def _memory_of(client: redis.Redis, where: str) -> Iterator[Finding]:
    with suppress(redis.RedisError):  # a service that is rented may not tell
        info = client.info()
        if info.get("maxmemory") and str(info.get("maxmemory_policy", "")).startswith("allkeys"):
            yield look(
                "redis",
                f"{where} forgets what it likes when it is full ({info['maxmemory_policy']}).",
                "Limits and presence are kept there: set maxmemory-policy to volatile-ttl.",
            )


def the_machine() -> Iterator[Finding]:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < LEAST_FILES:
        yield look(
            "machine",
            f"A process may have {soft} files open: that is how many people can be connected to it.",
            "Raise it: LimitNOFILE= in systemd, ulimits in compose.yaml, ulimit -n in a shell.",
        )
    with suppress(OSError, ValueError):
        queue = int(Path("/proc/sys/net/core/somaxconn").read_text())
        if queue < LEAST_QUEUE:
            yield look(
                "machine",
                f"Of those who connect at the same moment, {queue} can wait.",
                "sysctl -w net.core.somaxconn=4096",
            )
    yield ok("machine", f"A process may have {soft} connections and files.")


FROM_INSIDE: tuple[Examination, ...] = (
    the_settings,
    the_secret,
    the_machine,
    the_layer,
    the_database,
    the_migrations,
    the_logs,
    the_search,
    the_scheduler,
    the_backups,
)
