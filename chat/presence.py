"""How many people are in a room, over all processes.

Each process says how many it has, every PUBLISH_SECONDS and when that has changed; what a process said is
forgotten after EXPIRE_SECONDS, so that the people of one that was killed vanish by themselves.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field

from chat.follower import Follower

PUBLISH_SECONDS = 10.0
EXPIRE_SECONDS = 30.0
PROCESS = secrets.token_hex(8)  # this process, among those that share a channel layer


@dataclass(frozen=True, slots=True)
class Count:
    """People who take part (counted once, however many tabs they have in one process) and who only watch."""

    participants: int = 0
    viewers: int = 0


def count(followers: Collection[Follower]) -> Count:
    actors = {follower.actor.key for follower in followers if follower.actor is not None}
    return Count(participants=len(actors), viewers=sum(follower.actor is None for follower in followers))


@dataclass(slots=True)
class Presence:
    """What is known of one room's people."""

    here: Count = Count()
    _elsewhere: dict[str, tuple[Count, float]] = field(default_factory=dict)
    _published: Count = Count()
    _publish_at: float = 0.0
    _told: Count | None = None

    def hear(self, process: str, said: Count, now: float) -> None:
        """Take what a process said; our own words come back to us, and are left out."""
        if process != PROCESS:
            self._elsewhere[process] = (said, now + EXPIRE_SECONDS)

    def to_publish(self, now: float) -> Count | None:
        """What to say to the other processes now, if anything."""
        if self.here == self._published and (now < self._publish_at or self.here == Count()):
            return None
        self._published, self._publish_at = self.here, now + PUBLISH_SECONDS
        return self.here

    def to_tell(self, now: float) -> Count | None:
        """The sum over all processes, where it is not what followers were told last."""
        self._elsewhere = {process: said for process, said in self._elsewhere.items() if said[1] > now}
        counts = [self.here, *(said for said, _ in self._elsewhere.values())]
        total = Count(sum(each.participants for each in counts), sum(each.viewers for each in counts))
        if total == self._told:
            return None
        self._told = total
        return total

    def forget_told(self) -> None:
        """Somebody has come who was told nothing yet."""
        self._told = None
