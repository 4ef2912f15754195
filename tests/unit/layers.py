"""A channel layer that keeps none of the promises one might wish for."""

import asyncio
import random

from channels.layers import InMemoryChannelLayer


class HostileLayer(InMemoryChannelLayer):
    """Drops, repeats, delays and reorders what is sent to groups. Seeded, so that a failure can be repeated."""

    random = random.Random(0)
    late: set[asyncio.Task] = set()  # so that none is forgotten half-way, and reported in somebody else's test

    async def group_send(self, group: str, message: dict) -> None:
        fate = self.random.random()
        if fate < 0.3:
            return
        for _ in range(self.random.choice([1, 1, 2, 3])):
            if fate < 0.6:
                asyncio.get_running_loop().call_later(self.random.random() * 0.2, self._late, group, message)
            else:
                await super().group_send(group, message)

    def _late(self, group: str, message: dict) -> None:
        task = asyncio.ensure_future(super().group_send(group, message))
        self.late.add(task)
        task.add_done_callback(self.late.discard)


class DeadLayer(InMemoryChannelLayer):
    """A layer that is away: every call fails, at once or after a while."""

    async def new_channel(self, prefix: str = "specific.") -> str:
        raise ConnectionError("away")

    async def group_send(self, group: str, message: dict) -> None:
        await asyncio.sleep(3600)
