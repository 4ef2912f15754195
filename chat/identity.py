"""Who somebody is: an account, a guest with a signed name, or a passing guest.

A guest's identity is a cookie set over HTTP, since none can be set while a WebSocket is being accepted; a
client that brings none gets a name that lasts as long as its connection.
"""

import secrets
from dataclasses import dataclass, field
from typing import Literal

from django.core import signing

_SALT = "engawa.guest"


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who acts. ``key`` names them in the log and is public; it cannot be used to become them."""

    key: str
    name: str
    kind: Literal["user", "guest", "bot"]
    user_id: int | None = None
    is_staff: bool = False
    # The session that says so, for those who must be asked again while their connection is open.
    session_key: str | None = field(default=None, compare=False, repr=False)

    def as_dict(self) -> dict[str, str]:
        return {"name": self.name, "kind": self.kind, "id": self.key}


def new_guest(name: str | None = None) -> Identity:
    """A guest nobody has been before, with a made-up name where none is given."""
    key = "g" + secrets.token_urlsafe(15)
    return Identity(key=key, name=name or f"guest-{secrets.token_hex(2)}", kind="guest")


def guest_token(guest: Identity) -> str:
    """What a guest's cookie holds: their key and name, signed."""
    return signing.dumps([guest.key, guest.name], salt=_SALT)


def read_guest_token(token: str, max_age_seconds: int) -> Identity | None:
    """The guest whose token this is, or None where it is not ours, too old or damaged."""
    try:
        key, name = signing.loads(token, salt=_SALT, max_age=max_age_seconds)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Identity(key=key, name=name, kind="guest")
