"""Messages that wait for a moderator."""

import uuid
from collections.abc import Collection

from chat import errors, site
from chat.answers import Answer, Held
from chat.identity import Identity
from chat.models import HeldMessage, Room

WAITS = "Your message waits until a moderator has seen it."
REJECTED = "A moderator did not approve that message."


def held_message(
    room: Room, actor: Identity, role: str, key: uuid.UUID, text: str, reply_to: str, caught_by: str
) -> HeldMessage:
    """A message to be held in ``room``. Not saved yet."""
    return HeldMessage(
        room=room,
        author_id=actor.user_id,
        author_key=actor.key,
        author_name=actor.name,
        author_kind=actor.kind,
        author_role=role,
        key=key,
        text=text,
        reply_to=reply_to,
        network=actor.network,
        caught_by=caught_by,
    )


def hold(room: Room, held: list[HeldMessage]) -> None:
    """Keep messages for the moderators of ``room``, which the caller has locked, and have them told."""
    HeldMessage.objects.bulk_create(held)
    if not room.has_held:
        room.has_held = True
        room.save(update_fields=["has_held"])
    site.queue_changed(room.pk)


def held_before(
    room: Room, author_keys: Collection[str], keys: Collection[uuid.UUID]
) -> dict[tuple[str, uuid.UUID], Answer]:
    """What to answer to who posts again what is held, or was turned away: by author and key."""
    found = HeldMessage.objects.filter(room=room, author_key__in=author_keys, key__in=keys)
    answers: dict[tuple[str, uuid.UUID], Answer] = {}
    for author, key, state in found.order_by().values_list("author_key", "key", "state"):
        if state == HeldMessage.State.WAITING:
            answers[author, key] = Held(key=str(key), detail=WAITS)
        elif state == HeldMessage.State.REJECTED:
            answers[author, key] = errors.TextRefused(REJECTED)
    return answers
