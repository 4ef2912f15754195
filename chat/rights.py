"""What somebody may do in a room as it is, as their client is told."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from django.utils import timezone

from chat import policies
from chat.events import timestamp
from chat.identity import Identity
from chat.models import Room
from chat.standing import Standing


@dataclass(frozen=True, slots=True)
class Rights:
    """``muted_until`` is the end of a mute that has one."""

    role: str
    post: bool
    react: bool
    moderate: bool
    govern: bool
    is_muted: bool
    muted_until: datetime | None
    holds_until: datetime | None = field(default=None, compare=False)  # then they are different by themselves

    def are_over(self, now: datetime) -> bool:
        return self.holds_until is not None and self.holds_until <= now

    def as_dict(self) -> dict[str, object]:
        """As in a ``welcome`` and a ``you``: ``role``, ``may`` and, where they are muted, ``muted``."""
        told: dict[str, object] = {
            "role": self.role,
            "may": {"post": self.post, "react": self.react, "moderate": self.moderate, "govern": self.govern},
        }
        if self.is_muted:
            told["muted"] = {"until": self.muted_until and timestamp(self.muted_until)}
        return told


_rights = lru_cache(maxsize=1024)(Rights)  # thousands of connections share a few


def rights_in(room: Room, actor: Identity, standing: Standing) -> Rights:
    """What ``actor`` may do who stands like this in ``room``."""
    now = timezone.now()
    refusal = policies.refusal_to_post(room, actor, standing, now)
    wait = None if refusal is None else refusal.retry_after
    return _rights(
        role=standing.role,
        post=refusal is None,
        react=policies.refusal_to_react(room, actor, standing, now) is None,
        moderate=standing.governs,
        govern=policies.may_govern(standing),
        is_muted=standing.mute is not None,
        muted_until=None if standing.mute is None else standing.mute.ends_at,
        # To the second: thousands share a few.
        holds_until=None if wait is None else (now + timedelta(seconds=wait + 1)).replace(microsecond=0),
    )
