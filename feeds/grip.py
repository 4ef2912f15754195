"""GRIP: streams held by a proxy such as Pushpin, for audiences that outgrow our own processes.

With settings.GRIP_URL set, requests that the proxy has signed are answered for it (``feeds.held``), and what happens is
published to it (``feeds.publishing``). What both must agree on is here: the key, and the names of channels.

A viewer that the proxy holds is on the channel of the room's events and on those by which the proxy is told to *ask
again*: to request the viewer's link, as it does by itself after settings.GRIP_ASK_SECONDS. Whether they may stay is
thus decided where it is decided for everybody.
"""

from functools import lru_cache
from urllib.parse import quote

from django.conf import settings
from gripcontrol import parse_grip_uri, validate_sig

EVERYBODY = "everybody"  # all who are held
PEOPLE = "people"  # of whom more is known than where they come from
ANYBODY = "anybody"  # the others


def is_configured() -> bool:
    return bool(getattr(settings, "GRIP_URL", ""))


@lru_cache(maxsize=8)
def parsed(url: str) -> dict:
    """What a GRIP_URL says: ``control_uri``, ``key`` and, where it is there, ``control_iss``."""
    return parse_grip_uri(url)


def is_signed(signature: str | None) -> bool:
    """Whether a Grip-Sig header was made with our proxy's key."""
    if not signature or not is_configured():
        return False
    return validate_sig(signature, parsed(settings.GRIP_URL)["key"])


def of_events(slug: str) -> str:
    """The channel of a room's events."""
    return f"events-{quote(slug, safe='')}"


def in_room(channel: str, room_id: int) -> str:
    """PEOPLE or ANYBODY, of one room."""
    return f"{channel}-{room_id}"


def of_account(user_id: int) -> str:
    return f"user-{user_id}"
