"""Lengths of time as people type them: ``90s``, ``15m``, ``2h``, ``3d``, ``2w``, ``forever``."""

import re

from django.utils.translation import gettext_lazy as _

from chat import errors
from chat.sentences import Sentence, counted

FOREVER = "forever"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
_DURATION = re.compile(r"([0-9]{1,9})\s*([smhdw])")


def in_words(seconds: int) -> Sentence:
    """A length of time as people say it, in the largest unit that it is a whole number of."""
    if seconds % (24 * 3600) == 0:
        return counted("%(count)s day", "%(count)s days", seconds // (24 * 3600))
    if seconds % 3600 == 0:
        return counted("%(count)s hour", "%(count)s hours", seconds // 3600)
    if seconds % 60 == 0:
        return counted("%(count)s minute", "%(count)s minutes", seconds // 60)
    return counted("%(count)s second", "%(count)s seconds", seconds)


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
