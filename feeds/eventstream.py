"""django-eventstream, told about our rooms: a channel is a room's slug, an event id is its number in the log.

Its storage and channel manager are ours, so that its own view (which signed GRIP requests reach) and our
streams answer alike; its request parsing reads our streams' cursors, behind ``read_request``, which lets through
nothing that only a proxy with a key may say.
"""

from urllib.parse import parse_qsl, urlencode

from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from django_eventstream.channelmanager import ChannelManagerBase
from django_eventstream.event import Event
from django_eventstream.eventrequest import EventRequest
from django_eventstream.storage import EventDoesNotExist, StorageBase

from chat import errors, log, policies
from chat.models import Room, User
from chat.protocol import MAX_PARAMETERS, read_cursor
from chat.text import canonical_slug

# What the library believes of anybody: that a token names the reader and channels, that a proxy holds the
# cursors, that this is the continuation of an earlier answer.
_PROXY_PARAMETERS = frozenset({"es-meta", "recover", "link"})


def read_request(scope: dict, slug: str) -> tuple[str, int | None, dict[str, str]]:
    """The room, the cursor and the other parameters that a stream's request asks for.

    Without the database: nothing here waits. Raises ``InvalidHost``, ``InvalidQuery``, ``RoomNotFound``,
    ``InvalidCursor``.
    """
    try:
        pairs = parse_qsl(scope["query_string"].decode("latin1"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise errors.InvalidQuery("That is more parameters than a stream has.") from None
    allowed = [(name, value) for name, value in pairs if name not in _PROXY_PARAMETERS]
    request = ASGIRequest({**scope, "query_string": urlencode(allowed).encode()}, None)
    try:
        request.get_host()
    except DisallowedHost:
        raise errors.InvalidHost() from None
    try:
        parsed = EventRequest(request, view_kwargs={"slug": slug})
    except EventRequest.ResumeNotAllowedError:
        raise errors.InvalidCursor("A stream that ended with an error is not resumed.") from None
    except EventRequest.Error as error:
        raise (errors.InvalidCursor() if "parse" in str(error) else errors.RoomNotFound()) from None
    (channel,) = parsed.channels
    cursor = parsed.channel_last_ids.get(channel)
    return channel, None if cursor is None else read_cursor(cursor), dict(allowed)


class RoomChannelManager(ChannelManagerBase):
    def get_channels_for_request(self, request: HttpRequest, view_kwargs: dict[str, str]) -> set[str]:
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
