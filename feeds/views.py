"""The pages for watching: the same for everybody, without cookies, live over Server-Sent Events."""

from html import escape

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.clickjacking import xframe_options_exempt
from django_eventstream.utils import make_id

from chat import policies
from chat.events import encode, room_fields
from chat.mids import mid_as_written
from chat.models import Room
from chat.pages import MessagePage, message_page, permalinks, pinned_message, readable_in
from feeds.addresses import absolute
from feeds.reading import ReadView


class ViewerView(ReadView):
    """A page of a room for anybody."""

    template_name: str
    path_name: str

    def get(self, request: HttpRequest) -> HttpResponse:
        page = message_page(self.room, request.GET.get("before"), after=request.GET.get("after"))
        return self.page(request, page)

    def page(self, request: HttpRequest, page: MessagePage) -> HttpResponse:
        return render(request, self.template_name, self.context(page))

    def context(self, page: MessagePage) -> dict[str, object]:
        room = self.room
        stream = reverse("feeds:stream", args=[room.slug])
        return {
            **page.context(),
            "room": room,
            "page_path": reverse(self.path_name, args=[room.slug]),
            "permalinks": permalinks("feeds:message", room),
            "about_json": encode(room_fields(room)),
            "pinned_message": pinned_message(room),
            "report_url": reverse("feeds:report", args=[room.slug]),
            "stream_url": f"{stream}?{urlencode({'lastEventId': make_id({room.slug: page.head})})}",
            "room_url": absolute("chat:room", room.slug),
            "embed_snippet": embed_snippet(room) if policies.may_embed(room) else "",
        }


class WatchView(ViewerView):
    template_name = "feeds/watch.html"
    path_name = "feeds:watch"


class MessageView(WatchView):
    """The watch page where one message stands: its permanent address."""

    def etag(self, request: HttpRequest, mid: str) -> str | None:
        # A validator may be guessed (*), and must not tell of what is gone, or is for members.
        return super().etag(request) if readable_in(self.room).filter(mid=mid).exists() else None

    def get(self, request: HttpRequest, mid: str) -> HttpResponseBase:
        written = mid_as_written(mid)
        if mid != written:
            return HttpResponseRedirect(self.canonical_address(request, {"mid": written}))
        return self.page(request, message_page(self.room, around=mid))


@method_decorator(xframe_options_exempt, name="dispatch")
class EmbedView(ViewerView):
    """What other sites may frame, if the room lets them."""

    template_name = "feeds/embed.html"
    is_listed = False
    path_name = "feeds:embed"

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
