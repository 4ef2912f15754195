"""What people are told, in a language that is known only where it is told: often another thread or task than the one
that makes it, and for what is told to several, more than one. ``str`` makes words of it there.
"""

from collections.abc import Mapping

from django.utils.functional import Promise, lazy
from django.utils.translation import ngettext

Sentence = str | Promise


def _filled(sentence: Sentence, values: Mapping[str, object]) -> str:
    return str(sentence) % values


def _counted(one: str, many: str, count: int, values: Mapping[str, object]) -> str:
    return ngettext(one, many, count) % {"count": count, **values}


# Made once: a class for each is more work than most of what is refused.
_filled_later = lazy(_filled, str)
_counted_later = lazy(_counted, str)


def filled(sentence: Sentence, **values: object) -> Sentence:
    """``sentence`` with ``values`` where it names them, as ``%(name)s``."""
    return _filled_later(sentence, values)


def counted(one: str, many: str, count: int, **values: object) -> Sentence:
    """``one`` or ``many`` as the number wants it, which both name ``%(count)s``. ``bin/messages`` finds both here."""
    return _counted_later(one, many, count, values)
