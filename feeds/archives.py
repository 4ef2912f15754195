"""A room's dated pages: for anybody, and for those who are of it, what was said while it was private among it.

A page of the past says the same tomorrow, whatever is said in between: its validator is made of what it shows.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from chat import errors, policies
from chat.errors import ChatError
from chat.events import message_fields
from chat.mids import is_mid
from chat.models import Room
from chat.pages import permalinks, readable_in, with_answered
from chat.sentences import filled
from chat.views import PersonView
from feeds import calendar
from feeds.calendar import Period
from feeds.reading import ReadView, etag_of_content

KINDS = ("archive", "year", "month", "day")  # by how many parts a period's name has


class Ways:
    """Where a reader's links lead: the pages for anybody, or those for people."""

    def __init__(self, room: Room, prefix: str) -> None:
        self.room = room
        self.prefix = prefix

    def to(self, name: str, **parts: str) -> str:
        return reverse(f"feeds:{self.prefix}{name}", kwargs={"slug": self.room.slug, **parts})

    def to_period(self, period: Period) -> dict[str, Any]:
        """With what it is called (``title``), and what among others of its kind (``short``)."""
        kind = KINDS[period.name.count("/") + 1]
        title, short = period.words
        return {
            "url": self.to(kind, **period.parts),
            "name": period.name.replace("/", "-"),  # as HTML has it in a <time>
            "title": title,
            "short": short,
        }


def contents(room: Room, ways: Ways, query: dict[str, str], parts: dict[str, str], *, sees_sealed: bool) -> dict:
    """What a page shows, as its template has it. Raises ``AddressNotFound`` where nothing can have been said then, and
    ``InvalidQuery``."""
    messages = readable_in(room, sees_sealed=sees_sealed)
    shown: dict[str, Any] = {"archive_url": ways.to("archive"), "export_url": ways.to("transcript")}
    if not parts:
        found = calendar.years(messages)
        spoken = calendar.spoken_in(room, messages, [month for year in found for month in calendar.months_of(year)])
        months = [ways.to_period(month) for month in spoken]
        grouped = [(ways.to_period(year), [each for each in months if each["name"][:4] == year.name]) for year in found]
        return {**shown, "years": [(year, its) for year, its in reversed(grouped) if its]}
    period = calendar.period(**parts)
    before, after = calendar.neighbours(messages, period)
    shown |= {
        "period": ways.to_period(period),
        "parents": [ways.to_period(parent) for parent in period.parents],
        "before": ways.to_period(before) if before else None,
        "after": ways.to_period(after) if after else None,
    }
    if "day" in parts:
        shown |= _of_a_day(room, calendar.within(messages, period), query.get("after"))
        shown["permalinks"] = permalinks("chat:message" if ways.prefix else "feeds:message", room)
        is_empty = not shown["messages_page"] and not query.get("after")
    else:
        inner = calendar.days_of(period) if "month" in parts else calendar.months_of(period)
        counted = calendar.counted_in(room, messages, inner)
        shown["counted"] = [(ways.to_period(each), count) for each, count in counted]
        is_empty = not counted
    if is_empty and before is None and period.end <= room.created_at.date():
        raise errors.AddressNotFound()
    return shown


def _of_a_day(room: Room, messages: Any, after: str | None) -> dict[str, Any]:
    """A page of a day: its first messages, or those after the one named ``after``."""
    if after and not is_mid(after):
        raise errors.InvalidQuery(filled(_("%(name)s is the mid of a message."), name="after"))
    size = settings.MAX_HISTORY
    found = list((messages.filter(mid__gt=after) if after else messages).order_by("mid")[: size + 1])
    page = with_answered(found[:size])
    return {
        "messages_page": page,
        "is_first": not after,
        "later_mid": page[-1].mid if len(found) > size else None,
        "report_url": reverse("feeds:report", args=[room.slug]),
    }


def _said(shown: dict[str, Any], slug: str) -> dict[str, Any]:
    """The same as plain values, that two pages can be compared by."""
    messages = [message_fields(message, slug) for message in shown.get("messages_page", ())]
    return {**shown, "messages_page": messages}


class ArchiveView(ReadView):
    """The archive, a year, a month or a day, for anybody."""

    shown: dict[str, Any]

    def etag(self, request: HttpRequest, **parts: str) -> str:
        self.shown = contents(self.room, Ways(self.room, ""), request.GET, parts, sees_sealed=False)
        said = _said(self.shown, self.room.slug)
        return etag_of_content(self.room, said, request.headers.get("Accept"), self.reader.grant is not None)

    def get(self, request: HttpRequest, **parts: str) -> HttpResponse:
        context = {**self.shown, "room": self.room, "most_counted": calendar.MOST_COUNTED}
        context["room_url"] = settings.PUBLIC_URL + reverse("chat:room", args=[self.room.slug])
        context["watch_url"] = reverse("feeds:watch", args=[self.room.slug])
        context["public_address"] = settings.PUBLIC_URL + request.path
        return render(request, "feeds/archive.html", context)


class MemberArchiveView(PersonView):
    """The same for people: of a private room, and to its members with what was said while it was private."""

    def get(self, request: HttpRequest, slug: str, **parts: str) -> HttpResponseBase:
        room, standing = self.room(slug)
        if slug != room.slug:
            return HttpResponseRedirect(Ways(room, "member_").to(KINDS[len(parts)], **parts))
        sees_sealed = policies.sees_sealed(self.me, standing)
        try:
            shown = contents(room, Ways(room, "member_"), request.GET, parts, sees_sealed=sees_sealed)
        except ChatError:
            raise Http404() from None
        context = {**shown, "room": room, "most_counted": calendar.MOST_COUNTED}
        context["watch_url"] = context["room_url"] = reverse("chat:room", args=[room.slug])
        context["public_address"] = settings.PUBLIC_URL + request.path
        context["report_url"] = None  # in the room itself, where they are somebody
        response = render(request, "feeds/archive.html", context)
        response["X-Robots-Tag"] = "noindex"
        return response
