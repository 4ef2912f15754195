"""What is counted where something happens, and how it is said."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from django.db import OperationalError
from prometheus_client import CollectorRegistry, generate_latest

import chat.relays
from chat import actions, broadcast, canary, database, errors, meters, posting, protocol
from chat.canary import SONG_TYPE, Canary
from chat.database import in_database
from chat.doorway import Place, Stay
from chat.follower import Follower
from chat.identity import Grant, new_guest
from chat.log import prune
from chat.meters import Histogram, SharedHistogram
from chat.models import Room
from chat.presence import PROCESS
from config.collector import BufferCollector, EngawaCollector, histogram
from tests.metrics import Scrape
from tests.unit.test_relay import Reader, until

ASYNC = pytest.mark.django_db(transaction=True)


@pytest_asyncio.fixture(autouse=True)
async def fresh_relays() -> AsyncIterator[None]:
    yield
    if chat.relays._current is not None and chat.relays._current.loop is asyncio.get_running_loop():
        await chat.relays._current.close()
        chat.relays._current = None
    await asyncio.to_thread(database.close)


@pytest.fixture
def room() -> Room:
    return actions.create_room(new_guest(), "metered")[0]


def said(*collectors: object) -> Scrape:
    registry = CollectorRegistry()
    for collector in collectors or (EngawaCollector(),):
        registry.register(collector)
    return Scrape(generate_latest(registry).decode())


# Counting -------------------------------------------------------------------------------------------------


def test_a_value_is_counted_below_the_first_bound_that_is_not_less() -> None:
    counted = Histogram(1, 2, 5)
    for value in (0, 1, 1.5, 2, 2.1, 5, 6, 100):
        counted.observe(value)
    counted.observe(3, 10)
    assert counted.counts == [2, 2, 12, 2]
    assert counted.sum == 0 + 1 + 1.5 + 2 + 2.1 + 5 + 6 + 100 + 30


def test_a_histogram_is_said_as_prometheus_has_it() -> None:
    counted = Histogram(0.5, 2)
    counted.observe(0.1, 3)
    counted.observe(1, 2)
    counted.observe(9)
    samples = {
        (s.name, s.labels["le"]) if "le" in s.labels else s.name: s.value for s in histogram("h", "H.", counted).samples
    }
    assert samples == {
        ("h_bucket", "0.5"): 3,
        ("h_bucket", "2.0"): 5,
        ("h_bucket", "+Inf"): 6,
        "h_count": 6,
        "h_sum": pytest.approx(0.3 + 2 + 9),
    }


def test_what_threads_share_they_count_one_after_the_other() -> None:
    shared = SharedHistogram(1)
    other = threading.Thread(target=shared.observe, args=(1.0,))

    class Slow(float):
        """A value that another thread comes between, if it can, when half of it is counted."""

        def __mul__(self, times: float) -> float:
            other.start()
            other.join(0.1)
            return float(self) * times

    shared.observe(Slow(1.0))
    other.join()
    assert shared.counts == [2, 0]
    assert shared.sum == 2


@pytest.mark.parametrize(
    ("error", "code"), [(errors.TextEmpty(), "text.empty"), (OperationalError("away"), "server.busy"), (None, None)]
)
def test_a_post_over_http_is_timed_or_counted_by_why_not(error: Exception | None, code: str | None) -> None:
    refused, timed = meters.posts_refused.counts(), sum(meters.http_post_seconds.counts)
    if error is None:
        with meters.http_post():
            pass
    else:
        with pytest.raises(type(error)), meters.http_post():
            raise error
    now = meters.posts_refused.counts()
    assert {each: count - refused.get(each, 0) for each, count in now.items() if count != refused.get(each, 0)} == (
        {code: 1} if code else {}
    )
    assert sum(meters.http_post_seconds.counts) - timed == (error is None)


def test_a_place_is_counted_once_and_given_back_once() -> None:
    before = meters.LINES.opened, meters.LINES.closed
    place = Place()
    place.give_back()
    assert (meters.LINES.opened, meters.LINES.closed) == before
    place.open(meters.LINES)
    place.give_back()
    place.give_back()
    assert (meters.LINES.opened, meters.LINES.closed) == (before[0] + 1, before[1] + 1)


# Following ------------------------------------------------------------------------------------------------


class Counting:
    """What is counted from here on."""

    def __init__(self) -> None:
        self._before = self._all()

    @staticmethod
    def _all() -> dict[str, float]:
        return {
            "deliveries": meters.SOCKET.deliveries,
            "slow": meters.SOCKET.slow,
            "gaps": meters.counts.gaps,
            "gap_events": meters.counts.gap_events,
            "timed": sum(meters.delivery_seconds.counts),
            "seconds": meters.delivery_seconds.sum,
            "passes": sum(meters.events_together.counts),
            "passed": meters.events_together.sum,
            "posts_together": meters.posts_together.sum,
            **meters.resumes,
            **meters.followers,
        }

    def __call__(self, *names: str) -> dict[str, float]:
        """What rose, or fell; with ``names`` of these alone."""
        now = self._all()
        found = {name: value - self._before[name] for name, value in now.items() if value != self._before[name]}
        return {name: value for name, value in found.items() if name in names} if names else found


async def say(room: Room, *texts: str) -> None:
    await in_database(posting.post_together, room.pk, [posting.Post(new_guest(), text) for text in texts])


async def join(room: Room, after: int | None) -> tuple[Reader, Stay]:
    reader = Reader(protocol.ENGAWA_V1)
    stay = Stay(room.slug, reader.follower(new_guest()))
    entry = await stay.enter()
    stay.relay.start(stay.follower, entry.head if after is None else after, entry.floor, is_new=after is None)
    return reader, stay


@ASYNC
async def test_events_are_counted_for_each_who_is_handed_them_and_timed_from_their_commit(room: Room) -> None:
    readers = [await join(room, None) for _ in range(3)]
    counting = Counting()
    await say(room, "one", "two")
    await until(lambda: all(len(reader.events) == 2 for reader, _ in readers))
    found = counting()
    assert 0 < found.pop("seconds") < 60
    assert found == {"deliveries": 6, "timed": 6, "passes": 1, "passed": 2}
    for _, stay in readers:
        stay.leave()


@ASYNC
async def test_nobody_is_told_and_nothing_is_counted(room: Room) -> None:
    _, stay = await join(room, None)
    stay.leave()
    counting = Counting()
    await say(room, "one")
    await until(lambda: stay.relay.position == 1)
    assert counting() == {}


@ASYNC
async def test_where_the_first_answer_is_from_is_counted_by_what_was_missed(room: Room, settings) -> None:
    settings.RING_EVENTS = 10
    await say(room, *(f"message {number}" for number in range(150)))
    for after, outcome, missed in (
        (None, "new", 0),
        (150, "current", 0),
        (145, "ring", 5),
        (20, "log", 130),
        (400, "reset", 0),
    ):
        counting = Counting()
        reader, stay = await join(room, after)
        await until(
            lambda reader=reader, missed=missed, outcome=outcome: (
                len(reader.events) == missed and len(reader.resets) == (outcome == "reset")
            )
        )
        await until(lambda stay=stay: stay.follower.live)
        expected = {outcome: 1, "deliveries": missed} if missed else {outcome: 1}
        assert counting(outcome, "deliveries", *meters.resumes) == expected
        stay.leave()
    await in_database(prune, room.pk, 10)
    counting = Counting()
    reader, stay = await join(room, 20)
    await until(lambda: reader.resets)
    assert counting(*meters.resumes) == {"reset": 1}
    stay.leave()


@ASYNC
async def test_a_database_that_is_away_fails_who_comes_back(room: Room, settings, monkeypatch) -> None:
    settings.RING_EVENTS = 10
    await say(room, *(f"message {number}" for number in range(50)))
    reader, stay = await join(room, None)
    counting, failures = Counting(), meters.database_failures.counts()["busy"]

    def away(*arguments: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr("chat.audience.log.read", away)
    stay.relay.start(stay.follower, 5)
    await until(lambda: reader.closed is not None)
    assert counting(*meters.resumes) == {"failed": 1}
    assert meters.database_failures.counts()["busy"] > failures


@ASYNC
async def test_what_was_not_heard_of_is_a_gap_and_is_not_timed(room: Room, monkeypatch) -> None:
    reader, stay = await join(room, None)
    await until(lambda: stay.relay._busy is None and not stay.relay._scheduled)
    monkeypatch.setattr(broadcast, "announce", lambda *arguments: None)
    counting = Counting()
    await say(room, "one", "two", "three")
    stay.relay.compare_head(3, 0)
    await until(lambda: len(reader.events) == 3)
    assert counting() == {"gaps": 1, "gap_events": 3, "deliveries": 3, "passes": 1, "passed": 3}
    stay.leave()


@ASYNC
async def test_who_does_not_read_is_counted_as_slow_and_not_as_told(room: Room, settings) -> None:
    settings.SLOW_SECONDS = 0.05
    reader, stay = await join(room, None)
    never = asyncio.get_running_loop().create_future()

    async def stuck(message: dict) -> None:
        await never

    stay.follower.send = stuck
    counting = Counting()
    await say(room, "one")
    await until(lambda: reader.closed is not None)
    assert isinstance(reader.closed, errors.TooSlow)
    assert counting("slow", "deliveries") == {"slow": 1}


@ASYNC
async def test_followers_are_counted_by_kind_until_they_leave_however_often(room: Room) -> None:
    relay = await chat.relays.relays().of(room.slug)
    counting = Counting()
    grant = Grant(room_id=room.pk, token_id=1, ends_at=1e12)
    readers = [Reader(protocol.ENGAWA_V1) for _ in range(3)]
    followers = [readers[0].follower(new_guest()), readers[1].follower(), readers[2].follower()]
    followers[2].grant = grant
    for follower in followers:
        relay.join(follower)
    assert counting("user", "guest", "bot", "viewer", "token") == {"guest": 1, "viewer": 1, "token": 1}
    for follower in followers:
        relay.leave(follower)
        relay.leave(follower)
    assert counting() == {}


@ASYNC
async def test_what_relays_hold_is_added_up_when_asked(room: Room) -> None:
    other, _ = await in_database(actions.create_room, new_guest(), "another")
    readers = [await join(each, None) for each in (room, other)]
    await say(room, "one", "two")
    await say(other, "three")
    await until(lambda: sum(len(reader.events) for reader, _ in readers) == 3)
    found = said()
    assert found("engawa_rooms_followed") == 2
    assert found("engawa_ring_events") == 3
    assert found("engawa_ring_characters") == sum(
        len(event.json) for _, stay in readers for event in stay.relay.ring.after(0, 10)
    )
    assert "engawa_layer_silence_seconds" not in found.names  # in memory there is nothing to be heard
    for _, stay in readers:
        stay.leave()


# Layer and database ---------------------------------------------------------------------------------------


def test_a_song_of_ours_tells_how_long_it_took_and_one_of_others_does_not(monkeypatch) -> None:
    async def heal() -> None:
        raise AssertionError("it was heard")

    clock = [100.0]
    monkeypatch.setattr(canary, "monotonic", lambda: clock[0])
    bird, before = Canary(heal), (sum(meters.layer_seconds.counts), meters.layer_seconds.sum)
    clock[0] = 103.0
    assert bird.hear({"type": SONG_TYPE, "process": "another", "sung_at": 1.0})
    assert sum(meters.layer_seconds.counts) == before[0]
    assert bird.hear({"type": SONG_TYPE, "process": PROCESS, "sung_at": 102.5})
    assert (sum(meters.layer_seconds.counts), meters.layer_seconds.sum) == (before[0] + 1, before[1] + 0.5)
    assert bird.silence is None
    bird._is_singing = True
    clock[0] = 105.0
    assert bird.silence == 2.0


@ASYNC
async def test_the_database_threads_are_counted_while_they_work_and_calls_while_they_wait(settings) -> None:
    begun, go = threading.Barrier(settings.DATABASE_THREADS + 1), threading.Event()

    def work() -> None:
        begun.wait(10)
        go.wait(10)

    working = [asyncio.create_task(in_database(work)) for _ in range(settings.DATABASE_THREADS)]
    await asyncio.to_thread(begun.wait, 10)
    waiting = [asyncio.create_task(in_database(int)) for _ in range(3)]
    await until(lambda: database.pool() == (settings.DATABASE_THREADS, 3))
    found = said()
    assert found("engawa_database_threads_busy") == found("engawa_database_threads") == settings.DATABASE_THREADS
    assert found("engawa_database_calls_waiting") == 3
    go.set()
    await asyncio.gather(*working, *waiting)
    assert database.pool() == (0, 0)


def test_what_waits_for_readers_is_added_up() -> None:
    class Behind:
        def __init__(self, waiting_bytes: int) -> None:
            self.waiting_bytes = waiting_bytes

    class Server:
        paused = {Behind(70_000), Behind(5)}

    found = said(BufferCollector(Server()))
    assert found("engawa_connections_behind") == 2
    assert found("engawa_buffer_bytes") == 70_005


def test_a_follower_of_every_form_has_a_transport() -> None:
    names = [transport.name for transport in meters.TRANSPORTS]
    assert len(set(names)) == len(names)
    assert Follower(form=protocol.PLAIN, send=None, close=None).form.transport is meters.PLAIN_SOCKET
