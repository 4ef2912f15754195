"""Whatever happens in a room, and in whatever order: a snapshot and the events after it are the room as it is.

Hypothesis makes up the story. Two sets of relays stand for two processes: they share the database and a channel
layer that loses, doubles and shuffles, and only the first hears of commits directly. A participant and a viewer follow
both, lose their connections, and come back where they were.
"""

import asyncio
import itertools
import json
import random
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from channels.layers import channel_layers
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

import chat.relay
import chat.relays
from chat import actions, broadcast, database, errors, events, log, posting, protocol
from chat.database import in_database
from chat.doorway import Stay
from chat.follower import Follower
from chat.identity import new_guest
from chat.models import Message, Room
from chat.relays import Relays
from feeds.encoders import ServerSentEvents
from tests.parts import LONG
from tests.unit.layers import HostileLayer

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = 300 if LONG else 25
STEPS = 40
WAIT_SECONDS = 5
PEOPLE = range(4)

_numbers = itertools.count(1)
State = dict[str, dict[str, Any]]


def snapshot(room: Room) -> tuple[int, State]:
    """The room as it is, and the number to go on from: that is read first."""
    head = Room.objects.values_list("head", flat=True).get(pk=room.pk)
    messages = Message.objects.visible().filter(room=room)
    return head, {message.mid: events.message_fields(message, room.slug) for message in messages}


class Reader:
    """A client as docs/protocol.md asks it to be: a state, the number it is at, and a connection or none."""

    def __init__(self, room: Room, form: protocol.EngawaV1 | ServerSentEvents) -> None:
        self.room = room
        self.form = form
        self.position = 0
        self.state: State = {}
        self.texts: set[str] = set()
        self.faults: list[str] = []
        self.lost = False
        self.waiting_for_snapshot = False
        self._resets = 0
        self.later: list[dict[str, Any]] = []
        self._connection: AsyncExitStack | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        return self._connection is not None

    async def connect(self, process: Relays) -> None:
        """Follow the room in ``process``, from where this reader is."""
        await self.disconnect()
        self.lost = False
        chat.relays._current = process  # whoever enters now enters there
        self._connection = AsyncExitStack()
        generation = self._connection

        async def send(message: dict[str, Any]) -> None:
            if generation is self._connection:
                self.hear(message)

        follower = Follower(form=self.form, send=send, close=self._close)
        relay, _ = await self._connection.enter_async_context(Stay(self.room.slug, follower))
        relay.start(follower, self.position)

    async def disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.aclose()

    async def _close(self, error: errors.ChatError) -> None:
        if not error.retryable:
            self.faults.append(f"sent away: {error.code}")
        self.lost = True

    def hear(self, message: dict[str, Any]) -> None:
        for event in _events_in(message):
            if event["type"] == "reset":
                self.position = event["head"]
                self._resets += 1
                self.waiting_for_snapshot = True
                self.later.clear()
                task = asyncio.ensure_future(self._begin_anew(self._resets))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                if event["id"] != self.position + 1:
                    self.faults.append(f"{event['id']} came after {self.position}")
                self.position = event["id"]
                if self.waiting_for_snapshot:
                    self.later.append(event)
                else:
                    self.apply(event)

    def apply(self, event: dict[str, Any]) -> None:
        self.texts |= {event["message"]} if "message" in event else set()
        if event["type"] in (events.MESSAGE, events.EDITED):
            fields = {name: value for name, value in event.items() if name != "id"}
            self.state[event["mid"]] = {**fields, "type": events.MESSAGE}
        elif event["type"] == events.DELETED:
            self.state.pop(event["mid"], None)

    async def _begin_anew(self, reset: int) -> None:
        """The room as it is now; what was told meanwhile may repeat it."""
        _, state = await in_database(snapshot, self.room)
        if reset != self._resets:  # another has come, and another snapshot
            return
        self.state = state
        for event in self.later:
            self.apply(event)
        self.later.clear()
        self.waiting_for_snapshot = False


def _events_in(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The events that a message of either transport carries; a reset is one that has a ``head``."""
    if message["type"] == "websocket.send":
        frame = json.loads(message["text"])
        for event in frame["events"] if frame["type"] == "batch" else [frame]:
            if event["type"] == "reset" or "id" in event:
                yield event
        return
    for block in message["body"].decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if fields.get("event") == "stream-reset":
            yield {"type": "reset", "head": int(fields["id"].rsplit(":", 1)[1])}
        elif "id" in fields:
            yield json.loads(fields["data"])


class Story(RuleBasedStateMachine):
    """One room, two processes, two readers of each kind."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.mids: list[tuple[int, str]] = []
        self.run(self._begin())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    async def _begin(self) -> None:
        channel_layers.backends = {}
        number = next(_numbers)
        HostileLayer.random = random.Random(number)
        self.people = [new_guest() for _ in PEOPLE]
        self.room, _ = await in_database(actions.create_room, self.people[0], f"veranda {number}")
        self.processes = [Relays(), Relays()]
        broadcast.remove_sink(self.processes[1]._hear)  # another process would hear through the layer only
        forms = [protocol.ENGAWA_V1, ServerSentEvents(self.room.slug)]
        self.readers = [Reader(self.room, form) for form in forms for _ in self.processes]
        for number, reader in enumerate(self.readers):
            await reader.connect(self.processes[number % 2])

    @initialize(seed=st.integers(0, 2**16))
    def shuffle(self, seed: int) -> None:
        HostileLayer.random = random.Random(seed)

    # What happens in the room --------------------------------------------------------------------------------

    @rule(who=st.sampled_from(PEOPLE), count=st.integers(1, 6))
    def post(self, who: int, count: int) -> None:
        for _ in range(count):
            posted = self.run(in_database(posting.post, self.people[who], self.room.pk, f"said {next(_numbers)}"))
            self.mids.append((who, posted.mid))

    @precondition(lambda self: self.mids)
    @rule(which=st.integers(0, 1000))
    def edit(self, which: int) -> None:
        who, mid = self.mids[which % len(self.mids)]
        self.run(in_database(actions.edit, self.people[who], self.room.pk, mid, f"edited {next(_numbers)}"))

    @precondition(lambda self: self.mids)
    @rule(which=st.integers(0, 1000))
    def delete(self, which: int) -> None:
        who, mid = self.mids.pop(which % len(self.mids))
        self.run(in_database(actions.delete, self.people[who], self.room.pk, mid))

    @rule(keep=st.integers(0, 10))
    def prune(self, keep: int) -> None:
        self.run(in_database(log.prune, self.room.pk, keep))

    @rule()
    def restart_logs(self) -> None:
        self.run(in_database(log.restart, self.room.pk))

    # What happens to the readers -----------------------------------------------------------------------------

    @rule(who=st.integers(0, 3))
    def drop(self, who: int) -> None:
        self.run(self.readers[who].disconnect())

    @rule(who=st.integers(0, 3), process=st.integers(0, 1))
    def reconnect(self, who: int, process: int) -> None:
        self.run(self.readers[who].connect(self.processes[process]))

    @rule(milliseconds=st.sampled_from([0, 1, 5, 30]))
    def time_passes(self, milliseconds: int) -> None:
        self.run(asyncio.sleep(milliseconds / 1000))

    # The end -------------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            self.run(self._end())
        finally:
            self.runner.close()
            chat.relays._current = None

    async def _end(self) -> None:
        try:
            for number, reader in enumerate(self.readers):
                if not reader.connected or reader.lost:
                    await reader.connect(self.processes[number % 2])
            await in_database(posting.post, self.people[0], self.room.pk, "the end")
            head, state = await in_database(snapshot, self.room)
            await self._all_reach(head)
            for reader in self.readers:
                assert reader.faults == []
                assert reader.state == state
            await self._is_gone(head, state)
        finally:
            for reader in self.readers:
                await reader.disconnect()
            for process in self.processes:
                await process.close()
            await asyncio.to_thread(database.close)

    async def _all_reach(self, head: int) -> None:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while not all(one.position == head and not one.waiting_for_snapshot for one in self.readers):
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise AssertionError(f"at {[one.position for one in self.readers]} and not {head}") from None

    async def _is_gone(self, head: int, state: State) -> None:
        """Who comes now, and asks for all that there is, is told no text but those that stand."""
        floor = await in_database(Room.objects.values_list("floor", flat=True).get, pk=self.room.pk)
        standing = {fields["message"] for fields in state.values()}
        for process in self.processes:
            late = Reader(self.room, protocol.ENGAWA_V1)
            late.position = floor
            self.readers.append(late)
            await late.connect(process)
        await self._all_reach(head)
        for late in self.readers[-len(self.processes) :]:
            assert late.texts <= standing
            assert late.faults == []


@pytest.fixture
def quick_and_hostile(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes a second takes less here, so that more stories can be told; and rings are short, so that most of
    them need the log."""
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.unit.layers.HostileLayer"}}
    settings.RING_EVENTS = 10
    monkeypatch.setattr(chat.relays, "COMPARE_SECONDS", 0.03)
    monkeypatch.setattr(chat.relay, "RETRY_SECONDS", 0.03)


@pytest.mark.timeout(900)
def test_a_snapshot_and_what_came_after_it_are_the_room(quick_and_hostile: None) -> None:
    run_state_machine_as_test(
        Story,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not LONG,
            database=None,
            # Making a failed story short takes many times what telling it took.
            phases=[Phase.generate, Phase.shrink] if LONG else [Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
