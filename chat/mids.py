"""Message identifiers: ULIDs, which sort as they were made.

A room's messages are ordered by ``mid``, so a new one must be greater than every one before it, whatever the
clocks of several processes say. The room remembers its last; the room's lock makes that safe.
"""

import re

from ulid import ULID

_MID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


def next_mid(last: str) -> str:
    """A new identifier, greater than ``last`` ("" for a room's first)."""
    made = ULID()
    if last and str(made) <= last:
        made = ULID.from_int(int(ULID.from_str(last)) + 1)
    return str(made)


def is_mid(value: object) -> bool:
    return isinstance(value, str) and _MID.fullmatch(value) is not None
