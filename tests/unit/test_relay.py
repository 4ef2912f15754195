"""The relay against the invariants: in order, once, without gaps, whatever the layer does."""

import asyncio
import json
import random
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial

import pytest
import pytest_asyncio
from channels.layers import channel_layers

import chat.relay
import chat.relays
from chat import actions, broadcast, database, doorway, errors, events, governing, log, moderation, posting, protocol
from chat.database import in_database
from chat.doorway import Stay
from chat.follower import Follower
from chat.identity import Identity, new_guest
from chat.models import Message, Room
from chat.pages import message_page
from chat.relays import relays
from feeds.encoders import ServerSentEvents

pytestmark = pytest.mark.django_db(transaction=True)

WAIT_SECONDS = 15


@pytest_asyncio.fixture(autouse=True)
async def fresh_relays() -> AsyncIterator[None]:
    yield
    if chat.relays._current is not None and chat.relays._current.loop is asyncio.get_running_loop():
        await chat.relays._current.close()
        chat.relays._current = None
    await asyncio.to_thread(database.close)


@pytest.fixture
def hostile_layer(settings) -> Callable[[int], None]:
    """Puts the hostile layer in place, and makes it all that a relay hears from."""

    def use(seed: int) -> None:
        from tests.unit.layers import HostileLayer

        settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.unit.layers.HostileLayer"}}
        channel_layers.backends = {}
        HostileLayer.random = random.Random(seed)
        broadcast.remove_sink(relays()._hear)

    return use


async def a_room(name: str = "veranda") -> Room:
    return (await in_database(actions.create_room, new_guest(), name))[0]


async def olgas_room() -> tuple[Room, Identity]:
    def prepare() -> tuple[Room, Identity]:
        from chat.models import User

        olga = User.objects.create_user("olga").identity
        return actions.create_room(olga, "veranda")[0], olga

    return await in_database(prepare)


class Reader:
    """A follower that remembers what it was sent, as events."""

    def __init__(self, form: protocol.EngawaV1 | ServerSentEvents = protocol.ENGAWA_V1) -> None:
        self.form = form
        self.sent: list[dict] = []
        self.events: list[dict] = []
        self.resets: list[int] = []
        self.closed: errors.ChatError | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, message: dict) -> None:
        if not self.gate.is_set():
            await self.gate.wait()
        self.sent.append(message)
        if message["type"] == "http.response.body":
            blocks = [block for block in message["body"].decode().split("\n\n") if block]
            frames = [
                json.loads(line[6:]) for block in blocks for line in block.split("\n") if line.startswith("data: ")
            ]
            if message["body"].startswith(b"event: stream-reset"):
                self.resets.append(int(message["body"].split(b"id: ")[1].split(b"\n")[0].split(b":")[1]))
                return
        else:
            frame = json.loads(message["text"])
            frames = frame["events"] if frame.get("type") == "batch" else [frame]
        for frame in frames:
            if frame.get("type") == "reset":
                self.resets.append(frame["head"])
            elif "id" in frame:
                self.events.append(frame)

    async def close(self, error: errors.ChatError) -> None:
        self.closed = error

    def follower(self, actor: Identity | None = None, network: str = "") -> Follower:
        network = actor.network if actor is not None else network
        return Follower(form=self.form, send=self.send, close=self.close, actor=actor, network=network)

    @property
    def ids(self) -> list[int]:
        return [event["id"] for event in self.events]


@asynccontextmanager
async def reading(room: Room, cursor: int | None = None, actor: Identity | None = None, form=None, network: str = ""):
    reader = Reader(form or protocol.ENGAWA_V1)
    reader.relay_follower = follower = reader.follower(actor, network)
    async with Stay(room.slug, follower) as (relay, entry):
        reader.relay = relay
        relay.start(follower, entry.head if cursor is None else cursor, entry.floor)
        yield reader


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


def apply(state: dict[str, dict], event: dict) -> None:
    """What docs/protocol.md asks of a client."""
    if event["type"] in (events.MESSAGE, events.EDITED):
        state[event["mid"]] = {**{k: v for k, v in event.items() if k != "id"}, "type": "message"}
    elif event["type"] == events.DELETED:
        state.pop(event["mid"], None)


def snapshot(room: Room) -> dict[str, dict]:
    return {m.mid: events.message_fields(m, room.slug) for m in Message.objects.visible().filter(room=room)}


async def busy_room(room: Room, seed: int, steps: int) -> None:
    """Posts, edits and deletions, at random."""
    chance = random.Random(seed)
    gil = new_guest()
    mids: list[str] = []
    for number in range(steps):
        what = chance.random()
        if what < 0.7 or not mids:
            mids.append((await in_database(posting.post, gil, room.pk, f"message {number}")).mid)
        elif what < 0.85:
            await in_database(actions.edit, gil, room.pk, chance.choice(mids), f"edited {number}")
        else:
            await in_database(actions.delete, gil, room.pk, mids.pop(chance.randrange(len(mids))))
        if chance.random() < 0.3:
            await asyncio.sleep(chance.random() * 0.02)


@pytest.mark.parametrize("seed", range(4))
async def test_a_hostile_layer_changes_nothing_of_what_anybody_sees(hostile_layer, seed: int) -> None:
    hostile_layer(seed)
    room = await a_room()
    async with (
        reading(room) as first,
        reading(room, form=ServerSentEvents("veranda")) as second,
    ):
        await busy_room(room, seed, 60)
        async with reading(room, cursor=0) as late:
            await busy_room(room, seed + 100, 60)
            head = (await in_database(Room.objects.get, pk=room.pk)).head
            readers = (first, second, late)
            await until(lambda: all(reader.ids and reader.ids[-1] == head for reader in readers))
        fresh = await in_database(snapshot, room)
        for reader in readers:
            assert reader.ids == list(range(1, head + 1))
            assert reader.resets == []
            state: dict[str, dict] = {}
            for event in reader.events:
                apply(state, event)
            assert state == fresh


async def test_a_dead_layer_delays_and_loses_nothing(settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "tests.unit.layers.DeadLayer"}}
    channel_layers.backends = {}
    room = await a_room()
    async with reading(room) as reader:
        broadcast.remove_sink(relays()._hear)
        began = asyncio.get_running_loop().time()
        await busy_room(room, 1, 10)
        assert asyncio.get_running_loop().time() - began < 2, "a post waited for the layer"
        await until(lambda: len(reader.ids) == 10)
        assert reader.ids == list(range(1, 11))


async def test_what_arrives_together_is_written_together() -> None:
    room = await a_room()
    async with reading(room) as reader:
        for number in range(3):
            await in_database(posting.post, new_guest(), room.pk, f"{number}")
        logged = (await in_database(log.read, room.pk, 0)).events
        await until(lambda: len(reader.ids) == 3)
    reader = Reader()
    writes = []
    follower = Follower(form=protocol.ENGAWA_V1, send=_record(writes), close=reader.close)
    async with Stay(room.slug, follower) as (relay, _):
        relay.position = 0
        follower.position, follower.live = 0, True
        relay.offer([logged[2]])
        relay.offer([logged[1], logged[0]])
        await until(lambda: bool(writes))
        assert [event["id"] for event in json.loads(writes[0]["text"])["events"]] == [1, 2, 3]
        assert len(writes) == 1


def _record(writes: list[dict]):
    async def send(message: dict) -> None:
        writes.append(message)

    return send


async def test_equal_followers_are_handed_the_same_object() -> None:
    room = await a_room()
    one, two = [], []
    followers = [
        Follower(form=ServerSentEvents("veranda"), send=_record(writes), close=Reader().close) for writes in (one, two)
    ]
    async with Stay("veranda", followers[0]) as (relay, entry), Stay("veranda", followers[1]):
        for follower in followers:
            relay.start(follower, entry.head)
        await in_database(posting.post, new_guest(), room.pk, "hello")
        await until(lambda: one and two)
        assert one[0] is two[0]


async def test_a_slow_follower_delays_nobody_and_catches_up() -> None:
    room = await a_room()
    async with reading(room) as slow, reading(room) as quick:
        slow.gate.clear()
        await busy_room(room, 3, 20)
        await until(lambda: len(quick.ids) == 20)
        assert slow.ids == []
        slow.gate.set()
        await until(lambda: len(slow.ids) == 20)
        assert slow.ids == list(range(1, 21))
        await in_database(posting.post, new_guest(), room.pk, "live again")
        await until(lambda: len(slow.ids) == 21)


async def test_a_follower_that_stays_behind_is_let_go(settings) -> None:
    settings.SLOW_SECONDS = 0.3
    room = await a_room()
    async with reading(room) as slow, reading(room) as quick:
        slow.gate.clear()
        await busy_room(room, 3, 3)
        await until(lambda: slow.closed is not None)
        assert isinstance(slow.closed, errors.TooSlow)
        assert quick.closed is None
        assert len(quick.ids) == 3


async def test_a_follower_further_behind_than_the_ring_is_let_go(settings) -> None:
    settings.RING_EVENTS = 10
    room = await a_room()
    async with reading(room) as slow, reading(room) as quick:
        slow.gate.clear()
        await busy_room(room, 3, 30)
        await until(lambda: len(quick.ids) == 30)
        slow.gate.set()
        await until(lambda: slow.closed is not None)
        assert isinstance(slow.closed, errors.TooSlow)


async def test_resuming_from_the_ring_asks_the_database_for_no_event(monkeypatch) -> None:
    room = await a_room()
    async with reading(room) as reader:
        await busy_room(room, 1, 30)
        await until(lambda: len(reader.ids) == 30)
        monkeypatch.setattr(log, "read", None)
        async with reading(room, cursor=12) as back:
            await until(lambda: len(back.ids) == 18)
            assert back.ids == list(range(13, 31))


async def test_an_old_cursor_reads_the_log_in_pages(settings) -> None:
    settings.RING_EVENTS = 10
    room = await a_room()
    async with reading(room) as reader:
        await busy_room(room, 1, 250)
        await until(lambda: len(reader.ids) == 250)
        async with reading(room, cursor=3) as back:
            await until(lambda: len(back.ids) == 247)
            assert back.ids == list(range(4, 251))


@pytest.mark.parametrize("cursor", [1, 2, 31, 10**17])
async def test_a_cursor_out_of_reach_gets_one_reset(cursor: int) -> None:
    room = await a_room()
    await busy_room(room, 1, 30)
    await in_database(log.prune, room.pk, 5)
    async with reading(room, cursor=cursor) as reader:
        await until(lambda: reader.resets == [30])
        await in_database(posting.post, new_guest(), room.pk, "after")
        await until(lambda: reader.ids == [31])
        assert reader.resets == [30]


async def test_who_comes_back_to_a_new_process_is_answered_without_the_log(monkeypatch) -> None:
    room = await a_room()
    await busy_room(room, 1, 30)
    async with reading(room):  # the first one starts the relay
        head = (await in_database(Room.objects.get, pk=room.pk)).head
        monkeypatch.setattr(log, "read", None)
        async with reading(room, cursor=head - 20) as one, reading(room, cursor=head - 20) as two:
            assert one.ids == two.ids == list(range(head - 19, head + 1))
            assert one.sent[0] is two.sent[0], "the same cursor should be answered with the same message"


async def test_a_restored_database_resets_everybody_once() -> None:
    room = await a_room()
    async with reading(room) as live, reading(room) as parked:
        await busy_room(room, 1, 10)
        await until(lambda: len(live.ids) == 10)
        parked.gate.clear()
        await busy_room(room, 2, 2)
        head = await in_database(log.restart, room.pk)
        await until(lambda: live.resets == [head])
        parked.gate.set()
        await until(lambda: parked.resets == [head])
        await in_database(posting.post, new_guest(), room.pk, "after")
        await until(lambda: live.ids[-1] == parked.ids[-1] == head + 1)
        assert live.resets == parked.resets == [head]


async def test_an_older_copy_of_the_database_resets_even_who_was_parked() -> None:
    room = await a_room()
    async with reading(room) as live, reading(room) as parked:
        await busy_room(room, 1, 10)
        await until(lambda: len(parked.ids) == 10)
        parked.gate.clear()
        await in_database(posting.post, new_guest(), room.pk, "eleven")
        await until(lambda: len(live.ids) == 11)
        await in_database(_go_back_to, room.pk, 4)
        await until(lambda: live.resets == [4])
        parked.gate.set()
        await until(lambda: parked.resets == [4])
        await in_database(posting.post, new_guest(), room.pk, "another five")
        await until(lambda: live.ids[-1] == parked.ids[-1] == 5)


def _go_back_to(room_id: int, head: int) -> None:
    from chat.models import Event

    Event.objects.filter(room_id=room_id, seq__gt=head).delete()
    Room.objects.filter(pk=room_id).update(head=head)


async def test_a_deleted_text_is_not_told_again() -> None:
    room = await a_room()
    gil = new_guest()
    async with reading(room) as reader:
        mid = (await in_database(posting.post, gil, room.pk, "the word xyzzy")).mid
        await in_database(posting.post, gil, room.pk, "another")
        await in_database(actions.delete, gil, room.pk, mid)
        await until(lambda: len(reader.ids) == 3)
        async with reading(room, cursor=0) as back:  # from the ring
            await until(lambda: len(back.ids) == 3)
            assert "xyzzy" not in json.dumps(back.events)
            assert [event["type"] for event in back.events] == ["message.redacted", "message", "message.deleted"]
        held = reader.relay.ring._events
        assert "xyzzy" not in repr(held)


async def test_who_may_no_longer_read_is_let_go_before_anything_newer() -> None:
    def prepare() -> tuple[Room, Identity, Identity]:
        from chat.models import Membership, User

        olga, mio = User.objects.create_user("olga").identity, User.objects.create_user("mio").identity
        room, _ = actions.create_room(olga, "veranda")
        Membership.objects.create(room=room, user_id=mio.user_id)
        return room, olga, mio

    room, olga, mio = await in_database(prepare)
    gil = new_guest()
    async with reading(room) as anybody, reading(room, actor=gil) as guest, reading(room, actor=mio) as member:
        await in_database(posting.post, gil, room.pk, "open")
        await in_database(governing.change_visibility, olga, room.pk, "private")
        await in_database(posting.post, mio, room.pk, "the word xyzzy")
        await until(lambda: len(member.ids) == 3)
        await until(lambda: bool(anybody.closed and guest.closed))
        assert anybody.ids == guest.ids == [1]
        assert isinstance(anybody.closed, errors.RoomNotFound)
        assert member.closed is None
        with pytest.raises(errors.RoomNotFound):
            async with reading(room):
                pass
        await in_database(partial(governing.change_visibility, olga, room.pk, "public", opens_past=True))
        async with reading(room, cursor=0) as again:
            await until(lambda: len(again.ids) == 4)


@pytest.mark.parametrize("form", [protocol.ENGAWA_V1, ServerSentEvents("veranda")], ids=["websocket", "stream"])
@pytest.mark.parametrize("has_heard", [True, False])
async def test_what_was_said_in_private_stays_there_when_a_room_is_opened(form, has_heard: bool) -> None:
    """From any cursor, whether this process met the changes one by one or only heard of the last."""
    from chat.models import User

    def prepare() -> tuple[Room, Identity]:
        olga = User.objects.create_user("olga").identity
        return actions.create_room(olga, "veranda")[0], olga

    room, olga = await in_database(prepare)
    async with reading(room, actor=olga) as owner:
        if not has_heard:
            owner.relay._busy = asyncio.get_running_loop().create_future()
        await in_database(governing.change_visibility, olga, room.pk, "private")
        secret = await in_database(posting.post, olga, room.pk, "the word xyzzy")
        await in_database(governing.change_visibility, olga, room.pk, "public")
        if not has_heard:
            owner.relay._busy = None
            owner.relay._schedule()
        readers = [reading(room, cursor=cursor, form=form) for cursor in range(6)]
        async with AsyncExitStack() as stack:
            outsiders = [await stack.enter_async_context(reader) for reader in readers]
            await in_database(posting.post, olga, room.pk, "welcome")
            for outsider in outsiders:
                await until(lambda outsider=outsider: outsider.relay_follower.position == 4 and outsider.sent)
            await in_database(posting.post, olga, room.pk, "sentinel")
            for outsider in outsiders:
                await until(lambda outsider=outsider: "sentinel" in str(outsider.sent))
                assert "xyzzy" not in str(outsider.sent)
        with pytest.raises(errors.EditTooLate):
            await in_database(actions.edit, olga, room.pk, secret.mid, "xyzzy all the same")
        with pytest.raises(errors.NotAllowed):
            await in_database(moderation.pin, olga, room.pk, secret.mid)
        page = await in_database(message_page, await in_database(Room.objects.get, pk=room.pk))
        assert [message.text for message in page.messages] == ["welcome", "sentinel"]


async def test_who_is_banned_is_let_go_and_not_let_in(monkeypatch) -> None:
    """An account, a guest and a network, with others beside them who stay."""
    from chat.models import User

    def prepare() -> tuple[Room, Identity, Identity]:
        olga, sven = User.objects.create_user("olga").identity, User.objects.create_user("sven").identity
        return actions.create_room(olga, "veranda")[0], olga, replace(sven, network="n1")

    room, olga, sven = await in_database(prepare)
    gil, gus = new_guest(network="n2"), new_guest(network="n3")
    async with (
        reading(room, actor=sven) as account,
        reading(room, actor=gil) as guest,
        reading(room, actor=gus) as other,
        reading(room, network="n3") as viewer,
        reading(room) as somebody,
    ):
        mids = {actor: (await in_database(posting.post, actor, room.pk, "spam")).mid for actor in (sven, gil, gus)}
        await in_database(moderation.ban, olga, room.pk, mids[sven])
        await until(lambda: account.closed is not None)
        await in_database(moderation.ban, olga, room.pk, mids[gil])
        await until(lambda: guest.closed is not None)
        assert other.closed is viewer.closed is None
        newer = replace(new_guest(network="n2"), since=time.time() + 1)
        older = replace(new_guest(network="n2"), since=1.0)
        await in_database(moderation.ban, olga, room.pk, mids[gus], "network")
        await until(lambda: other.closed is not None and viewer.closed is not None)
        for reader in (account, guest, other, viewer):
            assert isinstance(reader.closed, errors.Banned)
        for banned in (sven, gil, replace(gil, name="Other"), newer, gus, new_guest(network="n3")):
            for history in (None, 5):
                with pytest.raises(errors.Banned):
                    async with Stay(room.slug, Reader().follower(banned), history):
                        pass
        with pytest.raises(errors.Banned):
            async with reading(room, network="n3"):
                pass
        async with reading(room, actor=older), reading(room, network="n2"):
            pass
        await in_database(posting.post, olga, room.pk, "sentinel")
        await until(lambda: somebody.ids[-1:] == [4])


async def test_who_lags_or_has_only_just_come_is_told_of_a_mute_in_its_turn() -> None:
    from chat.models import User

    def prepare() -> tuple[Room, Identity]:
        olga = User.objects.create_user("olga").identity
        return actions.create_room(olga, "veranda")[0], olga

    room, olga = await in_database(prepare)
    gil = new_guest()
    async with reading(room, actor=gil) as slow, reading(room, actor=olga) as owner:
        newcomer = Reader()
        follower = newcomer.follower(gil)
        async with Stay(room.slug, follower) as (relay, entry):
            mid = (await in_database(posting.post, gil, room.pk, "spam")).mid
            await until(lambda: slow.ids == [1])
            slow.gate.clear()
            await in_database(posting.post, olga, room.pk, "please")
            await until(lambda: not slow.relay_follower.live)
            version = relay.access_version
            await in_database(moderation.mute, olga, room.pk, mid, 60)
            await until(lambda: relay.access_version > version and not relay.is_asking)
            relay.start(follower, entry.head)
            slow.gate.set()
            for reader in (slow, newcomer):
                await until(lambda reader=reader: any('"you"' in str(frame) for frame in reader.sent))
                told = [frame["text"] for frame in reader.sent if "presence" not in frame["text"]]
                assert '"please"' in told[-2]
                assert '"muted"' in told[-1]
            await in_database(posting.post, olga, room.pk, "thank you")
            for reader in (slow, newcomer, owner):
                await until(lambda reader=reader: reader.ids[-1:] == [3])


async def test_who_is_muted_is_told_and_stays() -> None:
    from chat.models import User

    def prepare() -> tuple[Room, Identity]:
        olga = User.objects.create_user("olga").identity
        return actions.create_room(olga, "veranda")[0], olga

    room, olga = await in_database(prepare)
    gil = new_guest()
    async with reading(room, actor=gil) as guest, reading(room, actor=olga) as owner:
        mid = (await in_database(posting.post, gil, room.pk, "spam")).mid
        sanction = await in_database(moderation.mute, olga, room.pk, mid, 60)
        await until(lambda: any("muted" in str(frame) for frame in guest.sent))
        with pytest.raises(errors.Muted) as refusal:
            await in_database(posting.post, gil, room.pk, "more")
        assert 58 < refusal.value.retry_after <= 60
        await in_database(moderation.lift, olga, room.pk, sanction.pk)
        await until(lambda: "muted" not in [frame for frame in guest.sent if '"you"' in str(frame)][-1]["text"])
        await in_database(posting.post, gil, room.pk, "sorry")
        await until(lambda: owner.ids == [1, 2])
        assert not any('"type":"you"' in frame.get("text", "") for frame in owner.sent), "nothing changed for the owner"
        await in_database(governing.archive, olga, room.pk)
        await until(lambda: '"post":false' in str(guest.sent) and '"post":false' in str(owner.sent))


async def test_nothing_slips_between_the_check_and_the_first_event(monkeypatch) -> None:
    """The room becomes private while somebody is on the doorstep, after the policy said yes to them."""
    room, olga = await olgas_room()
    async with reading(room, actor=olga) as owner:
        enter, answers = doorway.enter, []

        def slow_enter(*args: object) -> doorway.Entry:
            answers.append(enter(*args))
            governing.change_visibility(olga, room.pk, "private")
            deadline = time.monotonic() + WAIT_SECONDS
            while owner.relay.access_version == 0 and time.monotonic() < deadline:
                time.sleep(0.01)
            return answers[-1]

        monkeypatch.setattr(doorway, "enter", slow_enter)
        outsider = Reader()
        with pytest.raises(errors.RoomNotFound):
            async with Stay(room.slug, outsider.follower(), history=1):
                pass
        assert len(answers) == 1, "the first answer was yes"
        await in_database(posting.post, olga, room.pk, "the word xyzzy")
        await until(lambda: len(owner.ids) == 2)
        assert outsider.events == []


async def test_who_comes_by_sight_is_told_nothing_that_the_relay_has_not_met(monkeypatch) -> None:
    """The room became private and went on; this process has not heard of it yet. Somebody comes with an old number."""
    room, olga = await olgas_room()
    async with reading(room, actor=olga) as owner:
        await in_database(posting.post, olga, room.pk, "open")
        await until(lambda: owner.ids == [1])
        relay = owner.relay
        monkeypatch.setattr(relay, "recheck", lambda: None)  # nor has the site log come to it
        deaf = asyncio.get_running_loop().create_future()
        relay._busy = deaf  # it hears, and does not get to it
        await in_database(governing.change_visibility, olga, room.pk, "private")
        await in_database(posting.post, olga, room.pk, "the word xyzzy")
        relay.ring.clear()  # so that the log must answer
        outsider = Reader()
        follower = outsider.follower()
        async with Stay(room.slug, follower) as (_, entry):
            assert entry.head == 1
            relay.start(follower, 0)
            await until(lambda: outsider.ids == [1])
            relay._busy = None
            relay._schedule()
            await until(lambda: outsider.closed is not None)
            await until(lambda: owner.ids == [1, 2, 3])
            assert outsider.ids == [1]


async def test_who_comes_while_the_policy_is_asked_is_not_let_in_by_what_was_true_before(monkeypatch) -> None:
    """The room became private, and the relay is asking who of its followers may stay. Somebody comes meanwhile."""
    room, olga = await olgas_room()
    async with reading(room, actor=olga) as owner:
        readers, is_asked, may_answer = chat.relay._as_it_is, threading.Event(), threading.Event()

        def slow_readers(*args: object) -> object:
            found = readers(*args)
            is_asked.set()
            may_answer.wait(WAIT_SECONDS)
            return found

        monkeypatch.setattr(chat.relay, "_as_it_is", slow_readers)
        await in_database(governing.change_visibility, olga, room.pk, "private")
        assert await asyncio.to_thread(is_asked.wait, WAIT_SECONDS)
        try:
            with pytest.raises(errors.RoomNotFound):
                async with reading(room) as outsider:
                    may_answer.set()
                    await in_database(posting.post, olga, room.pk, "the word xyzzy")
                    await until(lambda: len(owner.ids) == 2)
                    assert outsider.events == []
        finally:
            may_answer.set()


async def test_who_comes_by_sight_is_told_of_the_pin_as_it_is() -> None:
    async def told() -> str | None:
        async with Stay(room.slug, Reader().follower()) as (_, entry):
            return entry.about["pinned"]

    room, olga = await olgas_room()
    async with reading(room) as reader:
        mids = [(await in_database(posting.post, olga, room.pk, text)).mid for text in ("one", "two")]
        for mid in mids:
            await in_database(moderation.pin, olga, room.pk, mid)
        await until(lambda: len(reader.ids) == 4)
        assert await told() == mids[1]
        await in_database(actions.delete, olga, room.pk, mids[1])
        await until(lambda: len(reader.ids) == 6)
        assert await told() is None


async def unheard_pin(reader: Reader, room: Room, olga: Identity) -> tuple[chat.relay.Relay, str]:
    """Events 1 and 2: a message, and that it is pinned. The relay hears of the second, and does not get to it."""
    mid = (await in_database(posting.post, olga, room.pk, "one")).mid
    await until(lambda: reader.ids == [1])
    reader.relay._busy = asyncio.get_running_loop().create_future()
    await in_database(moderation.pin, olga, room.pk, mid)
    return reader.relay, mid


async def test_who_has_seen_more_than_the_relay_is_told_of_the_room_by_the_database() -> None:
    """Their page was made from the database, a moment ago; this process has not heard of what was in it."""
    room, olga = await olgas_room()
    async with reading(room) as reader:
        relay, mid = await unheard_pin(reader, room, olga)
        ahead = Reader()
        stay = Stay(room.slug, ahead.follower())
        entry = await stay.enter(2)
        assert (entry.head, entry.about["pinned"]) == (2, mid)
        relay.start(stay.follower, 2, entry.floor)
        relay._busy = None
        relay._schedule()
        await in_database(posting.post, olga, room.pk, "two")
        await until(lambda: ahead.ids == [3])
        stay.leave()


async def test_a_relay_whose_log_began_anew_asks_how_the_room_is() -> None:
    """What was pinned meanwhile is in no event any more."""
    room, olga = await olgas_room()
    async with reading(room) as reader:
        relay, mid = await unheard_pin(reader, room, olga)
        await in_database(log.prune, room.pk, 0)
        await until(lambda: relay._pending)
        relay._pending.clear()  # as if it had not
        relay._busy = None
        relay.compare_head(2, 1)
        await until(lambda: reader.resets == [2])
        for is_known in (False, True):  # by the database while it asks, by sight when it knows
            await until(lambda is_known=is_known: not (is_known and relay.is_asking))
            async with Stay(room.slug, Reader().follower()) as (_, entry):
                assert entry.about["pinned"] == mid


async def test_coming_by_sight_asks_the_database_nothing(monkeypatch) -> None:
    room = await a_room()
    async with reading(room) as reader:
        await busy_room(room, 1, 20)
        await until(lambda: len(reader.ids) == 20)
        monkeypatch.setattr("chat.doorway.in_database", None)
        monkeypatch.setattr("chat.relay.in_database", None)
        for actor in (None, new_guest()):
            async with reading(room, cursor=5, actor=actor) as back:
                await until(lambda back=back: back.ids == list(range(6, 21)))


async def test_answers_that_are_kept_take_no_more_than_the_ring(settings) -> None:
    settings.RING_BYTES = 64 * 1024
    room = await a_room()
    async with reading(room) as reader:
        for _ in range(12):
            await in_database(posting.post, new_guest(), room.pk, "x" * 2000)
        await until(lambda: len(reader.ids) == 12)
        for cursor in range(12):
            async with reading(room, cursor=cursor) as back:
                await until(lambda back=back, cursor=cursor: back.ids == list(range(cursor + 1, 13)))
            kept = vars(reader.relay)["_replays"].values()
            assert 0 < sum(len(message["text"]) for messages in kept for message in messages) < 66 * 1024


async def test_heartbeats_go_to_those_who_hear() -> None:
    room = await a_room()
    writes: list[dict] = []
    follower = Follower(form=ServerSentEvents("veranda"), send=_record(writes), close=Reader().close)
    async with Stay(room.slug, follower) as (relay, entry):
        relay.start(follower, entry.head)
        relay._beat(1000.0)
        relay._beat(1000.0 + 14)
        assert writes == []
        relay._beat(1000.0 + 15)
        (beat,) = writes
        assert beat["body"].startswith(b":\nevent: heartbeat\n")
        relay._beat(1000.0 + 16)
        assert len(writes) == 1


async def test_a_broken_transport_ends_its_connection() -> None:
    room = await a_room()

    async def broken(message: dict) -> None:
        raise OSError("gone")

    reader = Reader()
    follower = Follower(form=protocol.ENGAWA_V1, send=broken, close=reader.close)
    async with reading(room) as other, Stay(room.slug, follower) as (relay, entry):
        relay.start(follower, entry.head)
        await in_database(posting.post, new_guest(), room.pk, "hello")
        await until(lambda: len(other.ids) == 1 and reader.closed is not None)
        assert follower not in relay.followers


async def test_a_room_goes_on_however_often_the_policy_must_be_asked(monkeypatch) -> None:
    room, gil = await a_room(), new_guest()
    as_it_is = chat.relay._as_it_is
    async with reading(room) as anybody:

        def asked(*about):
            # Somebody joined, left or was muted meanwhile.
            loop.call_soon_threadsafe(anybody.relay.recheck)
            return as_it_is(*about)

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(chat.relay, "_as_it_is", asked)
        anybody.relay.recheck()
        for text in ("one", "two", "three"):
            await in_database(posting.post, gil, room.pk, text)
        await until(lambda: anybody.ids == [1, 2, 3])
        monkeypatch.undo()


async def test_who_is_here_from_two_networks_is_held_to_each() -> None:
    from chat.models import User

    def prepare() -> tuple[Room, Identity]:
        olga = User.objects.create_user("olga").identity
        return actions.create_room(olga, "veranda")[0], olga

    room, olga = await in_database(prepare)
    gil = new_guest()
    school, home = replace(gil, network="n1"), replace(gil, network="n2")
    mid = (await in_database(posting.post, replace(new_guest(), network="n1"), room.pk, "spam")).mid
    async with (
        reading(room, actor=home) as first,
        reading(room, actor=school) as second,
        reading(room, actor=home) as third,
    ):
        await in_database(moderation.ban, olga, room.pk, mid, "network")
        await until(lambda: second.closed is not None)
        assert isinstance(second.closed, errors.Banned)
        assert first.closed is third.closed is None


@pytest.mark.parametrize("shows", [True, False])
async def test_typing_is_told_only_where_the_room_shows_it(shows: bool) -> None:
    room, gil = await a_room(), new_guest()
    await in_database(governing.change_room, None, room.pk, {"topic": "typing", "shows_typing": shows})
    elsewhere = {"type": "room.typing", "process": "another", "author": {**gil.as_dict(), "name": "Elsewhere"}}
    async with reading(room, actor=gil) as reader:
        reader.relay.typing(gil.as_dict())
        reader.relay._take(elsewhere)
        typed = [frame for message in reader.sent if (frame := json.loads(message["text"]))["type"] == "typing"]
        assert [frame["author"]["name"] for frame in typed] == ([gil.name, "Elsewhere"] if shows else [])
        # An owner changes their mind while people are there.
        await in_database(governing.change_room, None, room.pk, {"shows_typing": not shows})
        await until(lambda: reader.relay.room.shows_typing is not shows)
        reader.sent.clear()
        reader.relay.typing(gil.as_dict())
        assert [json.loads(message["text"])["type"] for message in reader.sent].count("typing") == int(not shows)
