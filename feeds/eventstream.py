"""django-eventstream, told about our rooms: a channel is a room's slug, an event id is its number in the log.

Its request parsing reads our streams' cursors, behind ``read_request``, which lets through nothing that only a proxy
with a key may say. Its storage and channel manager are ours, so that whatever else of it is called says what our
streams say; requests that a proxy signed reach ``feeds.held``, and not its view.
"""

from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _
from django_eventstream.channelmanager import ChannelManagerBase
from django_eventstream.event import Event
from django_eventstream.eventrequest import EventRequest
from django_eventstream.storage import EventDoesNotExist, StorageBase

from chat import errors, log, policies
from chat.models import Room, User
from chat.protocol import MAX_PARAMETERS, read_cursor, read_history
from chat.sentences import counted, filled
from chat.text import canonical_slug

# What the library believes of anybody: that a token names the reader and channels, that a proxy holds the
# cursors, that this is the continuation of an earlier answer.
_PROXY_PARAMETERS = frozenset({"es-meta", "recover", "link"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a stream's request asks for: its ``rooms`` by slug, each once, in the order in which they were named;
    ``cursors`` by slug, where it brought some; ``history``, the size of a snapshot, or None. ``parameters`` are all
    that were in its address, but for what only a proxy may say."""

    request: ASGIRequest
    rooms: tuple[str, ...]
    cursors: dict[str, int]
    history: int | None
    parameters: QueryDict
    is_merged: bool

    @property
    def tickets(self) -> list[str]:
        return self.parameters.getlist("ticket")

    def number(self, name: str, otherwise: int) -> int:
        """A parameter that is a number. Raises ``InvalidQuery``."""
        text = self.parameters.get(name, str(otherwise))
        if not (1 <= len(text) <= 9 and text.isascii() and text.isdigit()):
            raise errors.InvalidQuery(filled(_("%(name)s is a number."), name=name))
        return int(text)

    def wants(self, *names: str) -> bool:
        """Whether one of these parameters is there, and is not said to be off."""
        return any(self.parameters.get(name, "0") not in ("", "0", "false", "no") for name in names)


def read_request(scope: dict, slug: str | None) -> Asked:
    """What is asked of the stream of the room ``slug``, or of those in the address (None).

    Without the database: nothing here waits. Raises ``InvalidHost``, ``InvalidQuery``, ``RoomNotFound``,
    ``InvalidCursor``.
    """
    most = MAX_PARAMETERS + (0 if slug is not None else 2 * settings.MAX_STREAM_ROOMS)
    try:
        pairs = parse_qsl(scope["query_string"].decode("latin1"), keep_blank_values=True, max_num_fields=most)
    except ValueError:
        raise errors.InvalidQuery(_("That is more parameters than a stream has.")) from None
    allowed = [(name, value) for name, value in pairs if name not in _PROXY_PARAMETERS]
    named = [slug] if slug is not None else [value for name, value in allowed if name == "room"]
    rooms = tuple(dict.fromkeys(canonical for name in named if (canonical := canonical_slug(name)) is not None))
    if not rooms:
        raise errors.RoomNotFound()
    if len(rooms) > settings.MAX_STREAM_ROOMS:
        raise errors.InvalidQuery(
            counted(
                "One stream follows %(count)s room at most.",
                "One stream follows %(count)s rooms at most.",
                settings.MAX_STREAM_ROOMS,
            )
        )
    headers = scope["headers"]
    if len(rooms) == 1:  # a number alone says enough
        allowed = [(name, _named(value, rooms[0]) if name == "lastEventId" else value) for name, value in allowed]
        headers = [
            (name, _named(value.decode("latin1"), rooms[0]).encode("latin1") if name == b"last-event-id" else value)
            for name, value in headers
        ]
    request = ASGIRequest({**scope, "headers": headers, "query_string": urlencode(allowed).encode()}, None)
    try:
        request.get_host()
    except DisallowedHost:
        raise errors.InvalidHost() from None
    try:
        parsed = EventRequest(request, channel_limit=len(rooms), view_kwargs={"channels": rooms})
    except EventRequest.ResumeNotAllowedError:
        raise errors.InvalidCursor(_("A stream that ended with an error is not resumed.")) from None
    except EventRequest.Error:
        raise errors.InvalidCursor() from None
    return Asked(
        request=request,
        rooms=rooms,
        cursors={slug: read_cursor(cursor) for slug, cursor in parsed.channel_last_ids.items()},
        history=read_history(request.GET["history"]) if "history" in request.GET else None,
        parameters=request.GET,
        is_merged=slug is None,
    )


def _named(cursor: str, slug: str) -> str:
    return f"{quote(slug)}:{cursor}" if cursor.isascii() and cursor.isdigit() else cursor


class RoomChannelManager(ChannelManagerBase):
    def get_channels_for_request(self, request: HttpRequest, view_kwargs: dict[str, str]) -> set[str]:
        if "channels" in view_kwargs:  # read already
            return set(view_kwargs["channels"])
        slug = canonical_slug(view_kwargs["slug"])
        return {slug} if slug else set()

    def can_read_channel(self, user: User | None, channel: str) -> bool:
        try:
            policies.require_readable(Room.objects.filter(slug=channel).first(), user.identity if user else None)
        except (errors.RoomNotFound, errors.Banned):
            return False
        return True

    def is_channel_reliable(self, channel: str) -> bool:
        return True


class LogStorage(StorageBase):
    """The rooms' logs, read only: ``chat.log`` writes them."""

    def append_event(self, channel: str, event_type: str, data: object) -> Event:
        raise TypeError("events are appended by actions, through chat.log")

    def get_events(self, channel: str, last_id: int, limit: int = 100) -> list[Event]:
        page = log.read(self._room_id(channel), int(last_id), limit)
        if page.reset:
            raise EventDoesNotExist(f"The log cannot be resumed from {last_id}.", page.head)
        return [Event(channel, event.type, event.json, id=event.seq) for event in page.events]

    def get_current_id(self, channel: str) -> int:
        return Room.objects.values_list("head", flat=True).get(slug=channel)

    @staticmethod
    def _room_id(channel: str) -> int:
        return Room.objects.values_list("pk", flat=True).get(slug=channel)
