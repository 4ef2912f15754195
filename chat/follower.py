"""One connection that follows a room, whatever it speaks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from math import inf
from typing import Any, Protocol

from chat.errors import ChatError
from chat.events import LoggedEvent
from chat.extensions import SendNow, never
from chat.identity import Grant, Identity
from chat.meters import Transport
from chat.queue import Waiting
from chat.rights import Rights
from chat.tracing import here

RUN_CHARS = 32 * 1024  # servers and clients bound what they take at once, and a slow reader is waited for in between

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]


class Form(Protocol):
    """How a kind of connection wants to be told: makes ASGI messages, each of which many followers are sent.

    Two equal forms make equal messages, so a relay encodes once for all followers of equal form.
    """

    heartbeat_seconds: float
    transport: Transport

    def events(self, events: list[LoggedEvent]) -> list[Message]: ...

    def heartbeat(self, head: int) -> list[Message]: ...

    def reset(self, head: int) -> list[Message]: ...

    def presence(self, people: Count) -> list[Message]: ...

    def typing(self, author: dict[str, str]) -> list[Message]: ...

    def you(self, rights: Rights) -> list[Message]: ...

    def queue(self, waiting: Waiting) -> list[Message]: ...


def runs_of(encoded: list[str]) -> list[list[str]]:
    """``encoded`` in runs of about RUN_CHARS, none of them empty: what is joined into one message."""
    runs: list[list[str]] = []
    chars = RUN_CHARS
    for item in encoded:
        if chars + len(item) > RUN_CHARS:
            runs.append([])
            chars = 0
        runs[-1].append(item)
        chars += len(item)
    return runs


@dataclass(frozen=True, slots=True)
class Count:
    """People who take part (counted once, however many tabs they have in one process) and who only watch, and what
    some of those who take part are called, where the room shows that."""

    participants: int = 0
    viewers: int = 0
    names: tuple[str, ...] | None = None

    def as_dict(self) -> dict[str, object]:
        counts = {"participants": self.participants, "viewers": self.viewers}
        return counts if self.names is None else {**counts, "names": list(self.names)}


@dataclass(eq=False, slots=True)
class Follower:
    """A connection as its room's relay sees it.

    ``send_now`` is the shorter way to ``send`` (``chat.extensions``). ``actor`` is who reads (None: anybody),
    ``network`` the keyed hash of where they come from, ``grant`` what a viewer came with, ``rights`` what an actor may
    do, of which they were not told yet where it ``is_misinformed``. ``close`` ends the connection because of an error;
    it is run as a task.
    ``admitted`` says that the policy let it in; until then it is only waiting to hear. ``position`` is the number of
    the last event handed to ``send``. The relay hands it more directly only where it is ``live``; otherwise ``task`` is
    bringing it there. ``stale`` says that its numbers mean nothing any more: it must be reset before it is told
    anything else. ``rotate_at`` is the moment, on the monotonic clock, at which it has grown old and is asked to come
    back anew. ``ident`` is whose it is in the log (``chat.tracing``).
    """

    form: Form
    send: Send
    close: Callable[[ChatError], Awaitable[None]]
    send_now: SendNow = never
    actor: Identity | None = None
    network: str = ""
    grant: Grant | None = None
    rights: Rights | None = None
    is_misinformed: bool = False
    admitted: bool = False
    position: int = 0
    live: bool = False
    stale: bool = False
    task: asyncio.Task[None] | None = field(default=None, repr=False)
    rotate_at: float = inf
    ident: str = field(default_factory=lambda: here().ident)

    @property
    def moderates(self) -> bool:
        return self.rights is not None and self.rights.moderate
