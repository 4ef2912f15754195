"""Who somebody is: an account, a guest with a signed name, or a passing guest.

A guest's identity is a cookie set over HTTP, since none can be set while a WebSocket is being accepted; a
client that brings none gets a name that lasts as long as its connection.
"""

import secrets
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from time import time
from typing import Literal

from django.core import signing

_SALT = "engawa.guest"


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who acts. ``key`` names them in the log and is public; it cannot be used to become them.

    ``since`` is when they came to be, in seconds of the epoch; ``network`` the keyed hash of where they come from ("":
    not known). A bot acts in the room ``room_id`` alone, within its ``scopes``.
    """

    key: str
    name: str
    kind: Literal["user", "guest", "bot"]
    user_id: int | None = None
    is_staff: bool = False
    room_id: int | None = None
    scopes: frozenset[str] = frozenset()
    # Keys that they had before: those of the guests that an account was.
    former: tuple[str, ...] = field(default=(), compare=False, repr=False)
    since: float = field(default=0.0, compare=False, repr=False)
    network: str = field(default="", compare=False, repr=False)
    # The session that says so, for those who must be asked again while their connection is open.
    session_key: str | None = field(default=None, compare=False, repr=False)
    # The colour of their letter, where they chose one (``chat.hues``).
    hue: int | None = field(default=None, compare=False, repr=False)

    @property
    def has_made_up_name(self) -> bool:
        """Whether they are called what follows from their key, and from no other: a name that nobody can take."""
        return self.kind == "guest" and self.name == _made_up_name(self.key)

    @property
    def ids(self) -> tuple[str, ...]:
        """Every key under which they have written."""
        return (self.key, *self.former)

    def as_dict(self) -> dict[str, str | int]:
        fields: dict[str, str | int] = {"name": self.name, "kind": self.kind, "id": self.key}
        return fields if self.hue is None else {**fields, "hue": self.hue}


@dataclass(frozen=True, slots=True)
class Grant:
    """What a view token gives: to read the room ``room_id`` until ``ends_at``, in seconds of the epoch, and nothing
    else. Whoever comes with it is a viewer still, without a key or a name."""

    token_id: int
    room_id: int
    ends_at: float


def new_guest(name: str | None = None, network: str = "") -> Identity:
    """A guest nobody has been before, with a made-up name where none is given."""
    key = "g" + secrets.token_urlsafe(15)
    return Identity(key=key, name=name or _made_up_name(key), kind="guest", since=time(), network=network)


@lru_cache(maxsize=4096)  # asked several times for each message
def _made_up_name(key: str) -> str:
    return f"guest-{sha256(key.encode()).hexdigest()[:6]}"


def guest_token(guest: Identity) -> str:
    """What a guest's cookie holds: their key, their name and since when there is that guest, signed."""
    return signing.dumps([guest.key, guest.name, guest.since], salt=_SALT)


def read_guest_token(token: str, max_age_seconds: int) -> Identity | None:
    """The guest whose token this is, or None where it is not ours, too old or damaged."""
    try:
        key, name, *since = signing.loads(token, salt=_SALT, max_age=max_age_seconds)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Identity(key=key, name=name, kind="guest", since=since[0] if since else 0.0)
