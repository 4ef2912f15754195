"""Messages that wait for a moderator."""

import uuid
from collections import Counter
from collections.abc import Collection

from django.conf import settings
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import errors, site
from chat.answers import Answer, Held
from chat.errors import ChatError
from chat.filters import WAITS
from chat.identity import Identity
from chat.models import HeldMessage, Room

REJECTED = _("A moderator did not approve that message.")


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


def waiting_of(room: Room, actors: Collection[Identity]) -> Counter[str]:
    """How many messages of each of these wait in ``room``, by key, and of all guests of a network, by its hash."""
    keys = {actor.key for actor in actors}
    networks = {actor.network for actor in actors if actor.kind == "guest" and actor.network}
    found = HeldMessage.objects.filter(room=room, state=HeldMessage.State.WAITING)
    waiting: Counter[str] = Counter()
    for name, names in (("author_key", keys), ("network", networks)):
        theirs = found.filter(**{f"{name}__in": names}).order_by().values_list(name).annotate(Count("pk"))
        waiting.update(dict(theirs))
    return waiting


def refusal_to_hold(waiting: Counter[str], actor: Identity) -> ChatError | None:
    """Why no more of somebody's messages can wait (settings.MAX_HELD), if they cannot; else one more of them does."""
    names = [actor.key] + ([actor.network] if actor.kind == "guest" and actor.network else [])
    if any(waiting[name] >= settings.MAX_HELD for name in names):
        return errors.TooManyPosts(_("Too many of your messages wait for a moderator already."))
    waiting.update(names)
    return None


def hold(room: Room, held: list[HeldMessage]) -> None:
    """Keep messages for the moderators of ``room``, which the caller has locked, and have them told."""
    HeldMessage.objects.bulk_create(held)
    if not room.has_held:
        room.has_held = True
        room.save(update_fields=["has_held"])
    site.queue_changed(room.pk)


def reject_all(room: Room) -> None:
    """Turn away whatever waits in ``room``, which the caller has locked."""
    waiting = HeldMessage.objects.filter(room=room, state=HeldMessage.State.WAITING)
    if waiting.update(state=HeldMessage.State.REJECTED, text="", handled_at=timezone.now()):
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
