"""Where asynchronous code meets the database: a few threads of our own, each call with a connection of its own.

Not ``database_sync_to_async``: outside a request that runs everything in one thread per process, behind
whatever is slow. Here at most settings.DATABASE_THREADS calls run at once, and an idle socket or stream holds
neither a thread nor a connection.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections

from chat.errors import ServerBusy

P = ParamSpec("P")
T = TypeVar("T")


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.DATABASE_THREADS, thread_name_prefix="database")


async def in_database(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of a synchronous function, run in a thread where it may use the database.

    Raises ``ServerBusy`` where the database is away or stays locked. What was begun was rolled back, unless the
    connection broke during the commit: asking again with the same key tells.
    """
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads(), partial(_call, function, *args, **kwargs))


def _call(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    close_old_connections()
    try:
        return function(*args, **kwargs)
    except (OperationalError, InterfaceError) as error:
        raise ServerBusy() from error
    finally:
        close_old_connections()
