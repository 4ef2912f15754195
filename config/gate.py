"""What all of a server's connections have in common: they know when their reader is behind, and keep little while idle.

Twisted tells a registered producer when a transport's buffer is above its high-water mark and when it has run empty.
Daphne registers none, and so buffers without end (https://github.com/django/daphne/issues/170). Here a connection is
its own producer, and the server waits with its next message until ``drained``.
"""

import asyncio
from collections.abc import Collection
from time import monotonic

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

_NOTHING = object()


def lighten(thing: object, forget: Collection[str] = ()) -> None:
    """Let an object keep only what it does not have from its class, in a table no larger than that takes."""
    cls = type(thing)
    thing.__dict__ = {
        name: value
        for name, value in vars(thing).items()
        if name not in forget and value is not getattr(cls, name, _NOTHING)
    }


@implementer(IPushProducer)
class Gate:
    """A connection that knows since when its reader is behind (``paused_since``, monotonic seconds, or None)."""

    paused_since: float | None = None
    _waiting: asyncio.Future[None] | None = None

    def pauseProducing(self) -> None:
        if self.paused_since is None:
            self.paused_since = monotonic()
            self.server.paused.add(self)

    def resumeProducing(self) -> None:
        if self.paused_since is not None:
            self.paused_since = None
            self.server.paused.discard(self)
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    stopProducing = resumeProducing  # the connection is lost: nobody waits any longer

    def _settle(self, transport: object) -> None:
        """The connection stays: what only its log lines would need, and every one has of its own, goes."""
        transport.logstr = transport.repstr = "connection"
        lighten(transport)

    @staticmethod
    def _bytes_in(transport: object) -> int:
        """What a connection has been given to write and the system has not taken yet."""
        return transport._tempDataLen + len(transport.dataBuffer) - transport.offset

    async def drained(self) -> None:
        """Wait until the reader has caught up, or is gone."""
        while self.paused_since is not None:
            if self._waiting is None:
                self._waiting = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._waiting)
