"""This process's place in a group of the channel layer: one channel, read by one task, for as long as it is needed.

That task alone awaits ``receive``, and nothing times it out: a cancelled ``receive`` on the pub/sub layer gives up
its channel, and the next message with it. When the layer fails, the task begins anew with a fresh channel.
"""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic
from typing import Any

from channels.layers import get_channel_layer

from chat import meters, tracing

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
LEAVE_SECONDS = 2.0


class Subscription:
    """Calls ``take(message)`` for what is sent to ``group``, and ``attached()`` whenever it begins to hear.

    What was sent before that moment, or while the layer was away, is not heard: whoever needs it looks for it.
    """

    def __init__(self, group: str, take: Callable[[dict[str, Any]], None], attached: Callable[[], None]) -> None:
        self.group = group
        self._take = take
        self._attached = attached
        self._stopped = False
        self._room_id = tracing.here().room
        self._task = tracing.apart(self._receive(), self._room_id)

    async def pause(self) -> None:
        """Leave the group. A layer that does not answer is waited for LEAVE_SECONDS."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def resume(self) -> None:
        """Begin anew with the layer, unless it was stopped meanwhile."""
        if not self._stopped:
            self._task = tracing.apart(self._receive(), self._room_id)

    async def stop(self) -> None:
        self._stopped = True
        await self.pause()

    async def _receive(self) -> None:
        while True:
            layer = get_channel_layer()
            channel = None
            try:
                channel = await layer.new_channel()
                await layer.group_add(self.group, channel)
                self._attached()
                while True:
                    self._take(await layer.receive(channel))
            except asyncio.CancelledError:
                await self._leave(layer, channel)
                raise
            except Exception as error:
                meters.layer_failures.add("receive")
                logger.warning("%s: nothing is heard from the channel layer (%s)", self.group, type(error).__name__)
                await self._leave(layer, channel)
                await asyncio.sleep(RETRY_SECONDS)

    async def _leave(self, layer: Any, channel: str | None) -> None:
        if channel is None:
            return
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await layer.group_discard(self.group, channel)
        except Exception as error:
            logger.debug("a channel stays in %s until it expires: %r", self.group, error)


async def round_trip(most_seconds: float) -> float:
    """Seconds that a message to ourselves takes through the layer. Raises ``TimeoutError``, and what the layer does."""
    layer = get_channel_layer()
    async with asyncio.timeout(most_seconds):
        channel = await layer.new_channel("echo!")
        began = monotonic()
        await layer.send(channel, {"type": "echo"})
        await layer.receive(channel)
        return monotonic() - began
