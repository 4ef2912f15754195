"""Tell every process that a room's log has grown: the only caller of ``group_send``.

``announce`` is called after the commit, from whatever thread committed, and never waits: the log is the truth,
and what is sent here is only a hint that there is news. Followers in this process are told directly; the
channel layer is told by a background sender, which joins what is waiting into one message a room, so that a
layer that has stopped delays nobody.
"""

import asyncio
import atexit
import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from time import time

from channels.layers import get_channel_layer

from chat import meters, tracing
from chat.events import LoggedEvent
from chat.groups import SITE_GROUP, room_group

logger = logging.getLogger(__name__)

LAYER_MESSAGE_TYPE = "room.events"
SEND_SECONDS = 2.0  # a publish to a stopped Redis hangs until its socket times out; the hint is stale by then
SITE_MESSAGE_TYPE = "site.news"
MAX_WAITING_EVENTS = 10_000  # what is lost beyond, followers find in the log
MAX_JOINED_EVENTS = 500
FLUSH_SECONDS = 3.0

Sink = Callable[[int, str, list[LoggedEvent]], None]
_sinks: list[Sink] = []


def add_sink(sink: Sink) -> None:
    """Have ``sink(room_id, slug, events)`` called for the events of every commit, in the committing thread.

    A sink hands over and returns: it must not block, and what it raises is logged and ends there.
    """
    if sink not in _sinks:
        _sinks.append(sink)


def remove_sink(sink: Sink) -> None:
    if sink in _sinks:
        _sinks.remove(sink)


def announce(room_id: int, slug: str, events: list[LoggedEvent]) -> None:
    """Tell this process and all others of committed events."""
    meters.committed.add(*(event.type for event in events))
    for sink in tuple(_sinks):
        try:
            sink(room_id, slug, events)
        except Exception:
            logger.exception("a sink failed on event %s of room %s", events[-1].seq, room_id)
    _sender.put(room_id, events)


def announce_site() -> None:
    """Tell every process that there is news in the site log. A hint like the others."""
    whisper(SITE_GROUP, {"type": SITE_MESSAGE_TYPE})


def whisper(group: str, message: dict) -> None:
    """Send ``message`` to a group once, if it can be: for what nobody misses later."""
    _sender.put_message(group, message)


def as_layer_message(room_id: int, events: list[LoggedEvent], committed: float) -> dict:
    """``committed`` is when the first of them was, in seconds of the epoch."""
    return {
        "type": LAYER_MESSAGE_TYPE,
        "room": room_id,
        "committed": committed,
        "events": [[event.seq, event.type, event.mid, event.json] for event in events],
    }


def events_of(message: dict) -> list[LoggedEvent]:
    """The events that a layer message carries. Raises ``ValueError`` where it is not one of ours."""
    try:
        return [LoggedEvent(*entry) for entry in message["events"]]
    except (KeyError, TypeError) as error:
        raise ValueError("not a message of room events") from error


class Sender:
    """Sends what is put into it to the channel layer, from one task on one event loop.

    On the server that is the server's own loop (``bind``), where the in-memory layer lives. A process without
    one, such as a management command, gets a loop in a thread of its own at the first event.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, list[LoggedEvent]] = defaultdict(list)
        self._since: dict[int, float] = {}
        self._messages: list[tuple[str, dict]] = []
        self._count = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task | None = None
        self._idle = threading.Event()
        self._idle.set()

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Send from ``loop``, the one that this is called on, from now on."""
        with self._lock:
            if self._loop is not loop:
                self._loop, self._task = loop, None

    def put(self, room_id: int, events: list[LoggedEvent]) -> None:
        with self._lock:
            self._make_room(len(events))
            self._waiting[room_id] += events
            self._since.setdefault(room_id, time())
        self._wake()

    def put_message(self, group: str, message: dict) -> None:
        with self._lock:
            self._make_room(1)
            self._messages.append((group, message))
        self._wake()

    def _make_room(self, count: int) -> None:
        if self._count + count > MAX_WAITING_EVENTS and self._count:
            self._waiting.clear()
            self._since.clear()
            self._messages.clear()
            self._count = 0
            meters.layer_failures.add("dropped")
            logger.warning("the channel layer is too slow: dropped what was waiting for it")
        self._count += count

    def _wake(self) -> None:
        with self._lock:
            self._idle.clear()
            if self._loop is None or self._loop.is_closed():
                self._loop = _loop_in_a_thread()
                atexit.register(self._idle.wait, FLUSH_SECONDS)
            loop = self._loop
        with suppress(RuntimeError):  # the loop is closed: this process is ending, and the log has the event
            loop.call_soon_threadsafe(self._start_sending)

    def _start_sending(self) -> None:
        if self._task is None or self._task.done():
            self._task = tracing.apart(self._send_all())

    async def _send_all(self) -> None:
        while True:
            with self._lock:
                waiting, self._waiting = self._waiting, defaultdict(list)
                since, self._since = self._since, {}
                messages, self._messages = self._messages, []
                self._count = 0
                if not waiting and not messages:
                    self._idle.set()
                    return
            for room_id, events in waiting.items():
                for start in range(0, len(events), MAX_JOINED_EVENTS):
                    some = events[start : start + MAX_JOINED_EVENTS]
                    joined = as_layer_message(room_id, some, since[room_id])
                    await self._send(room_group(room_id), joined)
            for group, message in messages:
                await self._send(group, message)

    async def _send(self, group: str, message: dict) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await get_channel_layer().group_send(group, message)
        except Exception as error:  # whatever a layer raises: the log has what matters, and followers will find it
            meters.layer_failures.add("send")
            logger.warning("the channel layer did not take a message to %s (%s)", group, error.__class__.__name__)


def _loop_in_a_thread() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="broadcast", daemon=True).start()
    return loop


_sender = Sender()
bind = _sender.bind
