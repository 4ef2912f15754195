"""Engawa's settings, and beside them a count of what is asked of the database.

The count is in a file in the folder ``ENGAWA_BENCH_QUERIES``: eight bytes, shared memory of this process. What begins
and ends transactions is not in it.
"""

import mmap
import os
import struct
import threading
from pathlib import Path

from django.db.backends.signals import connection_created

from config.settings import *  # noqa: F403

_path = Path(os.environ["ENGAWA_BENCH_QUERIES"]) / f"{os.getpid()}.queries"
_path.write_bytes(bytes(8))
with _path.open("r+b") as _file:
    _shared = mmap.mmap(_file.fileno(), 8)
_lock = threading.Lock()
_count = 0


def _counted(execute, sql, params, many, context):
    global _count
    with _lock:
        _count += 1
        struct.pack_into("<Q", _shared, 0, _count)
    return execute(sql, params, many, context)


def _install(connection, **kwargs):
    if _counted not in connection.execute_wrappers:
        connection.execute_wrappers.append(_counted)


connection_created.connect(_install, weak=False)
