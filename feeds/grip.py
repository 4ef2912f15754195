"""GRIP: streams held by a proxy such as Pushpin, for audiences that outgrow our own processes.

With settings.GRIP_URL set, every committed event is also published to the proxy, in order (each names the one
before it), and requests that the proxy has signed are answered by django-eventstream's own view.
"""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.decorators import decorator_from_middleware
from django.views.decorators.http import require_GET
from django_eventstream.eventstream import channel_permission_changed
from django_eventstream.utils import publish_event
from django_eventstream.views import events as eventstream_view
from django_grip import GripMiddleware
from gripcontrol import parse_grip_uri, validate_sig

from chat import broadcast, events
from chat.events import LoggedEvent
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


def publish(room_id: int, slug: str, event: LoggedEvent) -> None:
    """A sink of the broadcast. The library sends from a thread of its own; the proxy orders by what comes before."""
    publish_event(slug, event.type, event.json, str(event.seq), str(event.seq - 1), blocking=False)
    if event.type == events.ROOM_CHANGED:
        channel_permission_changed(None, slug)  # the proxy lets its anonymous viewers go where they may not stay


@require_GET
@decorator_from_middleware(GripMiddleware)
def view(request: HttpRequest, slug: str) -> HttpResponse:
    """django-eventstream's view of a room, for signed requests: what it holds open, the proxy holds.

    Everybody else is answered by ``feeds.streams`` and does not come here.
    """
    if not request.grip.signed or not _readable(slug):
        raise Http404()
    return eventstream_view(request, slug=slug)


def _readable(slug: str) -> bool:
    rooms = RoomChannelManager()
    return all(
        rooms.can_read_channel(None, channel) for channel in rooms.get_channels_for_request(None, {"slug": slug})
    )
