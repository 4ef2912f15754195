"""Calls the webhooks of rooms: one task in each process that serves, woken by commits and every few seconds.

Nobody waits for it. Several webhooks are called at once, each by one process at a time (``chat.webhooks``), and one
that is slow holds up only itself.
"""

import asyncio
import logging
from contextlib import suppress
from time import time

from chat import broadcast, meters, outbound, tracing, webhooks
from chat.database import in_database
from chat.errors import ServerBusy
from chat.events import LoggedEvent
from chat.webhooks import Claim

POLL_SECONDS = 5.0  # what others committed, or did not finish, is found so soon
IDLE_SECONDS = 30.0  # the same where no room has a webhook
GATHER_SECONDS = 0.2  # what is said within it goes into one request
MOST_AT_ONCE = 20
LEAVE_SECONDS = 1.0

logger = logging.getLogger(__name__)


class Courier:
    """Calls webhooks from one event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._rooms: frozenset[int] = frozenset()
        self._has_news: set[int] = set()
        self._look_at_all = True
        self._is_leaving = False
        self._looked_at = 0.0  # by the loop's clock
        self._calls: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        broadcast.add_sink(self.hear)
        webhooks.on_change(self.look)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End what is being told just now, break off what takes long, and let others have the rest."""
        broadcast.remove_sink(self.hear)
        webhooks.no_longer_on_change(self.look)
        self._is_leaving = True
        if self._calls:
            await asyncio.wait(self._calls, timeout=LEAVE_SECONDS)
        tasks = [task for task in (self._task, *self._calls) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def hear(self, room_id: int, slug: str, events: list[LoggedEvent]) -> None:
        """A sink of the broadcast: called in any thread, for each commit."""
        if room_id in self._rooms and room_id not in self._has_news:
            self._loop.call_soon_threadsafe(self._hear, room_id)

    def _hear(self, room_id: int) -> None:
        self._has_news.add(room_id)
        self._woken.set()

    def look(self) -> None:
        """Have all webhooks looked at now, from any thread."""
        self._look_at_all = True
        self._loop.call_soon_threadsafe(self._woken.set)

    async def _run(self) -> None:
        while True:
            try:
                await self.round()
            except ServerBusy:
                pass  # the next round is soon enough
            except Exception:
                logger.exception("looking for webhooks failed")
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._looked_at + (POLL_SECONDS if self._rooms else IDLE_SECONDS)):
                    await self._woken.wait()
                    await asyncio.sleep(GATHER_SECONDS)
            self._woken.clear()

    async def round(self) -> int:
        """Begin to call what is due. Returns how many webhooks that are."""
        if self._is_leaving:
            return 0
        now = self._loop.time()
        at_all = self._look_at_all or now >= self._looked_at + POLL_SECONDS
        self._look_at_all = False
        rooms, self._has_news = self._has_news, set()
        if at_all:
            self._looked_at = now
            self._rooms = await in_database(webhooks.rooms_with_webhooks)
            if not self._rooms:
                return 0
        elif not rooms:
            return 0
        claims = await in_database(webhooks.claim_due, None if at_all else rooms, MOST_AT_ONCE - len(self._calls))
        for claim in claims:
            task = tracing.apart(self._call(claim), claim.room_id)
            self._calls.add(task)
            task.add_done_callback(self._called)
        return len(claims)

    def _called(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("calling a webhook failed", exc_info=task.exception())

    async def finish(self) -> None:
        """Wait until all that was begun is done."""
        while self._calls:
            await asyncio.gather(*self._calls, return_exceptions=True)

    async def _call(self, claim: Claim) -> None:
        """Tell one webhook all that there is for it."""
        try:
            async with outbound.Caller(claim.url) as caller:
                while True:
                    claim, delivery = await in_database(webhooks.next_delivery, claim)
                    if delivery is None:
                        break
                    status = None
                    try:
                        status = await caller.post(delivery.body, webhooks.headers_of(claim, delivery, int(time())))
                        why = str(status)
                    except outbound.Unreachable as error:
                        why = str(error)
                    if status is None or not 200 <= status < 300:
                        pause = await in_database(webhooks.failed, claim, status, why)
                        meters.webhooks.add("failed")
                        if pause is not None:
                            self._loop.call_later(pause, self._hear, claim.room_id)
                        return
                    following = await in_database(webhooks.delivered, claim, delivery, status)
                    meters.webhooks.add("delivered")
                    if following is None:
                        return
                    claim = following
                    if self._is_leaving:
                        await in_database(webhooks.release, claim)
                        return
        except asyncio.CancelledError:
            await in_database(webhooks.release, claim)
            raise
        except ServerBusy:
            return  # the claim runs out, and then somebody goes on
        # What was committed while it was ours, nobody else could begin to tell.
        self._hear(claim.room_id)


_courier: Courier | None = None


def start() -> None:
    """Call webhooks from the running event loop, until ``stop``."""
    global _courier
    _courier = Courier()
    _courier.start()


async def stop() -> None:
    global _courier
    if _courier is not None:
        courier, _courier = _courier, None
        await courier.stop()


async def deliver_due() -> None:
    """Call what is due now, and return."""
    courier = Courier()
    while await courier.round():
        await courier.finish()
        courier.look()


async def deliver_forever() -> None:
    courier = Courier()
    courier.start()
    try:
        await asyncio.Event().wait()
    finally:
        await courier.stop()
