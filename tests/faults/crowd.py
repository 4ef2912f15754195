"""A crowd in one room: writers who repeat what was not acknowledged, and followers who come back where they were.

They behave as docs/protocol.md asks of clients, but sooner: their waits are tenths of seconds. Whoever loses a
process goes to another. What they were told is checked as it comes, and kept for ``tests.faults.law``.
"""

import asyncio
import http.client
import json
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import NamedTuple

import websockets

from tests.clients import Door, participant
from tests.faults.cluster import Cluster
from tests.faults.wire import OPEN_SECONDS, Heard, Refused, Said, read_blocks, read_frame, stream

WRITERS = 30
FOLLOWERS = 300  # half of them on WebSockets, half on streams
PAUSE_SECONDS = 1.0  # between two posts of one writer, on the average
SILENCE_SECONDS = 6  # two heartbeats and a bit: what says nothing for so long is dead
ENTER_SECONDS = 30
DROP_CHANCE = 0.03  # that a writer loses its connection before it hears of its post
LOST = (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError, websockets.WebSocketException)


class Acknowledged(NamedTuple):
    key: str
    mid: str
    id: int
    written: float  # when its writer first sent it
    at: float


class Backoff:
    """Waits that grow and are never two alike."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.reset()

    def reset(self) -> None:
        self._seconds = 0.05

    async def wait(self) -> None:
        seconds, self._seconds = self._seconds, min(2 * self._seconds, 0.8)
        await asyncio.sleep(seconds * (0.5 + self._chance.random()))


class Client:
    """Somebody who is connected to one process of the cluster, and to another as soon as that one is lost."""

    kind = ""

    def __init__(self, crowd: "Crowd", number: int) -> None:
        self.crowd = crowd
        self.name = f"{self.kind} {number}"
        self.chance = random.Random(f"{crowd.seed} {self.name}")
        self.entered = asyncio.Event()
        self.connections = 0
        self._backoff = Backoff(self.chance)

    async def run(self) -> None:
        server: Door | None = None
        while True:
            server = self.crowd.cluster.choose(self.chance, other_than=server)
            try:
                how = await self.connect(server)
            except websockets.ConnectionClosed as closed:
                how = closed.rcvd.code if closed.rcvd else 1006
            except Refused as refused:
                how = refused.status
            except websockets.InvalidStatus as refused:
                how = refused.response.status_code
            except LOST as error:
                how = type(error).__name__
            self.crowd.ended(self, how)
            await self._backoff.wait()

    async def connect(self, server: Door) -> object:
        """Be connected to ``server`` for as long as it goes. Returns how it ended."""
        raise NotImplementedError

    def alive(self) -> None:
        """The connection is one that works."""
        self._backoff.reset()

    def inside(self) -> None:
        self.connections += 1
        self.entered.set()

    @asynccontextmanager
    async def socket(self, server: Door, query: str = "", **more: object) -> AsyncIterator[websockets.ClientConnection]:
        connecting = websockets.connect(
            f"{server.sockets}/ws/chat/{self.crowd.slug}/{query}",
            subprotocols=["engawa.v1"],
            compression=None,
            ping_interval=None,
            open_timeout=OPEN_SECONDS,
            close_timeout=1,
            max_size=None,
            proxy=None,
            ssl=server.trust,
            **more,
        )
        async with connecting as socket:
            try:
                yield socket
            except asyncio.CancelledError:
                socket.transport.abort()  # the test is over, and nobody waits for goodbyes
                raise


class Follower(Client):
    """Reads, from ``start`` on, and keeps the numbers and messages of all it was told."""

    def __init__(self, crowd: "Crowd", number: int) -> None:
        super().__init__(crowd, number)
        self.start = self.last = crowd.start
        self.seen: list[Said] = []

    def hear(self, heard: Heard) -> None:
        self.alive()
        for said in heard.events:
            if said.id != self.last + 1:
                self.crowd.complain(f"{self.name} was told {said.id} after {self.last}")
            self.last = said.id
            self.seen.append(said)
        for type, _ in heard.others:
            if type in ("reset", "stream-reset"):
                self.crowd.resets.append(self.name)
            elif type == "stream-error":
                self.crowd.complain(f"{self.name} was sent away by a stream-error")


class SocketFollower(Follower):
    kind = "socket"

    async def connect(self, server: Door) -> object:
        async with self.socket(server, f"?after={self.last}") as socket:
            while True:
                async with asyncio.timeout(SILENCE_SECONDS):
                    heard = read_frame(await socket.recv())
                self.hear(heard)
                if heard.others and heard.others[0][0] == "welcome":
                    self.inside()


class StreamFollower(Follower):
    kind = "stream"

    async def connect(self, server: Door) -> object:
        async with stream(server, self.crowd.slug, f"{self.crowd.slug}:{self.last}") as opened:
            self.inside()
            while True:
                async with asyncio.timeout(SILENCE_SECONDS):
                    piece = await opened.piece()
                if piece is None:
                    return "end"
                self.hear(read_blocks(piece))


class Writer(Client):
    """Posts, with a key for each message, which it keeps until the message is acknowledged, wherever that is."""

    kind = "writer"

    def __init__(self, crowd: "Crowd", number: int) -> None:
        super().__init__(crowd, number)
        self.cookie = ""
        self.draft: dict[str, str] | None = None
        self._written = 0.0
        self._count = 0

    async def connect(self, server: Door) -> object:
        if not self.cookie:
            self.cookie = await asyncio.to_thread(guest_cookie, server, self.crowd.slug)
        async with self.socket(server, origin=server.base, additional_headers={"Cookie": self.cookie}) as socket:
            self.inside()
            while True:
                if self.draft is None:
                    await self._rest(socket)
                    self._count += 1
                    self._written = monotonic()
                    self.draft = {
                        "type": "post",
                        "message": f"{self.name}: {self._count}",
                        "key": str(uuid.UUID(int=self.chance.getrandbits(128), version=4)),
                    }
                await socket.send(json.dumps(self.draft))
                if self.chance.random() < self.crowd.drop_chance:
                    socket.transport.abort()
                    return "dropped"
                await self._acknowledgement(socket)

    async def _rest(self, socket: websockets.ClientConnection) -> None:
        """Read along until it is time to say something."""
        until = monotonic() + self.chance.uniform(0, 2 * self.crowd.pause)
        heard = monotonic()
        while self.crowd.closing or monotonic() < until:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.2 if self.crowd.closing else until - monotonic()):
                    await socket.recv()
                    heard = monotonic()
                    self.alive()
            if monotonic() - heard > SILENCE_SECONDS:
                raise TimeoutError("silence")

    async def _acknowledgement(self, socket: websockets.ClientConnection) -> None:
        """Read until the draft is acknowledged. What may be repeated is, with its key."""
        assert self.draft is not None
        while True:
            async with asyncio.timeout(SILENCE_SECONDS):
                text = await socket.recv()
            self.alive()
            if not text.startswith(('{"type":"posted"', '{"type":"error"')):
                continue
            frame = json.loads(text)
            if frame["type"] == "error" and not frame.get("retryable"):
                self.crowd.complain(f"{self.name} was refused: {text}")
            if frame.get("key") != self.draft["key"]:
                continue
            if frame["type"] == "error":
                self.crowd.errors[frame["code"]] += 1
                await self._backoff.wait()
                await socket.send(json.dumps(self.draft))
                continue
            self.crowd.acknowledged.append(
                Acknowledged(frame["key"], frame["mid"], frame["id"], self._written, monotonic())
            )
            self.draft = None
            return


def guest_cookie(server: Door, slug: str) -> str:
    """What the room's page gives to somebody new, so that they are the same person on every process."""
    if server.trust:
        connection = http.client.HTTPSConnection(server.host, server.port, timeout=OPEN_SECONDS, context=server.trust)
    else:
        connection = http.client.HTTPConnection(server.host, server.port, timeout=OPEN_SECONDS)
    try:
        connection.request("GET", f"/chat/{slug}/")
        response = connection.getresponse()
        cookies = [value.split(";")[0] for name, value in response.getheaders() if name.lower() == "set-cookie"]
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()
    found = [cookie for cookie in cookies if cookie.split("=")[0].removeprefix("__Host-") == "guest"]
    if not found:
        raise OSError(f"no guest cookie came with {response.status}")
    return found[0]


class Crowd:
    """Everybody in one room, and what there is to say of them when it is over."""

    def __init__(
        self,
        cluster: Cluster,
        slug: str,
        seed: int,
        *,
        writers: int = WRITERS,
        followers: int = FOLLOWERS,
        pause: float = PAUSE_SECONDS,
        drop_chance: float = DROP_CHANCE,
        start: int = 0,
    ) -> None:
        self.cluster = cluster
        self.slug = slug
        self.seed = seed
        self.pause = pause
        self.drop_chance = drop_chance
        self.start = start
        self.closing = False
        self.acknowledged: list[Acknowledged] = []
        self.errors: Counter[str] = Counter()
        self.ends: Counter[tuple[str, object]] = Counter()
        self.resets: list[str] = []
        self.complaints: list[str] = []
        self.tracebacks = cluster.tracebacks()
        self.writers = [Writer(self, number) for number in range(writers)]
        kinds: list[type[Follower]] = [SocketFollower, StreamFollower]
        self.followers = [kinds[number % 2](self, number) for number in range(followers)]
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Crowd":
        self._tasks = [asyncio.create_task(client.run(), name=client.name) for client in self.clients]
        try:
            async with asyncio.timeout(ENTER_SECONDS):
                await asyncio.gather(*(client.entered.wait() for client in self.clients))
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._leave()

    async def _leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task, result in zip(self._tasks, await asyncio.gather(*self._tasks, return_exceptions=True), strict=True):
            if not isinstance(result, asyncio.CancelledError):
                self.complain(f"{task.get_name()} stumbled: {result!r}")

    @property
    def clients(self) -> list[Client]:
        return [*self.writers, *self.followers]

    def complain(self, what: str) -> None:
        if len(self.complaints) < 50:
            self.complaints.append(what)

    def ended(self, client: Client, how: object) -> None:
        """A connection ended. Some ends say that it should stay away, which nobody here has earned."""
        self.ends[client.kind, how] += 1
        if isinstance(how, int) and (400 <= how < 500 or how >= 4500):
            self.complain(f"{client.name} was told to stay away: {how}")

    # What a test waits for -------------------------------------------------------------------------------------

    async def until(self, condition: Callable[[], object], seconds: float, what: str) -> float:
        """Wait for something. Returns how long it took; fails with ``what`` where it takes too long."""
        began = monotonic()
        while not condition():
            if monotonic() - began > seconds:
                raise AssertionError(f"{what}: not within {seconds} s. {self}\n{self.cluster.output()}")
            await asyncio.sleep(0.02)
        return monotonic() - began

    async def goes_on(self, seconds: float, posts: int = 50) -> float:
        """Wait until that many posts more are acknowledged, and everybody was told of them. Returns how long it took
        until everybody had been told of the first that was written since: after a fault, the time of recovery."""
        began = monotonic()
        before = len(self.acknowledged)

        def fresh() -> list[Acknowledged]:
            return [ack for ack in self.acknowledged[before:] if ack.written > began]

        await self.until(fresh, seconds, "a new post was acknowledged")
        await self._reached(fresh()[0].id, seconds)
        recovery = monotonic() - began
        await self.until(lambda: len(fresh()) >= posts, seconds, f"{posts} new posts were acknowledged")
        await self._reached(fresh()[posts - 1].id, seconds)
        return recovery

    async def _reached(self, number: int, seconds: float) -> None:
        await self.until(
            lambda: all(one.last >= number for one in self.followers), seconds, f"everybody reached {number}"
        )

    async def finish(self, seconds: float) -> float:
        """Let the writers finish, say a last word, and wait until everybody has heard it."""
        self.closing = True
        began = monotonic()
        await self.until(
            lambda: all(writer.draft is None for writer in self.writers), seconds, "every post was acknowledged"
        )
        door = self.cluster.choose(random.Random(self.seed))
        async with participant(door.sockets, self.slug, trust=door.trust) as somebody:
            written = monotonic()
            answer = await somebody.post("the last word")
        assert answer["type"] == "posted", answer
        self.acknowledged.append(Acknowledged(answer["key"], answer["mid"], answer["id"], written, monotonic()))
        left = max(seconds - (monotonic() - began), 1)
        await self.until(
            lambda: all(one.last >= answer["id"] for one in self.followers), left, "everybody heard the last word"
        )
        return monotonic() - began

    def __str__(self) -> str:
        behind = Counter(one.last for one in self.followers)
        return (
            f"{len(self.acknowledged)} acknowledged, positions {behind.most_common(5)}, errors {dict(self.errors)}, "
            f"ends {dict(self.ends)}, complaints {self.complaints}"
        )
