"""Every system by its key."""

from bench import peers
from bench.systems import EngawaDaphne, EngawaUvicorn, EventStream, System, Tutorial, TutorialRedis

OURS: dict[str, System] = {
    system.key: system for system in (EngawaDaphne(), EngawaUvicorn(), Tutorial(), TutorialRedis(), EventStream())
}
PEERS: dict[str, System] = {system.key: system for system in peers.PEERS}


class Null(System):
    """Senders that nothing can be compared with (``bench.scenarios.ceiling``)."""

    key = "null"
    title = "Prepared bytes"
    transports = ()


SYSTEMS: dict[str, System] = {**OURS, **PEERS, "null": Null()}
