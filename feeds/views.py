"""The pages for watching: the same for everybody, without cookies, live over Server-Sent Events."""

from html import escape

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views import View
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import conditional_page
from django_eventstream.utils import make_id

from chat import errors, policies
from chat.addresses import network_of_request
from chat.events import encode, room_fields
from chat.middleware import banned_page, error_response, wants_json
from chat.models import Room
from chat.pages import message_page, pinned_message
from chat.text import canonical_slug


def absolute(name: str, slug: str) -> str:
    """The public address of a room's page."""
    return settings.PUBLIC_URL + reverse(name, args=[slug])


@method_decorator(conditional_page, name="dispatch")
class ViewerView(View):
    """A page of a room for anybody. Asked for again it is revalidated, so that a deletion reaches every cache."""

    template_name: str
    url_name: str
    room: Room

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        canonical = canonical_slug(slug)
        room = Room.objects.filter(slug=canonical).first() if canonical else None
        self.room = room
        try:
            policies.require_readable(room, None, network_of_request(request))
            page = message_page(room, request.GET.get("before"))
        except (errors.RoomNotFound, errors.InvalidQuery):
            raise Http404() from None
        except errors.Banned as error:
            return error_response(error) if wants_json(request) else banned_page(request, error)
        if slug != room.slug:
            return HttpResponseRedirect(reverse(self.url_name, args=[room.slug]))
        stream = reverse("feeds:stream", args=[room.slug])
        context = {
            **page.context(),
            "room": room,
            "about_json": encode(room_fields(room)),
            "pinned_message": pinned_message(room),
            "report_url": reverse("feeds:report", args=[room.slug]),
            "stream_url": f"{stream}?{urlencode({'lastEventId': make_id({room.slug: page.head})})}",
            "room_url": absolute("chat:room", room.slug),
            "embed_snippet": embed_snippet(room) if policies.may_embed(room) else "",
        }
        response = render(request, self.template_name, context)
        response["Cache-Control"] = "no-cache"
        if not policies.may_be_indexed(room):
            response["X-Robots-Tag"] = "noindex"
        return response


class WatchView(ViewerView):
    template_name = "feeds/watch.html"
    url_name = "feeds:watch"


@method_decorator(xframe_options_exempt, name="dispatch")
class EmbedView(ViewerView):
    """What other sites may frame, if the room lets them."""

    template_name = "feeds/embed.html"
    url_name = "feeds:embed"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        response = super().get(request, slug)
        if response.status_code in (200, 403):  # a page, or why there is none for them
            response._csp_replace = {"frame-ancestors": self.room.embed_origins.split() or ["'none'"]}
        return response


def embed_snippet(room: Room) -> str:
    """The HTML that puts a room into a page."""
    return (
        f'<iframe src="{absolute("feeds:embed", room.slug)}" title="{escape(room.title)}" '
        'width="400" height="600" loading="lazy"></iframe>'
    )
