"""Our public addresses: made, and recognised where somebody names one."""

from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from django.conf import settings
from django.templatetags.static import static
from django.urls import Resolver404, resolve, reverse

from chat.mids import is_mid, mid_as_written
from chat.models import Room
from chat.pages import permalinks
from chat.text import canonical_slug

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Pages that are a room, or a message in it: for anybody, for those of the room, for other sites to frame.
_OF_A_ROOM = ("feeds:watch", "feeds:embed", "chat:room")
_OF_A_MESSAGE = ("feeds:message", "chat:message")


def absolute(name: str, slug: str, *rest: str) -> str:
    """The public address of a room's page; ``rest`` is what stands in it beside the slug."""
    return settings.PUBLIC_URL + reverse(name, args=[slug, *rest])


def permanent_addresses(room: Room) -> str:
    """What stands before the mid in the public addresses of a room's messages."""
    return settings.PUBLIC_URL + permalinks("feeds:message", room)


def public_file(path: str) -> str:
    """The public address of one of our own files."""
    return settings.PUBLIC_URL + static(path)


@dataclass(frozen=True, slots=True)
class Named:
    """The room that an address of ours names, as its slug is written, and the message, if it names one."""

    slug: str
    mid: str | None = None


def read_address(url: str) -> Named | None:
    """What an address names, whether or not there is such a thing; None where it is not ours, or of something else."""
    try:
        parts = urlsplit(url.strip())
        if _site(parts) != _site(urlsplit(settings.PUBLIC_URL)) or parts.username is not None:
            return None
        path = unquote(parts.path)
        match = resolve(path if path.endswith("/") else f"{path}/")
    except (ValueError, Resolver404):
        return None
    slug = canonical_slug(match.kwargs.get("slug", ""))
    if slug is None:
        return None
    if match.view_name in _OF_A_ROOM:
        return Named(slug)
    if match.view_name in _OF_A_MESSAGE and is_mid(mid := mid_as_written(match.kwargs["mid"])):
        return Named(slug, mid)
    return None


def _site(parts: SplitResult) -> tuple[str | None, int | None]:
    """Host and port, whichever of HTTP's two schemes it is spoken in. Raises ``ValueError``."""
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError
    return parts.hostname, None if parts.port == _DEFAULT_PORTS[parts.scheme] else parts.port
