"""The page where a transcript is chosen, for anybody and for people: its forms, how many messages, how large."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from chat import errors, policies
from chat.languages import PARAMETER
from chat.models import Room
from chat.pages import readable_in
from chat.views import PersonView
from feeds.archives import Ways
from feeds.asking import read_span, within
from feeds.reading import ReadView
from feeds.transcripts import FORMS

MOST_COUNTED = 100_000  # beyond, it is said that there are more
SAMPLE = 100  # messages by which the size is estimated


def beside_django(request: HttpRequest, slug: str, form: str = "") -> HttpResponse:
    """Its address has a name here; what answers there stands beside Django."""
    raise Http404()


def contents(room: Room, ways: Ways, query: dict[str, str], *, sees_sealed: bool) -> dict[str, Any]:
    """Raises ``InvalidQuery``."""
    messages = within(readable_in(room, sees_sealed=sees_sealed), read_span(query))
    count = messages.values("mid")[: MOST_COUNTED + 1].count()
    sample = list(messages.order_by("-mid")[:SAMPLE])
    forms = []
    for form in FORMS.values():
        written = sum(len(form.message(message, room.slug).encode()) for message in sample)
        forms.append(
            {
                "name": form.name,
                "title": form.title,
                "url": ways.to("export", form=form.name),
                "mark": form.mark,
                "extra_marks": form.extra_marks,
                "bytes": written * min(count, MOST_COUNTED) // max(1, len(sample)),
            }
        )
    return {
        "room": room,
        "forms": forms,
        "count": min(count, MOST_COUNTED),
        "is_more": count > MOST_COUNTED,
        "since": query.get("from", ""),
        "until": query.get("to", ""),
        "lang": query.get(PARAMETER, ""),
        "archive_url": ways.to("archive"),
        "page_url": ways.to("transcript"),
    }


class TranscriptView(ReadView):
    """For anybody."""

    is_listed = False

    def get(self, request: HttpRequest) -> HttpResponse:
        context = contents(self.room, Ways(self.room, ""), request.GET, sees_sealed=False)
        context["watch_url"] = reverse("feeds:watch", args=[self.room.slug])
        return render(request, "feeds/transcript.html", context)


class MemberTranscriptView(PersonView):
    """For people: of private rooms, and to members with what was said in private."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        room, standing = self.room(slug)
        ways = Ways(room, "member_")
        if slug != room.slug:
            return HttpResponseRedirect(ways.to("transcript"))
        try:
            context = contents(room, ways, request.GET, sees_sealed=policies.sees_sealed(self.me, standing))
        except errors.InvalidQuery:
            raise Http404() from None
        context["watch_url"] = reverse("chat:room", args=[room.slug])
        response = render(request, "feeds/transcript.html", context)
        response["X-Robots-Tag"] = "noindex"
        return response
