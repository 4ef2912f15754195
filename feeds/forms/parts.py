"""What followers of equal form share where each connection still has a say of its own: an id before it, a page's end.

A form makes ``parts`` once for all; a ``Writer`` (``feeds.forms.writers``) for each connection puts them together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.utils import translation

from chat.follower import RUN_CHARS, Count, Message
from chat.queue import Waiting
from chat.rights import Rights

PARTS = "engawa.parts"

P = ParamSpec("P")
T = TypeVar("T")


def in_its_language(method: Callable[P, T]) -> Callable[P, T]:
    """Has a method of something with a ``language`` say its words in that: it may be called in anybody's task."""

    @wraps(method)
    def spoken(self: Any, *arguments: Any, **named: Any) -> Any:
        with translation.override(self.language):
            return method(self, *arguments, **named)

    return spoken


@dataclass(frozen=True, slots=True)
class Part:
    """What is written for one event: ``seq`` its number, where it is one of the log's; its ``type``, ``mid`` and
    ``day`` (as in 2026-11-21) where a writer asks for these."""

    content: bytes
    seq: int | None = None
    type: str = ""
    mid: str = ""
    day: str = ""


def together(parts: list[Part]) -> list[Message]:
    """Messages of at most about RUN_CHARS with ``parts`` in them: a slow reader is waited for in between."""
    messages: list[Message] = []
    size = 0
    for part in parts:
        if not messages or size + len(part.content) > RUN_CHARS:
            messages.append({"type": PARTS, "parts": []})
            size = 0
        messages[-1]["parts"].append(part)
        size += len(part.content)
    return messages


class Watching:
    """A form for those who only watch: most of what is not in the log is not for them."""

    @property
    def heartbeat_seconds(self) -> float:
        return settings.STREAM_COMMENT_SECONDS

    def presence(self, people: Count) -> list[Message]:
        return []

    def typing(self, author: dict[str, str]) -> list[Message]:
        return []

    def you(self, rights: Rights) -> list[Message]:
        return []

    def queue(self, waiting: Waiting) -> list[Message]:
        return []
