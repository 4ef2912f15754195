"""Several rooms on one page, side by side, live on one stream; without rooms in the address, those to choose from."""

from dataclasses import dataclass
from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import urlencode
from django_eventstream.utils import make_id

from chat import errors, policies
from chat.models import Room
from chat.pages import MessagePage, message_page, permalinks
from chat.sentences import counted
from feeds.reading import ReadView, etag_of, reader_of, room_at

MESSAGES = 20  # of each room
ROOMS_TO_CHOOSE_FROM = 50
STREAM = "/feeds/stream"  # beside Django, which therefore does not know it


@dataclass(frozen=True, slots=True)
class Pane:
    """A room's place on the page."""

    room: Room
    page: MessagePage

    @property
    def permalinks(self) -> str:
        return permalinks("feeds:message", self.room)

    @property
    def report_url(self) -> str:
        return reverse("feeds:report", args=[self.room.slug])


class SeveralView(ReadView):
    """``/feeds/?room=a&room=b``. Rooms that the reader may not read and rooms that there are not are left out alike;
    where none is left, there is no such page."""

    def dispatch(self, request: HttpRequest) -> HttpResponseBase:
        return super().dispatch(request, "")

    def answer(self, request: HttpRequest, slug: str, rest: dict[str, str]) -> HttpResponseBase:
        if request.method not in ("GET", "HEAD"):
            return super().answer(request, slug, rest)
        self.reader = reader_of(request)
        named = list(dict.fromkeys(request.GET.getlist("room")))
        if not named:
            return self.choice(request)
        if len(named) > settings.MAX_STREAM_ROOMS:
            raise errors.InvalidQuery(
                counted(
                    "One page shows %(count)s room at most.",
                    "One page shows %(count)s rooms at most.",
                    settings.MAX_STREAM_ROOMS,
                )
            )
        found = [self.readable(name) for name in named]
        rooms = list({room.pk: room for room in found if room is not None}.values())
        if not rooms:
            raise errors.RoomNotFound()
        missing = found.count(None)
        etag = f'W/"{sha256("".join(etag_of(room, missing) for room in rooms).encode()).hexdigest()[:24]}"'
        response = get_conditional_response(request, etag) or self.several(request, rooms, missing)
        self.mark(response, etag)
        return response

    def readable(self, name: str) -> Room | None:
        room = room_at(name)
        try:
            policies.require_readable(room, None, self.reader.network, self.reader.grant)
        except (errors.RoomNotFound, errors.Banned):
            return None
        return room

    def several(self, request: HttpRequest, rooms: list[Room], missing: int) -> HttpResponse:
        panes = [Pane(room, message_page(room, size=MESSAGES)) for room in rooms]
        place = make_id({pane.room.slug: pane.page.head for pane in panes})
        asked = [*(("room", room.slug) for room in rooms), ("lastEventId", place)]
        context = {
            "panes": panes,
            "missing": missing,
            # A stream cannot be asked for with the header that a private room was read with.
            "stream_url": "" if self.reader.grant else f"{STREAM}?{urlencode(asked)}",
            "live_url": f"{STREAM}.html?{urlencode(asked[:-1])}",
        }
        return render(request, "feeds/several.html", context)

    def choice(self, request: HttpRequest) -> HttpResponse:
        rooms = Room.objects.listed_for(None)[:ROOMS_TO_CHOOSE_FROM]
        response = render(request, "feeds/choose.html", {"rooms": rooms, "most": settings.MAX_STREAM_ROOMS})
        response["Cache-Control"] = "no-cache"
        response["X-Robots-Tag"] = "noindex"
        return response

    def mark(self, response: HttpResponseBase, etag: str | None) -> None:
        self.room = Room(is_indexed=False)  # what is on the page is indexed, if at all, where it belongs
        super().mark(response, etag)
