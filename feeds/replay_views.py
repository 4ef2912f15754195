"""The page on which a room is played again, for anybody and for people. The scripts on it do the playing."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django_eventstream.utils import make_id

from chat import errors
from chat.events import encode, room_fields
from chat.models import Room
from chat.pages import permalinks
from chat.views import PersonView
from feeds.archives import Ways
from feeds.asking import read_span
from feeds.reading import ReadView

SPEEDS = ("0.5", "1", "2", "5", "10", "60", "max")
GAP_SECONDS = 5  # beyond, the page skips the rest of a silence


def contents(room: Room, ways: Ways, query: dict[str, str], stream: str) -> dict[str, Any]:
    """``stream`` is where what changes meanwhile is told. Raises ``InvalidQuery``."""
    read_span(query)
    asked = {name: query[name] for name in ("from", "to") if query.get(name)}
    return {
        "room": room,
        "about_json": encode(room_fields(room)),
        "messages_page": [],
        "permalinks": permalinks("chat:message" if ways.prefix else "feeds:message", room),
        "cursor": room.head,
        "is_latest": True,
        "stream_url": f"{stream}?{urlencode({'lastEventId': make_id({room.slug: room.head})})}",
        "replay_url": f"{ways.to('replay')}/stream?{urlencode({**asked, 'gap': GAP_SECONDS})}",
        "gap_seconds": GAP_SECONDS,
        "speeds": SPEEDS,
        "speed": query.get("speed") if query.get("speed") in SPEEDS else "1",
        "since": asked.get("from", ""),
        "until": asked.get("to", ""),
        "archive_url": ways.to("archive"),
        "page_url": ways.to("replay"),
    }


class ReplayView(ReadView):
    """For anybody."""

    is_listed = False

    def get(self, request: HttpRequest) -> HttpResponse:
        stream = reverse("feeds:stream", args=[self.room.slug])
        context = contents(self.room, Ways(self.room, ""), request.GET, stream)
        context["watch_url"] = reverse("feeds:watch", args=[self.room.slug])
        return render(request, "feeds/replay.html", context)


class MemberReplayView(PersonView):
    """For people: of private rooms, and to members with what was said in private."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        room, _ = self.room(slug)
        ways = Ways(room, "member_")
        if slug != room.slug:
            return HttpResponseRedirect(ways.to("replay"))
        room_url = reverse("chat:room", args=[room.slug])
        try:
            context = contents(room, ways, request.GET, f"{room_url}stream")
        except errors.InvalidQuery:
            raise Http404() from None
        response = render(request, "feeds/replay.html", {**context, "watch_url": room_url})
        response["X-Robots-Tag"] = "noindex"
        return response
