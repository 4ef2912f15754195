"""The pages for watching: the same for everybody, without cookies, live over Server-Sent Events."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django_eventstream.utils import make_id

from chat import policies
from chat.events import encode, message_fields, room_fields
from chat.mids import is_mid, mid_as_written
from chat.pages import MessagePage, message_page, page_fields, page_size, permalinks, pinned_message, readable_in
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
            "may_embed": policies.may_embed(room),
        }


class WatchView(ViewerView):
    template_name = "feeds/watch.html"
    path_name = "feeds:watch"


class MessageView(WatchView):
    """The watch page where one message stands: its permanent address."""

    def etag(self, request: HttpRequest, mid: str) -> str | None:
        # A validator may be guessed (*), and must not tell of what is gone, or is for members.
        is_there = is_mid(mid) and readable_in(self.room).filter(mid=mid).exists()
        return super().etag(request) if is_there else None

    def get(self, request: HttpRequest, mid: str) -> HttpResponseBase:
        written = mid_as_written(mid)
        if mid != written:
            return HttpResponseRedirect(self.canonical_address(request, {"mid": written}))
        return self.page(request, message_page(self.room, around=mid))


class MessagesView(ReadView):
    """The history that ``chat:messages`` gives to people, for anybody: ``before``, ``limit``, and ``from``, the message
    to begin with. Who reads by a ticket may have it, too, as they may begin a stream with it."""

    is_for_programs = True
    is_listed = False
    takes_tickets = True

    def get(self, request: HttpRequest) -> HttpResponse:
        asked = request.GET
        size = page_size(asked.get("limit", ""))
        page = message_page(self.room, asked.get("before"), size, since=asked.get("from"))
        pinned = pinned_message(self.room)
        fields = {
            **page_fields(self.room, page),
            "later": page.later_mid,
            "pinned": message_fields(pinned, self.room.slug) if pinned else None,
        }
        return JsonResponse(fields, json_dumps_params={"ensure_ascii": False})
