"""What an examination finds, in words."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

logger = logging.getLogger(__name__)

Level = Literal["ok", "look", "wrong"]


@dataclass(frozen=True)
class Finding:
    """``says`` how it is; where that is not as it should be, ``mend`` says what to do.

    ``wrong`` breaks something or lets somebody in, ``look`` may be meant.
    """

    what: str
    level: Level
    says: str
    mend: str = ""


Examination = Callable[..., Iterable[Finding]]


class Broken(Exception):
    """What the rest of the examinations needs is not there: they are not begun."""


def ok(what: str, says: str) -> Finding:
    return Finding(what, "ok", says)


def look(what: str, says: str, mend: str) -> Finding:
    return Finding(what, "look", says, mend)


def wrong(what: str, says: str, mend: str) -> Finding:
    return Finding(what, "wrong", says, mend)


def examine(examinations: Iterable[Examination], *arguments: object) -> Iterator[Finding]:
    """What each finds, in their order. One that stumbles is a finding, too, and does not stop the others."""
    for examination in examinations:
        name = examination.__name__.replace("_", " ")
        try:
            yield from examination(*arguments)
        except Broken:
            return
        except Exception as error:  # a doctor who faints tells nothing
            logger.debug("the examination of %s stumbled", name, exc_info=True)
            yield wrong(
                name,
                f"could not be examined: {type(error).__name__}: {error}",
                "If that tells you nothing, run it with LOG_LEVEL=debug and report it.",
            )
