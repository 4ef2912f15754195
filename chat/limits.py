"""How much one author, connection, address or room may take. Each is a setting; 0 turns it off.

Counted across processes where there is a Redis, and by each process for itself where it is away: then a limit
lets more through than it should, but what it protects goes on.
"""

import asyncio
import logging
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from time import monotonic, time
from typing import Any

import redis.asyncio
from asgiref.sync import async_to_sync
from django.conf import settings
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from chat import errors, tracing
from chat.identity import Identity

REDIS_SECONDS = 0.2  # a limit is no reason to keep anybody waiting
AWAY_SECONDS = 5.0  # how long a Redis that did not answer is left alone
FORGET_SECONDS = 60.0  # what a killed process held is free again after this
REFRESH_SECONDS = 20.0
FRAME_BURST_SECONDS = 10

logger = logging.getLogger(__name__)

# The generic cell rate algorithm (ITU-T I.371): one time a key, that at which its next use is due if all used it
# evenly. Answers the seconds to wait, "0" where there is nothing to wait for.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local wait = due - now - interval * (burst - 1)
if wait > 0 then return string.format('%.3f', wait) end
due = due + interval
redis.call('SET', KEYS[1], string.format('%.6f', due), 'PX', math.ceil((due - now) * 1000))
return '0'
"""

# The same, taken back: that use is due no longer.
_GIVE = """
local due = tonumber(redis.call('GET', KEYS[1]) or '0')
if due > 0 then redis.call('SET', KEYS[1], string.format('%.6f', due - tonumber(ARGV[1])), 'KEEPTTL') end
return '0'
"""

# Misses in a row, and until when there is no next try. Answers as above.
_MISS = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local free, first, most, forget = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local kept = redis.call('HMGET', KEYS[1], 'missed', 'until')
local missed, wait = tonumber(kept[1] or '0'), tonumber(kept[2] or '0') - now
if wait > 0 then return string.format('%.3f', wait) end
missed = missed + 1
wait = missed < free and 0 or math.min(most, first * 2 ^ math.min(missed - free, 30))
redis.call('HSET', KEYS[1], 'missed', missed, 'until', string.format('%.6f', now + wait))
redis.call('PEXPIRE', KEYS[1], math.ceil((wait + forget) * 1000))
return '0'
"""
FIRST_WAIT_SECONDS = 5  # after the last wrong password that costs nothing; twice as long after each further one
FORGET_MISSES_SECONDS = 3600  # after the last one, and the wait that it cost
MOST_GUESSERS = 10_000  # that are remembered in memory
MOST_BUCKETS = 10_000  # before those are forgotten that have nothing to remember


class Bucket:
    """The same algorithm in memory, for one thing: ``burst`` uses at once, then one every ``interval`` seconds."""

    __slots__ = ("_burst", "_due", "_interval")

    def __init__(self, interval: float, burst: int) -> None:
        self._interval = interval
        self._burst = burst
        self._due = 0.0

    def take(self, now: float) -> float:
        """Use it once. The seconds to wait where it is used up, else 0."""
        due = max(self._due, now)
        wait = due - now - self._interval * (self._burst - 1)
        if wait > 0:
            return wait
        self._due = due + self._interval
        return 0.0

    def give_back(self) -> None:
        """As if it had been used once less."""
        self._due -= self._interval

    def is_full(self, now: float) -> bool:
        return self._due <= now


class Misses:
    """Of somebody who guesses: ``free`` in a row, then waits that double, from FIRST_WAIT_SECONDS to ``most``."""

    __slots__ = ("_missed", "_until")

    def __init__(self) -> None:
        self._missed = 0
        self._until = 0.0

    def take(self, now: float, free: int, most: float) -> float:
        """Count a try as one more miss. The seconds to wait where it is too early for it, else 0."""
        if now < self._until:
            return self._until - now
        if now > self._until + FORGET_MISSES_SECONDS:
            self._missed = 0
        self._missed += 1
        over = self._missed - free
        self._until = now + (0 if over < 0 else min(most, FIRST_WAIT_SECONDS * 2 ** min(over, 30)))
        return 0.0

    def is_over(self, now: float) -> bool:
        return now > self._until + FORGET_MISSES_SECONDS


def frame_bucket() -> Bucket | None:
    """What one connection may send: settings.FRAMES_PER_SECOND, ten seconds' worth of it at once."""
    rate = settings.FRAMES_PER_SECOND
    return Bucket(1 / rate, rate * FRAME_BURST_SECONDS) if rate else None


class Limits:
    """The limits of one event loop."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}
        self._most_buckets = MOST_BUCKETS
        self._misses: dict[str, Misses] = {}
        self._held: defaultdict[str, set[str]] = defaultdict(set)
        self._away_until = 0.0
        self._redis = None
        self._tasks: set[asyncio.Task[None]] = set()
        if settings.REDIS_URLS:
            self._redis = redis.asyncio.Redis.from_url(
                settings.REDIS_URLS[0], socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
            )
            self._take = self._redis.register_script(_TAKE)
            self._give = self._redis.register_script(_GIVE)
            self._miss = self._redis.register_script(_MISS)
            self._spawn(self._refresh())

    async def take_post(self, actor: Identity) -> None:
        """Count a post. Raises ``TooManyPosts``, with the seconds to wait: settings.POSTS_PER_MINUTE, a minute's
        worth of it at once; for all guests of a network together settings.GUEST_POSTS_PER_MINUTE, since whoever comes
        without a cookie is somebody new each time."""
        wait = await self._wait(f"posts:{actor.key}", settings.POSTS_PER_MINUTE, 60)
        if not wait and actor.kind == "guest" and actor.network:
            wait = await self._wait(f"posts:n{actor.network}", settings.GUEST_POSTS_PER_MINUTE, 60)
        if wait:
            raise errors.TooManyPosts(retry_after=wait)

    async def take_report(self, network: str) -> None:
        """Count a viewer's report from a network ("" is not counted). Raises ``TooManyReports``, with the seconds to
        wait: settings.REPORTS_PER_HOUR, an hour's worth of it at once."""
        if network and (wait := await self._wait(f"reports:{network}", settings.REPORTS_PER_HOUR, 3600)):
            raise errors.TooManyReports(retry_after=wait)

    async def take_ticket(self, token_id: int) -> None:
        """Count a ticket made from a view token. Raises ``TooManyTickets``, with the seconds to wait:
        settings.VIEW_TICKETS_PER_MINUTE, a minute's worth of it at once."""
        if wait := await self._wait(f"tickets:{token_id}", settings.VIEW_TICKETS_PER_MINUTE, 60):
            raise errors.TooManyTickets(retry_after=wait)

    async def take_search(self, actor: Identity | None, network: str) -> None:
        """Count a search by an account or a program, or, of guests and viewers, from a network ("" is not counted).
        Raises ``TooManySearches``, with the seconds to wait: settings.SEARCHES_PER_MINUTE, a minute's worth at once."""
        who = actor.key if actor is not None and actor.kind != "guest" else network and f"n{network}"
        if who and (wait := await self._wait(f"searches:{who}", settings.SEARCHES_PER_MINUTE, 60)):
            raise errors.TooManySearches(retry_after=wait)

    async def take_sign_up(self, network: str) -> None:
        """Count an account made from a network ("" is not counted). Raises ``TooManyAttempts``, with the seconds to
        wait: settings.SIGN_UPS_PER_HOUR, an hour's worth of it at once."""
        if network and (wait := await self._wait(f"signups:{network}", settings.SIGN_UPS_PER_HOUR, 3600)):
            raise errors.TooManyAttempts(retry_after=wait)

    async def take_reset(self, network: str) -> None:
        """The same for who asks for a new password: settings.PASSWORD_RESETS_PER_HOUR."""
        if network and (wait := await self._wait(f"resets:{network}", settings.PASSWORD_RESETS_PER_HOUR, 3600)):
            raise errors.TooManyAttempts(retry_after=wait)

    async def take_password(self, guesser: str, shared: tuple[str, ...]) -> None:
        """Count a password before it is looked at, as if it were wrong: of ``guesser`` ("" is not counted), who waits
        longer each time once settings.WRONG_PASSWORDS are used up, and of all that is ``shared``, each of which has
        settings.WRONG_PASSWORDS_PER_HOUR. Raises ``TooManyAttempts``, with the seconds to wait."""
        wait = await self._missed_again(guesser) if guesser else 0.0
        for name in shared:
            wait = wait or await self._wait(f"passwords:{name}", settings.WRONG_PASSWORDS_PER_HOUR, 3600)
        if wait:
            raise errors.TooManyAttempts(retry_after=wait)

    async def password_was_right(self, guesser: str, shared: tuple[str, ...]) -> None:
        """Take back what ``take_password`` counted, and all that ``guesser`` had missed before."""
        self._misses.pop(guesser, None)
        names = [f"passwords:{name}" for name in shared] if settings.WRONG_PASSWORDS_PER_HOUR else []
        for name in names:
            if name in self._buckets:
                self._buckets[name].give_back()
        if self._reachable():
            try:
                await self._redis.delete(f"engawa:misses:{guesser}")
                for name in names:
                    await self._give(keys=[f"engawa:{name}"], args=[3600 / settings.WRONG_PASSWORDS_PER_HOUR])
            except (RedisError, OSError) as error:
                self._missed(error)

    async def _missed_again(self, guesser: str) -> float:
        free, most, now = settings.WRONG_PASSWORDS, settings.WRONG_PASSWORD_WAIT_SECONDS, monotonic()
        if not free:
            return 0.0
        if guesser not in self._misses and len(self._misses) >= MOST_GUESSERS:
            kept = [(key, misses) for key, misses in self._misses.items() if not misses.is_over(now)]
            self._misses = dict(
                kept[-MOST_GUESSERS // 2 :]
            )  # whoever comes from everywhere finds the account's own limit
        wait = self._misses.setdefault(guesser, Misses()).take(now, free, most)
        if not wait and self._reachable():
            arguments = [free, FIRST_WAIT_SECONDS, most, FORGET_MISSES_SECONDS]
            try:
                wait = float(await self._miss(keys=[f"engawa:misses:{guesser}"], args=arguments))
            except (RedisError, OSError) as error:
                self._missed(error)
        return wait

    async def _wait(self, name: str, many: int, seconds: int) -> float:
        """Count one of ``many`` (0: no limit) in so many ``seconds``, here and in all processes. The seconds to wait
        where they are used up."""
        if not many:
            return 0.0
        now, interval = monotonic(), seconds / many
        if name not in self._buckets:
            if len(self._buckets) > self._most_buckets:
                self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.is_full(now)}
                # Where they all have something to remember, they are not looked through again for each more.
                self._most_buckets = max(MOST_BUCKETS, 2 * len(self._buckets))
            self._buckets[name] = Bucket(interval, many)
        wait = self._buckets[name].take(now)
        if not wait and self._reachable():
            try:
                wait = float(await self._take(keys=[f"engawa:{name}"], args=[interval, many]))
            except (RedisError, OSError) as error:
                self._missed(error)
        return wait

    async def connection(self, kind: str, address: str, most: int) -> "Hold":
        """Hold one of the ``most`` connections of a kind that an address may have. Raises ``TooManyConnections``."""
        if not address or not most:
            return _NOTHING_HELD
        # Addresses are kept as a keyed hash: enough to count by.
        return await self._hold(f"{kind}:{salted_hmac('engawa.limits', address).hexdigest()[:32]}", most)

    async def room(self, room_id: int) -> "Hold":
        """Hold one of the connections that a room may have (settings.CONNECTIONS_PER_ROOM)."""
        most = settings.CONNECTIONS_PER_ROOM
        return await self._hold(f"room:{room_id}", most) if most else _NOTHING_HELD

    async def _hold(self, name: str, most: int) -> "Hold":
        if len(self._held[name]) >= most:
            raise errors.TooManyConnections()
        hold = Hold(self, name, secrets.token_hex(8))
        self._held[name].add(hold.member)
        try:
            if self._reachable() and await self._count(name, hold.member) > most:
                raise errors.TooManyConnections()
        except BaseException:
            hold.release()
            raise
        return hold

    def _let_go(self, name: str, member: str) -> None:
        self._held[name].discard(member)
        if not self._held[name]:
            del self._held[name]
        if self._reachable():
            self._spawn(self._release(name, member))

    async def _count(self, name: str, member: str) -> int:
        """Enter ``member`` in the list that all processes keep, and count it."""
        key, now = f"engawa:held:{name}", time()
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.zremrangebyscore(key, "-inf", now)
                pipe.zadd(key, {member: now + FORGET_SECONDS})
                pipe.expire(key, int(FORGET_SECONDS))
                pipe.zcard(key)
                return (await pipe.execute())[-1]
        except (RedisError, OSError) as error:
            self._missed(error)
            return 0

    async def _release(self, name: str, member: str) -> None:
        try:
            await self._redis.zrem(f"engawa:held:{name}", member)
        except (RedisError, OSError) as error:
            self._missed(error)

    async def _refresh(self) -> None:
        """Say again what is held, so that it is not forgotten."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            if not self._reachable():
                continue
            until = time() + FORGET_SECONDS
            try:
                async with self._redis.pipeline(transaction=False) as pipe:
                    for name, members in self._held.items():
                        pipe.zadd(f"engawa:held:{name}", dict.fromkeys(members, until))
                        pipe.expire(f"engawa:held:{name}", int(FORGET_SECONDS))
                    await pipe.execute()
            except (RedisError, OSError) as error:
                self._missed(error)

    def _reachable(self) -> bool:
        return self._redis is not None and monotonic() >= self._away_until

    def _missed(self, error: Exception) -> None:
        self._away_until = monotonic() + AWAY_SECONDS
        logger.warning("Redis is away (%s): limits are counted by each process for itself", type(error).__name__)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = tracing.apart(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Hold:
    """One of a limited number of connections, until it is released."""

    __slots__ = ("_limits", "_name", "member")

    def __init__(self, limits: Limits | None, name: str = "", member: str = "") -> None:
        self._limits = limits
        self._name = name
        self.member = member

    def release(self) -> None:
        if self._limits is not None:
            self._limits._let_go(self._name, self.member)
            self._limits = None


_NOTHING_HELD = Hold(None)  # where nothing is limited

_limits: tuple[asyncio.AbstractEventLoop, Limits] | None = None


def limits() -> Limits:
    """The limits of the running event loop."""
    global _limits
    loop = asyncio.get_running_loop()
    if _limits is None or _limits[0] is not loop:
        _limits = (loop, Limits())
    return _limits[1]


# The same for who is not asynchronous -----------------------------------------------------------------------


def count_post(actor: Identity) -> None:
    _count(lambda its: its.take_post(actor))


def count_report(network: str) -> None:
    _count(lambda its: its.take_report(network))


def count_ticket(token_id: int) -> None:
    _count(lambda its: its.take_ticket(token_id))


def count_search(actor: Identity | None, network: str) -> None:
    _count(lambda its: its.take_search(actor, network))


def count_sign_up(network: str) -> None:
    _count(lambda its: its.take_sign_up(network))


def count_reset(network: str) -> None:
    _count(lambda its: its.take_reset(network))


def count_password(guesser: str, shared: tuple[str, ...]) -> None:
    _count(lambda its: its.take_password(guesser, shared))


def uncount_password(guesser: str, shared: tuple[str, ...]) -> None:
    _count(lambda its: its.password_was_right(guesser, shared))


def _count(take: Callable[[Limits], Awaitable[None]]) -> None:
    async def taken() -> None:
        await take(limits())  # of the event loop that this makes

    async_to_sync(taken)()
