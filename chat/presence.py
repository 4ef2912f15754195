"""How many people are in a room, over all processes.

Each process says how many it has, every PUBLISH_SECONDS and when that has changed; what a process said is
forgotten after EXPIRE_SECONDS, so that the people of one that was killed vanish by themselves.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field

from chat.follower import Count, Follower

PUBLISH_SECONDS = 10.0
EXPIRE_SECONDS = 30.0
NOBODY = Count()
MOST_NAMES = 100  # told of those who are in a room
PROCESS = secrets.token_hex(8)  # this process, among those that share a channel layer


def count(followers: Collection[Follower], *, with_names: bool = False) -> Count:
    actors = {follower.actor.key: follower.actor.name for follower in followers if follower.actor is not None}
    return Count(
        participants=len(actors),
        viewers=sum(follower.actor is None for follower in followers),
        names=tuple(sorted(actors.values())[:MOST_NAMES]) if with_names else None,
    )


@dataclass(slots=True)
class Presence:
    """What is known of one room's people."""

    here: Count = NOBODY
    _elsewhere: dict[str, tuple[Count, float]] = field(default_factory=dict)
    _published: Count = NOBODY
    _publish_at: float = 0.0
    told: Count | None = None  # to followers, last; None where that has to be said again

    def hear(self, process: str, said: Count, now: float) -> None:
        """Take what a process said; our own words come back to us, and are left out."""
        if process != PROCESS:
            self._elsewhere[process] = (said, now + EXPIRE_SECONDS)

    def to_publish(self, now: float) -> Count | None:
        """What to say to the other processes now, if anything."""
        if self.here == self._published and (now < self._publish_at or self.here == NOBODY):
            return None
        self._published, self._publish_at = self.here, now + PUBLISH_SECONDS
        return self.here

    def to_tell(self, now: float) -> Count | None:
        """The sum over all processes, where it is not what followers were told last."""
        self._elsewhere = {process: said for process, said in self._elsewhere.items() if said[1] > now}
        counts = [self.here, *(said for said, _ in self._elsewhere.values())]
        names = None
        if self.here.names is not None:
            names = tuple(sorted({name for each in counts for name in each.names or ()})[:MOST_NAMES])
        total = Count(sum(each.participants for each in counts), sum(each.viewers for each in counts), names)
        if total == self.told:
            return None
        self.told = total
        return total

    def forget_told(self) -> None:
        """Somebody has come who was told nothing yet."""
        self.told = None
