"""A crowd that comes in by the one door, as the fault suite's: whoever loses a connection comes back by it."""

import random
import re

from tests.clients import Door
from tests.deploy.topology import Topology
from tests.faults.cluster import Cluster

_RECORD = re.compile(r"^(?=\d{4}-\d\d-\d\d \d\d:|\{)", re.MULTILINE)
_TELLS_OF_REDIS = re.compile(r"channels_redis\.pubsub\b")


class Behind(Cluster):
    """The processes behind Caddy, as the crowd and its law need them."""

    def __init__(self, topology: Topology) -> None:
        super().__init__([topology])
        self._topology = topology

    def choose(self, chance: random.Random, other_than: Door | None = None) -> Topology:
        return self._topology

    def tracebacks(self) -> int:
        """As it is there, of processes that have gone, too; a record may be a line or an object."""
        logs = [file.read_text(errors="replace") for file in self._topology.folder.glob("*.log")]
        records = (record for log in logs for record in _RECORD.split(log))
        return sum("Traceback" in record and not _TELLS_OF_REDIS.search(record.split("\n")[0]) for record in records)

    def output(self) -> str:
        return self._topology.output()
