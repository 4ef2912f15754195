"""Which request or connection, and which room, what is logged belongs to: ids by which lines of a log are told apart.

They are in the context that Python copies to each task and callback. So what serves everybody, and is begun by whoever
happens to come first, begins ``apart``. A connection that parks keeps its id and nothing else.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from itertools import count
from secrets import token_hex
from typing import Any, NamedTuple

REQUEST, CONNECTION = "r", "c"  # of what kind an id is: its first letter, which nobody is shown

_process = token_hex(3)
_numbers = count(1)


class Here(NamedTuple):
    """``ident`` is a kind and an id, such as ``r3f9c02-1a``, or "" for what no request or connection asked for.
    ``room`` is a primary key: a private room's slug is not for whoever may read a log."""

    ident: str = ""
    room: int | None = None

    @property
    def request(self) -> str:
        """A request's id, or ""."""
        return self.ident[1:] if self.ident.startswith(REQUEST) else ""

    @property
    def connection(self) -> str:
        """A WebSocket's id, or ""."""
        return self.ident[1:] if self.ident.startswith(CONNECTION) else ""


NOWHERE = Here()
_here: ContextVar[Here] = ContextVar("here", default=NOWHERE)


def new_ident(kind: str) -> str:
    """One that no other request or connection of any process has."""
    return f"{kind}{_process}-{next(_numbers):x}"


def here() -> Here:
    return _here.get()


def be(place: Here) -> None:
    """From here on, in this task or thread, all that is done is for ``place``."""
    _here.set(place)


def be_at(ident: str) -> None:
    """From here on, in this task, all that is done is for that request or connection."""
    _here.set(Here(ident))


def be_in(room_id: int | None) -> None:
    """From here on, in this task or thread, what is done is done in that room."""
    if (now := _here.get()).room != room_id:
        _here.set(Here(now.ident, room_id))


@contextmanager
def at(place: Here) -> Iterator[None]:
    """While this is open, what is done is for ``place``."""
    token = _here.set(place)
    try:
        yield
    finally:
        _here.reset(token)


def apart(work: Coroutine[Any, Any, Any], room_id: int | None = None) -> asyncio.Task[Any]:
    """A task that is nobody's: in a context of its own, whoever has it begin."""
    context = Context()
    context.run(be_in, room_id)
    return asyncio.get_running_loop().create_task(work, context=context)


def context_in(room_id: int | None) -> Context:
    """As it is here, but in that room, and for nobody in particular."""
    context = copy_context()
    context.run(_here.set, Here(room=room_id))
    return context
