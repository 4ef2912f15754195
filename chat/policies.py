"""Who may do what: the one policy that every door asks.

Doors ask after registering as a follower, so that nothing slips between the check and the first event; actions
ask inside the transaction of their append.
"""

from django.conf import settings

from chat import errors
from chat.identity import Identity
from chat.models import Membership, Message, Room

NO_ROLE = "none"
_GOVERNING = (Membership.Role.OWNER, Membership.Role.MODERATOR)


def role_in(room: Room, actor: Identity | None) -> str:
    """``actor``'s role in ``room``: owner, moderator, member or none."""
    return NO_ROLE if actor is None else roles_in(room, {actor})[actor]


def roles_in(room: Room, actors: set[Identity]) -> dict[Identity, str]:
    """The role in ``room`` of each of ``actors``, in one query at most."""
    user_ids = {actor.user_id for actor in actors if actor.user_id is not None}
    if not user_ids:
        return dict.fromkeys(actors, NO_ROLE)
    roles = dict(Membership.objects.filter(room=room, user_id__in=user_ids).values_list("user_id", "role"))
    return {actor: roles.get(actor.user_id, NO_ROLE) for actor in actors}


def anyone_may_read(visibility: str) -> bool:
    """Whether a room of that visibility is open to somebody of whom nothing is known."""
    return visibility in (Room.Visibility.PUBLIC, Room.Visibility.UNLISTED)


def may_read(room: Room, role: str) -> bool:
    return anyone_may_read(room.visibility) or role != NO_ROLE


def readers_among(room: Room, actors: set[Identity]) -> set[Identity]:
    """Those of ``actors`` who may read ``room``."""
    roles = roles_in(room, actors)
    return {actor for actor in actors if may_read(room, roles[actor])}


def may_post(room: Room, role: str) -> bool:
    return may_read(room, role)


def may_create_rooms(actor: Identity) -> bool:
    """As settings.ROOM_CREATION says."""
    match settings.ROOM_CREATION:
        case "everyone":
            return True
        case "signed-in":
            return actor.user_id is not None
        case _:
            return actor.is_staff


def may_edit(message: Message, actor: Identity) -> bool:
    return message.author_key == actor.key


def may_delete(message: Message, actor: Identity, role: str) -> bool:
    return message.author_key == actor.key or role in _GOVERNING


def may_govern(role: str) -> bool:
    """Whether somebody with that role may change the room itself."""
    return role == Membership.Role.OWNER


def may_embed(room: Room) -> bool:
    """Whether any other site may frame the room: only what a stranger may read, and only where the room allows."""
    return anyone_may_read(room.visibility) and bool(room.embed_origins.strip())


def permissions(room: Room, role: str) -> dict[str, bool]:
    """What somebody with that role may do, as told to their client."""
    return {"post": may_post(room, role), "moderate": role in _GOVERNING, "govern": may_govern(role)}


def require(allowed: bool, detail: str | None = None) -> None:
    """Raise ``NotAllowed`` unless ``allowed``."""
    if not allowed:
        raise errors.NotAllowed(detail)


def require_readable(room: Room | None, actor: Identity | None) -> str:
    """``actor``'s role in ``room``. Raises ``RoomNotFound`` where there is none or they may not know of it."""
    if room is None:
        raise errors.RoomNotFound()
    role = role_in(room, actor)
    if not may_read(room, role):
        raise errors.RoomNotFound()
    return role
