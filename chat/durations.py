"""Lengths of time as people type them: ``90s``, ``15m``, ``2h``, ``3d``, ``2w``, ``forever``."""

import re

from django.utils.translation import gettext_lazy as _

from chat import errors

FOREVER = "forever"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
_DURATION = re.compile(r"([0-9]{1,9})\s*([smhdw])")


def seconds_of(text: str) -> int | None:
    """How many seconds ``text`` means; None for good. Raises ``DurationInvalid``."""
    text = text.strip().lower()
    if text == FOREVER:
        return None
    found = _DURATION.fullmatch(text)
    if found is None or int(found[1]) == 0:
        raise errors.DurationInvalid(
            _("A time is a number and a unit, as in 90s, 15m, 2h, 3d or 2w, or it is forever.")
        )
    return int(found[1]) * _SECONDS[found[2]]
