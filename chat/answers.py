"""What a post is answered with, beside a refusal."""

from dataclasses import dataclass

from chat.errors import ChatError
from chat.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Posted:
    """A message's ``mid``, the ``key`` it came with, and its number in the log.

    ``seq`` is None where the key was used before and the event has since left the log.
    """

    mid: str
    key: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class Held:
    """It waits for a moderator, because of what ``detail`` says."""

    key: str
    detail: Sentence


Answer = Posted | Held | ChatError
