"""Where asynchronous code meets the database: a few threads of our own, each with a connection of its own.

Not ``database_sync_to_async``: outside a request that runs everything in one thread per process, behind
whatever is slow. Here at most settings.DATABASE_THREADS calls run at once, and an idle socket or stream holds
neither a thread nor a connection. The threads keep theirs for a while: opening one for each call would cost
PostgreSQL a process and SQLite, which tidies up when its last connection closes, several writes to disk.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from threading import Barrier
from time import monotonic
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from chat import meters, tracing
from chat.errors import ServerBusy

KEEP_SECONDS = 60.0
TRUST_SECONDS = 1.0  # a connection that has just worked is not asked whether it works

P = ParamSpec("P")
T = TypeVar("T")

_thread = threading.local()
_busy: set[int] = set()  # the threads that are at work


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.DATABASE_THREADS, thread_name_prefix="database")


async def in_database(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of a synchronous function, run in a thread where it may use the database.

    Raises ``ServerBusy`` where the database is away or stays locked. What was begun was rolled back, unless the
    connection broke during the commit: asking again with the same key tells.
    """
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads(), partial(_call, tracing.here(), function, *args, **kwargs))


def pool() -> tuple[int, int]:
    """How many threads are at work, and how many calls wait for one."""
    return len(_busy), _threads()._work_queue.qsize()


def _call(place: tracing.Here, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    tracing.be(place)
    _busy.add(threading.get_ident())
    try:
        connection.close_if_unusable_or_obsolete()
        connection.ensure_connection()
        # settings.CONN_MAX_AGE is 0, for the threads that Django makes for each request; these stay.
        now = monotonic()
        connection.close_at = now + KEEP_SECONDS
        if now < getattr(_thread, "trusted_until", 0.0):
            connection.health_check_done = True
        result = function(*args, **kwargs)
        _thread.trusted_until = monotonic() + TRUST_SECONDS
        return result
    except (OperationalError, InterfaceError) as error:
        _thread.trusted_until = 0.0
        meters.database_failures.add("busy")
        raise ServerBusy() from error
    finally:
        _busy.discard(threading.get_ident())
        connection.close_if_unusable_or_obsolete()


def close() -> None:
    """End the threads and their connections. The next call begins anew."""
    threads = _threads()
    _threads.cache_clear()
    # Each waits for all the others, so that each of them gets one.
    everybody = Barrier(settings.DATABASE_THREADS)
    for _ in range(settings.DATABASE_THREADS):
        threads.submit(_close, everybody)
    threads.shutdown()


def _close(everybody: Barrier) -> None:
    everybody.wait()
    connection.close()
