"""Message identifiers: ULIDs, which sort as they were made.

A room's messages are ordered by ``mid``, so a new one must be greater than every one before it, whatever the
clocks of several processes say. The room remembers its last; the room's lock makes that safe.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from secrets import randbits
from time import time

from ulid import ULID

_MID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


def mids_after(last: str) -> Iterator[str]:
    """New identifiers, each greater than the one before it, and the first than ``last`` ("" for a room's first)."""
    # By chance, and not the next after the last one made here, as ULID() has it within a millisecond: that may be
    # another room's second.
    number = int(time() * 1000) << 80 | randbits(80)
    if last:
        number = max(number, int(ULID.from_str(last)) + 1)
    while True:
        yield str(ULID.from_int(number))
        number += 1


def first_mid_at(moment: datetime) -> str:
    """What sorts before every identifier made at ``moment`` or later, and after all made before its millisecond."""
    return str(ULID.from_int(int(moment.timestamp() * 1000) << 80))


def moment_of(mid: str) -> datetime:
    """When it was made, to the millisecond."""
    return ULID.from_str(mid).datetime


def mid_as_written(value: str) -> str:
    """``value`` as we write it, if somebody wrote a mid in small letters."""
    upper = value.upper()
    return upper if value.isascii() and is_mid(upper) else value


def is_mid(value: object) -> bool:
    return isinstance(value, str) and _MID.fullmatch(value) is not None
