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


def proxies() -> list[str]:
    """The addresses in settings.GRIP_URL: of none, of one, or of several that share the viewers."""
    return [url.strip() for url in getattr(settings, "GRIP_URL", "").split(",") if url.strip()]


def is_configured() -> bool:
    return bool(proxies())


@lru_cache(maxsize=64)
def parsed(url: str) -> dict:
    """What an address says: ``control_uri``, ``key`` and, where it is there, ``control_iss``."""
    return parse_grip_uri(url)


def is_signed(signature: str | None) -> bool:
    """Whether a Grip-Sig header was made with a key of one of our proxies."""
    return bool(signature) and any(validate_sig(signature, parsed(url)["key"]) for url in proxies())


def of_events(slug: str) -> str:
    """The channel of a room's events."""
    return f"events-{quote(slug, safe='')}"


def in_room(channel: str, room_id: int) -> str:
    """PEOPLE or ANYBODY, of one room."""
    return f"{channel}-{room_id}"


def of_account(user_id: int) -> str:
    return f"user-{user_id}"
