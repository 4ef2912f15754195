"""The pages for watching: the same for everybody, without cookies, live over Server-Sent Events."""

from html import escape

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.clickjacking import xframe_options_exempt
from django_eventstream.utils import make_id

from chat import policies
from chat.events import encode, room_fields
from chat.models import Room
from chat.pages import message_page, pinned_message
from feeds.reading import ReadView


def absolute(name: str, slug: str) -> str:
    """The public address of a room's page."""
    return settings.PUBLIC_URL + reverse(name, args=[slug])


class ViewerView(ReadView):
    """A page of a room for anybody."""

    template_name: str

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, self.template_name, self.context(request))

    def context(self, request: HttpRequest) -> dict[str, object]:
        room = self.room
        page = message_page(room, request.GET.get("before"))
        stream = reverse("feeds:stream", args=[room.slug])
        return {
            **page.context(),
            "room": room,
            "about_json": encode(room_fields(room)),
            "pinned_message": pinned_message(room),
            "report_url": reverse("feeds:report", args=[room.slug]),
            "stream_url": f"{stream}?{urlencode({'lastEventId': make_id({room.slug: page.head})})}",
            "room_url": absolute("chat:room", room.slug),
            "embed_snippet": embed_snippet(room) if policies.may_embed(room) else "",
        }


class WatchView(ViewerView):
    template_name = "feeds/watch.html"


@method_decorator(xframe_options_exempt, name="dispatch")
class EmbedView(ViewerView):
    """What other sites may frame, if the room lets them."""

    template_name = "feeds/embed.html"

    def dispatch(self, request: HttpRequest, slug: str, **rest: str) -> HttpResponseBase:
        response = super().dispatch(request, slug, **rest)
        if response.status_code in (200, 304, 403):  # a page, or why there is none for them
            response._csp_replace = {"frame-ancestors": self.room.embed_origins.split() or ["'none'"]}
        return response


def embed_snippet(room: Room) -> str:
    """The HTML that puts a room into a page."""
    return (
        f'<iframe src="{absolute("feeds:embed", room.slug)}" title="{escape(room.title)}" '
        'width="400" height="600" loading="lazy"></iframe>'
    )
