"""Whether the channel layer still carries: a message to ourselves every second, through the site's group.

Redis restarts, partitions and lost subscriptions leave the pub/sub layer silent without an error. Silence for
SILENCE_SECONDS has every subscription begun anew. What was missed meanwhile is in the log, and is found there.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic

from channels.layers import InMemoryChannelLayer, get_channel_layer

from chat import broadcast, meters
from chat.groups import SITE_GROUP
from chat.presence import PROCESS

SONG_TYPE = "site.canary"
SING_SECONDS = 1.0
SILENCE_SECONDS = 4.0

logger = logging.getLogger(__name__)


class Canary:
    """Calls ``heal`` when nothing that was sung is heard. ``hear`` takes what the site's group brings, which calls
    ``sing_once`` when it begins to."""

    def __init__(self, heal: Callable[[], Awaitable[None]]) -> None:
        self._heal = heal
        self._heard_at = monotonic()
        self._heard = asyncio.Event()
        self._is_singing = False

    @property
    def silence(self) -> float | None:
        """For how many seconds nothing was heard; None where nothing is sung."""
        return monotonic() - self._heard_at if self._is_singing else None

    def hear(self, message: dict) -> bool:
        """Whether ``message`` is a song: ours counts, those of other processes do not."""
        if message.get("type") != SONG_TYPE:
            return False
        if message.get("process") == PROCESS:
            self._heard_at = monotonic()
            self._heard.set()
            if "sung_at" in message:
                meters.layer_seconds.observe(self._heard_at - message["sung_at"])
        return True

    def sing_once(self) -> None:
        broadcast.whisper(SITE_GROUP, {"type": SONG_TYPE, "process": PROCESS, "sung_at": monotonic()})

    async def carries(self, seconds: float) -> bool:
        """Whether a song is heard within so long. One is sung for it, on any layer."""
        self._heard.clear()
        self.sing_once()
        try:
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        except TimeoutError:
            return False
        return True

    async def sing(self) -> None:
        """Sing for ever; returns at once on the in-memory layer, which has nothing between us and ourselves."""
        if isinstance(get_channel_layer(), InMemoryChannelLayer):
            return
        self._is_singing = True
        while True:
            await asyncio.sleep(SING_SECONDS)
            self.sing_once()
            if monotonic() - self._heard_at > SILENCE_SECONDS:
                meters.layer_failures.add("silence")
                logger.warning("the channel layer has fallen silent: subscribing anew")
                self._heard_at = monotonic()
                await self._heal()
