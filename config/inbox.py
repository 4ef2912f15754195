"""What a connection has sent and its application has not taken yet, or what wakes an application that has parked
(``chat.extensions``)."""

import asyncio
from typing import Any

from chat import tracing
from chat.extensions import Resume

MOST_WAITING_FRAMES = 32
_ENDS = ("websocket.disconnect", "http.disconnect")

Message = dict[str, Any]


class Inbox:
    """The queue that Daphne fills (``put_nowait``) and an application empties (``get``, or by parking).

    Where MOST_WAITING_FRAMES wait, the protocol is told to hold its input, until half of them are taken.
    """

    __slots__ = ("_arrival", "_ident", "_is_answering", "_is_held", "_items", "_protocol", "_resume")

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._items: list[Message] = []
        self._arrival: asyncio.Future[None] | None = None
        self._resume: Resume | None = None
        self._ident = ""
        self._is_answering = False
        self._is_held = False

    def put_nowait(self, item: Message) -> None:
        self._items.append(item)
        if len(self._items) >= MOST_WAITING_FRAMES and not self._is_held:
            self._is_held = self._protocol.hold_input()
        if self._arrival is not None:
            if not self._arrival.done():
                self._arrival.set_result(None)
        elif self._resume is not None and not self._is_answering:
            self._begin_to_answer()

    async def get(self) -> Message:
        while not self._items:
            if self._arrival is None:
                self._arrival = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._arrival)
            self._arrival = None
        return self._take()

    def park(self, resume: Resume) -> None:
        self._resume, self._arrival, self._ident = resume, None, tracing.here().ident
        if self._items:
            self._begin_to_answer()

    def _take(self) -> Message:
        item = self._items[0]
        del self._items[0]
        if self._is_held and len(self._items) <= MOST_WAITING_FRAMES // 2:
            self._is_held = False
            self._protocol.take_input()
        return item

    def _begin_to_answer(self) -> None:
        self._is_answering = True
        self._protocol.server.run_for(self._protocol, self._answer())

    async def _answer(self) -> None:
        tracing.be_at(self._ident)
        message: Message = {}
        try:
            while self._items:
                message = self._take()
                await self._resume(message)
        finally:
            self._is_answering = False
            if self._items:  # that one failed, or was cancelled; the others are not lost, least of all the last
                self._begin_to_answer()
            elif message.get("type") in _ENDS:  # nothing refers in a circle any more: all goes now
                self._protocol = self._resume = None
