"""GRIP: streams held by a proxy such as Pushpin, for audiences that outgrow our own processes.

With settings.GRIP_URL set, every committed event is also published to the proxy, in order (each names the one
before it), and requests that the proxy has signed are answered by django-eventstream's own view.
"""

from urllib.parse import quote

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.decorators import decorator_from_middleware
from django.views.decorators.http import require_GET
from django_eventstream.utils import publish_event, publish_kick
from django_eventstream.views import events as eventstream_view
from django_grip import GripMiddleware
from gripcontrol import parse_grip_uri, validate_sig

from chat import broadcast, events, meters, policies
from chat.addresses import network_of_request
from chat.events import LoggedEvent
from chat.models import Room
from chat.standing import standing_in
from chat.text import canonical_slug
from feeds.eventstream import RoomChannelManager


def is_configured() -> bool:
    return bool(getattr(settings, "GRIP_URL", ""))


def connect() -> None:
    """Publish to the proxy whatever is broadcast, where there is one."""
    if is_configured():
        broadcast.add_sink(publish)


def is_signed(signature: str | None) -> bool:
    """Whether a Grip-Sig header was made with our proxy's key."""
    if not signature or not is_configured():
        return False
    return validate_sig(signature, parse_grip_uri(settings.GRIP_URL)["key"])


def publish(room_id: int, slug: str, logged: list[LoggedEvent]) -> None:
    """A sink of the broadcast. The library sends from a thread of its own; the proxy orders by what comes before."""
    meters.grip.add(*("published" for _ in logged))
    for event in logged:
        publish_event(slug, event.type, event.json, str(event.seq), str(event.seq - 1), blocking=False)
        if event.type == events.ROOM_CHANGED and not RoomChannelManager().can_read_channel(None, slug):
            # The proxy lets its viewers go, and knows them by the quoted name, which the library forgets here.
            publish_kick("anonymous", quote(slug))


@require_GET
@decorator_from_middleware(GripMiddleware)
def view(request: HttpRequest, slug: str) -> HttpResponse:
    """django-eventstream's view of a room, for signed requests: what it holds open, the proxy holds.

    Everybody else is answered by ``feeds.streams`` and does not come here.
    """
    if not request.grip.signed or not _readable(slug, network_of_request(request)):
        raise Http404()
    response = eventstream_view(request, slug=slug)
    meters.grip.add("held")
    patch_vary_headers(response, ["Accept", "Authorization"])
    return response


def _readable(slug: str, network: str) -> bool:
    """Whether anybody may read the room, and a viewer from there."""
    canonical = canonical_slug(slug)
    if canonical is None or not RoomChannelManager().can_read_channel(None, canonical):
        return False
    room = Room.objects.get(slug=canonical)
    return policies.refusal_to_read(room, None, standing_in(room, None, network)) is None
