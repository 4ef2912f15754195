"""The record of who did what to whom, and why. Kept in the transaction of what it records; no text of a message."""

from chat.identity import Identity
from chat.models import AuditEntry, Room
from chat.models.moderation import MAX_REASON_CHARS
from chat.text import well_formed

MAX_TARGET_CHARS = 200
SITE = "the site"  # who acts where it is the site's administration


def clean_reason(reason: object) -> str:
    """A reason or a note as it is kept: one line, at most MAX_REASON_CHARS."""
    if not isinstance(reason, str):
        return ""
    return " ".join(well_formed(reason[: 4 * MAX_REASON_CHARS]).replace("\0", " ").split())[:MAX_REASON_CHARS]


def record(
    room: Room | None,
    actor: Identity | None,
    action: str,
    target: str = "",
    mid: str = "",
    reason: str = "",
    **details: object,
) -> None:
    """``actor`` (None: the site's administration) did ``action`` in ``room`` (None: everywhere)."""
    AuditEntry.objects.create(
        room=room,
        actor_id=actor.user_id if actor is not None else None,
        actor_name=actor.name if actor is not None else SITE,
        action=action,
        target=target[:MAX_TARGET_CHARS],
        mid=mid,
        reason=reason,
        details=details,
    )
