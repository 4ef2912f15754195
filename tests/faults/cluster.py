"""Several Engawa processes on one database, any of which may be ended, held and started again."""

import asyncio
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.servers import Engawa

PROCESSES = 3

# A crowd from one address, which must be let in; and short heartbeats, so that a connection that says nothing is
# known for dead while a test runs. Variables that this Engawa does not know are ignored.
SETTINGS = {
    "HEARTBEAT_SECONDS": "2",
    "STREAM_COMMENT_SECONDS": "2",
    "POSTS_PER_MINUTE": "0",
    "CONNECTIONS_PER_ADDRESS": "0",
    "STREAMS_PER_ADDRESS": "0",
    "CONNECTIONS_PER_ROOM": "0",
    "FRAMES_PER_SECOND": "0",
}

TELLS_OF_REDIS = "channels_redis.pubsub:"  # the library tells of every failure with a traceback, and goes on
_RECORD = re.compile(r"^(?=\d{4}-\d\d-\d\d \d\d:)", re.MULTILINE)


class Cluster:
    """``servers``, in the order of their names. What is done to them is done by their own methods."""

    def __init__(self, servers: list[Engawa]) -> None:
        self.servers = servers

    def __getitem__(self, index: int) -> Engawa:
        return self.servers[index]

    async def bring_up(self, *servers: Engawa) -> None:
        """Start those again, each on its port, and wait until they are ready."""
        for server in servers:
            server.start()
        await asyncio.gather(*(asyncio.to_thread(server.wait_until_ready) for server in servers))

    def choose(self, chance: random.Random, other_than: Engawa | None = None) -> Engawa:
        """A process to connect to: another one than that which was just lost."""
        return chance.choice([server for server in self.servers if server is not other_than] or self.servers)

    def make_room(self, name: str) -> str:
        """A new room, made as people make one. Returns its slug."""
        with httpx.Client(base_url=self[0].base, follow_redirects=True, timeout=30) as http:
            return make_room(http, name)

    def tracebacks(self) -> int:
        """How many records of the logs have a traceback that is not told by ``TELLS_OF_REDIS``."""
        records = (record for server in self.servers for record in _RECORD.split(server.output()))
        return sum("Traceback" in record and TELLS_OF_REDIS not in record.split("\n")[0] for record in records)

    def output(self) -> str:
        """The end of every log, for a test that fails."""
        return "\n".join(f"--- {server.log.name}\n{server.output()[-6000:]}" for server in self.servers)


def make_room(http: httpx.Client, name: str) -> str:
    """Make a room by the start page. Returns its slug."""
    http.get("/chat/").raise_for_status()
    token = next(cookie.value for cookie in http.cookies.jar if cookie.name.endswith("csrftoken"))
    form = {"name": name, "csrfmiddlewaretoken": token}
    page = http.post("/chat/", data=form, headers={"Referer": str(http.base_url)}).raise_for_status()
    return page.url.path.removeprefix("/chat/").strip("/")


@contextmanager
def cluster_on(
    folder: Path, count: int = PROCESSES, command: list[str] | None = None, **settings: str
) -> Iterator[Cluster]:
    """``count`` processes. Without DATABASE_URL in ``settings`` they share a SQLite file; ``command`` may be another
    server than ours."""
    servers: list[Engawa] = []
    try:
        # The first alone: it brings the database up to date.
        servers.append(Engawa(folder, "process-0", **SETTINGS, **settings))
        if command:
            servers[0].stop()
            servers[0] = Engawa(folder, "process-0", command, wait=False, **SETTINGS, **settings)
        for number in range(1, count):
            servers.append(Engawa(folder, f"process-{number}", command, wait=False, **SETTINGS, **settings))
        for server in servers:
            server.wait_until_ready()
        yield Cluster(servers)
    finally:
        for server in servers:
            server.stop()
