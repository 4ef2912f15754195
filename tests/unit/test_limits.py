import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest
from django.test import AsyncClient

from chat import errors, tracing
from chat import limits as module
from chat.addresses import client_address
from chat.identity import Identity, new_guest
from chat.limits import Bucket, Limits, frame_bucket
from tests.unit.browsers import JSON

AUTHOR = new_guest()


def test_a_bucket_lets_a_burst_through_and_then_an_even_flow() -> None:
    bucket = Bucket(interval=0.5, burst=4)
    assert [bucket.take(100.0) for _ in range(4)] == [0, 0, 0, 0]
    assert bucket.take(100.0) == pytest.approx(0.5)
    assert bucket.take(100.4) == pytest.approx(0.1)
    assert bucket.take(100.5) == 0
    assert bucket.take(100.5) > 0
    assert [bucket.take(200.0) for _ in range(4)] == [0, 0, 0, 0]


def test_a_limit_that_is_off_limits_nothing(settings) -> None:
    settings.FRAMES_PER_SECOND = 0
    assert frame_bucket() is None


@pytest.fixture
def limited(settings, redis_url: str):
    """Limits of two processes on one Redis."""
    settings.POSTS_PER_MINUTE = 6
    settings.REDIS_URLS = [redis_url]
    made: list[Limits] = []

    def make() -> tuple[Limits, Limits]:
        made.extend([Limits(), Limits()])
        return made[0], made[1]

    return make


async def close(*all_limits: Limits) -> None:
    for one in all_limits:
        for task in one._tasks:
            task.cancel()
        await asyncio.gather(*one._tasks, return_exceptions=True)
        await one._redis.aclose()


async def test_posts_are_counted_across_processes(limited) -> None:
    one, two = limited()
    for number in range(6):
        await (one, two)[number % 2].take_post(AUTHOR)
    for each in (one, two):
        with pytest.raises(errors.TooManyPosts) as refused:
            await each.take_post(AUTHOR)
        assert 0 < refused.value.retry_after <= 10
        assert refused.value.as_dict()["retryable"] is True
    await one.take_post(new_guest())
    await close(one, two)


async def test_new_guests_of_one_network_are_counted_together(limited, settings) -> None:
    settings.GUEST_POSTS_PER_MINUTE = 3
    one, two = limited()
    for number in range(3):
        await (one, two)[number % 2].take_post(new_guest(network="somewhere"))
    for each in (one, two):
        with pytest.raises(errors.TooManyPosts):
            await each.take_post(new_guest(network="somewhere"))
        await each.take_post(new_guest(network="elsewhere"))
        await each.take_post(new_guest())
        await each.take_post(Identity(key="u1", name="sven", kind="user", user_id=1, network="somewhere"))
    await close(one, two)


async def test_reports_are_counted_by_network_across_processes(limited, settings) -> None:
    settings.REPORTS_PER_HOUR = 3
    one, two = limited()
    for number in range(3):
        await (one, two)[number % 2].take_report("network")
    for each in (one, two):
        with pytest.raises(errors.TooManyReports) as refused:
            await each.take_report("network")
        assert 0 < refused.value.retry_after <= 1200
    await one.take_report("another")
    await one.take_post(new_guest(network="network"))
    for _ in range(4):
        await one.take_report("")
    settings.REPORTS_PER_HOUR = 0
    await one.take_report("network")
    await close(one, two)


async def test_tickets_are_counted_by_token_across_processes(limited, settings) -> None:
    settings.VIEW_TICKETS_PER_MINUTE = 2
    one, two = limited()
    for each in (one, two):
        await each.take_ticket(7)
    for each in (one, two):
        with pytest.raises(errors.TooManyTickets) as refused:
            await each.take_ticket(7)
        assert 0 < refused.value.retry_after <= 30
    await one.take_ticket(8)
    settings.VIEW_TICKETS_PER_MINUTE = 0
    await one.take_ticket(7)
    await close(one, two)


async def test_searches_are_counted_across_processes(limited, settings) -> None:
    settings.SEARCHES_PER_MINUTE = 3
    one, two = limited()
    sven = Identity(key="u1", name="sven", kind="user", user_id=1)
    for number in range(3):
        await (one, two)[number % 2].take_search(None, "network")
        await (one, two)[number % 2].take_search(sven, "elsewhere")
    for each in (one, two):
        with pytest.raises(errors.TooManySearches) as refused:
            await each.take_search(new_guest(), "network")
        assert 0 < refused.value.retry_after <= 20
        with pytest.raises(errors.TooManySearches):
            await each.take_search(sven, "")
    await one.take_search(None, "another")
    for _ in range(4):
        await one.take_search(None, "")
    settings.SEARCHES_PER_MINUTE = 0
    await one.take_search(None, "network")
    await close(one, two)


@asynccontextmanager
async def holding(limits: Limits, kind: str, address: str, most: int) -> AsyncIterator[None]:
    hold = await limits.connection(kind, address, most)
    try:
        yield
    finally:
        hold.release()
        hold.release()  # of which the second does nothing


async def test_connections_are_counted_across_processes_and_given_back(limited) -> None:
    one, two = limited()
    async with holding(one, "socket", "203.0.113.5", 2), holding(two, "socket", "203.0.113.5", 2):
        for each in (one, two):
            with pytest.raises(errors.TooManyConnections):
                async with holding(each, "socket", "203.0.113.5", 2):
                    pass
        async with holding(one, "socket", "203.0.113.6", 2), holding(one, "stream", "203.0.113.5", 2):
            pass
    async with asyncio.timeout(5):
        while one._tasks - {task for task in one._tasks if "refresh" in repr(task)}:
            await asyncio.sleep(0.01)
    async with holding(two, "socket", "203.0.113.5", 2):
        pass
    async with holding(one, "socket", "", 0):
        pass
    assert not one._held
    await close(one, two)


async def test_without_redis_each_process_counts_for_itself(settings) -> None:
    settings.POSTS_PER_MINUTE = 2
    settings.REDIS_URLS = ["redis://127.0.0.1:1/0"]
    limits = Limits()
    began = asyncio.get_running_loop().time()
    for _ in range(2):
        await limits.take_post(AUTHOR)
    with pytest.raises(errors.TooManyPosts):
        await limits.take_post(AUTHOR)
    async with holding(limits, "socket", "203.0.113.5", 1):
        with pytest.raises(errors.TooManyConnections):
            async with holding(limits, "socket", "203.0.113.5", 1):
                pass
    assert asyncio.get_running_loop().time() - began < 2
    await close(limits)


async def test_many_who_have_used_something_are_not_looked_through_for_each_more(monkeypatch) -> None:
    looked = 0

    def is_full(self: Bucket, now: float) -> bool:
        nonlocal looked
        looked += 1
        return False

    monkeypatch.setattr(Bucket, "is_full", is_full)
    limits = Limits()
    for number in range(many := 3 * module.MOST_BUCKETS):
        await limits._wait(f"resets:{number}", 20, 3600)
    assert looked < 2 * many
    assert len(limits._buckets) == many
    monkeypatch.undo()
    monkeypatch.setattr(Bucket, "is_full", lambda self, now: True)
    for number in range(many + 2):
        await limits._wait(f"others:{number}", 20, 3600)
    assert len(limits._buckets) < many + module.MOST_BUCKETS, "and they are forgotten"


async def test_what_is_said_for_everybody_is_of_no_request(settings, monkeypatch) -> None:
    """Whoever comes first has the limits of a process begin."""
    said: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    monkeypatch.setattr(module, "REFRESH_SECONDS", 0)
    monkeypatch.setattr(Limits, "_missed", lambda self, error: said.done() or said.set_result(tracing.here().request))
    settings.REDIS_URLS = ["redis://127.0.0.1:1/0"]
    tracing.be_at("rfirst-1")
    limits = Limits()
    limits._held["socket:x"].add("y")
    assert await said == ""
    await close(limits)


@pytest.mark.parametrize(
    ("peer", "forwarded", "believed"),
    [
        ("203.0.113.5", None, "203.0.113.5"),
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "rubbish", ""),
        ("10.0.0.1", None, ""),
        ("127.0.0.1", "1.2.3.4", ""),
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.5", None, "203.0.113.5"),
        ("::ffff:10.0.0.1", "1.2.3.4, 198.51.100.1, ::ffff:10.0.0.2", "198.51.100.1"),
        ("::1", None, ""),
    ],
)
def test_addresses(settings, peer: str, forwarded: str | None, believed: str) -> None:
    from ipaddress import ip_network

    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    assert client_address({"client": (peer, 1234), "headers": headers}) == believed


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/chat/veranda/search", "/feeds/veranda/search"])
async def test_a_network_searches_so_often_and_no_more(cast, settings, path: str) -> None:
    settings.SEARCHES_PER_MINUTE = 2
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.0/8")]

    async def look(network: str, **accept: str):
        # A new guest each time, where there are guests: that is no way around it.
        return await AsyncClient().get(path, {"q": "x"}, headers={"X-Forwarded-For": network, **accept})

    assert [(await look("198.51.100.7")).status_code for _ in range(3)] == [200, 200, 429]
    answer = await look("198.51.100.7", **JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "limit.searches")
    assert int(answer["Retry-After"]) > 0
    assert 'value="x"' in (await look("198.51.100.7")).text, "what they typed is not lost"
    assert (await look("198.51.100.8")).status_code == 200
    form = await AsyncClient().get(path, headers={"X-Forwarded-For": "198.51.100.7"})
    assert form.status_code == 200, "the form itself is no search"
