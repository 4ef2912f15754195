"""The page on which a room's moderators keep order. What they do there goes through the commands' door."""

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from chat import desk, policies
from chat.durations import in_words
from chat.models import Room
from chat.queue import waiting_in
from chat.views import PersonView

ON_A_PAGE = 20
REPORTED_ON_A_PAGE = 10  # they come with others around them
MUTES = [(seconds, in_words(seconds)) for seconds in (300, 3600, 24 * 3600)]
BANS = [
    *((seconds, in_words(seconds)) for seconds in (3600, 24 * 3600, 7 * 24 * 3600, 30 * 24 * 3600)),
    ("", _("for good")),
]


class ModerationView(PersonView):
    """What waits, what is hidden, and whom a measure holds, each on a page of its own."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        room, standing = self.room(slug)
        if not standing.governs:
            raise Http404()
        queues = _queues(room)
        waiting = waiting_in([room.pk])[room.pk]
        show = request.GET.get("show")
        if show not in queues:
            show = "reports" if waiting.reports and not waiting.held else "held"
        label, found = queues[show]
        page = Paginator(found, REPORTED_ON_A_PAGE if show == "reports" else ON_A_PAGE).get_page(
            request.GET.get("page")
        )
        context = {
            "room": room,
            "me": self.me,
            "may_govern": policies.may_govern(standing),
            "waiting": sum(waiting),
            "show": show,
            "label": label,
            "tabs": [
                ("held", queues["held"][0], waiting.held),
                ("reports", queues["reports"][0], waiting.reports),
                *((name, queues[name][0], queues[name][1].count()) for name in ("hidden", "sanctions")),
            ],
            "page": page,
            "items": _items(room, show, page),
            "next": f"{request.path}?show={show}&page={page.number}",  # to the same queue, even where it is empty then
            "mutes": MUTES,
            "bans": BANS,
        }
        return render(request, "chat/moderation.html", context)


def _queues(room: Room) -> dict[str, tuple[str, QuerySet]]:
    return {
        "held": (_("Held messages"), desk.held_in(room)),
        "reports": (_("Reports"), desk.reported_in(room)),
        "hidden": (_("Hidden messages"), desk.hidden_in(room)),
        "sanctions": (_("Mutes and bans"), desk.sanctions_in(room)),
    }


def _items(room: Room, show: str, page: Page) -> list:
    if show == "reports":
        return desk.with_context(room, [each["mid"] for each in page])
    return list(page)
