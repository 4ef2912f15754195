"""How many queries the server processes of a run have made (see ``bench.counted_settings``)."""

import struct
from pathlib import Path
from typing import Any

from bench.errors import Failed


def counted(folder: Path) -> dict[str, Any]:
    """What to run Engawa with so that it counts into ``folder``."""
    return {"settings": "bench.counted_settings", "ENGAWA_BENCH_QUERIES": str(folder)}


def count(folder: Path) -> int:
    files = list(folder.glob("*.queries"))
    if not files:
        raise Failed("Nobody counted the queries.")
    return sum(struct.unpack("<Q", path.read_bytes())[0] for path in files)
