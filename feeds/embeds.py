"""A room in other sites' pages: the page that they frame, what they copy, and where that is chosen."""

import re
from dataclasses import dataclass
from html import escape, unescape
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.clickjacking import xframe_options_exempt

from chat import errors, policies
from chat.languages import bcp47
from chat.mids import is_mid
from chat.models import Room
from chat.pages import message_page, pinned_message
from feeds import scripts
from feeds.addresses import absolute
from feeds.looks import THEMES, Look, read_look
from feeds.oembed import FRAME
from feeds.reading import ReadView

FORMS = ("component", "iframe", "link")
LEAST_HEIGHT, MOST_HEIGHT, HEIGHT = 200, 2000, 450
_LINK = re.compile(r'<a href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
_OUR_ROOM = re.compile(r"/(?:feeds|chat|embed)/([^/]+)")


@method_decorator(xframe_options_exempt, name="dispatch")
class EmbedView(ReadView):
    """What other sites may frame, if the room lets them: the web component, and in it what shows without scripts."""

    is_listed = False

    def dispatch(self, request: HttpRequest, slug: str, **rest: str) -> HttpResponseBase:
        response = super().dispatch(request, slug, **rest)
        if response.status_code in (200, 304, 403):  # a page, or why there is none for them
            origins = self.room.embed_origins.split()
            # Our own pages show how it would look.
            response._csp_replace = {
                "frame-ancestors": origins if "*" in origins else ["'self'", *origins] if origins else ["'none'"],
                "require-trusted-types-for": ["'script'"],
                "trusted-types": ["'none'"],
            }
        return response

    def get(self, request: HttpRequest) -> HttpResponse:
        room, look = self.room, read_look(request.GET)
        before = request.GET.get("before", "") if is_mid(request.GET.get("before")) else None
        page = message_page(room, before, look.limit or None, since=look.since or None)
        for message in page.messages:
            message.said_at = f"{message.created_at.astimezone(look.zone):%Y-%m-%d %H:%M %Z}"
            rank = message.author_role if message.author_kind == "user" else message.author_kind
            message.badge = look.words.get(rank, "")
            message.embedded_html = only_this_room(message.html, room, request.get_host())
        here = reverse("feeds:embed", args=[room.slug])
        context = {
            "room": room,
            "look": look,
            "words": look.words,
            "log_name": look.words["log"].replace("%", room.title),
            "shown": page.messages[::-1] if look.order == "newest" else page.messages,
            "pinned_message": pinned_message(room),
            "earlier": here + _query(look, before=page.earlier_mid) if page.earlier_mid else "",
            "newest": here + _query(look),
            "later": here + _query(look, **{"from": page.later_mid}) if look.since and page.later_mid else "",
            "is_live": look.since or page.is_latest,
            "room_url": absolute("chat:room", room.slug),
            "watch_url": reverse("feeds:watch", args=[room.slug]),
            "report_url": reverse("feeds:report", args=[room.slug]),
        }
        return render(request, "feeds/embed.html", context)


class ChooserView(ReadView):
    """Where somebody chooses how to embed a room, sees it, and copies the lines. For rooms that may be embedded."""

    is_listed = False

    def get(self, request: HttpRequest) -> HttpResponse:
        room = self.room
        if not policies.may_embed(room):
            raise errors.AddressNotFound()
        choice = read_choice(request.GET)
        context = {
            "room": room,
            "choice": choice,
            "forms": FORMS,
            "themes": THEMES,
            "languages": [(bcp47(code), name) for code, name in settings.LANGUAGES],
            "snippet": snippet(room, choice),
            "preview_url": f"{reverse('feeds:embed', args=[room.slug])}{_query(choice.look)}",
            "watch_url": reverse("feeds:watch", args=[room.slug]),
            "room_url": absolute("chat:room", room.slug),
        }
        return render(request, "feeds/chooser.html", context)


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody wants to copy. ``height`` in CSS pixels."""

    form: str
    look: Look
    height: int


def read_choice(query: dict[str, str]) -> Choice:
    """As for a look: what is not understood is as if it were not there."""
    form, height = query.get("form"), query.get("height", "")
    chosen = int(height) if re.fullmatch(r"[0-9]{1,5}", height, re.ASCII) else HEIGHT
    return Choice(form if form in FORMS else FORMS[0], read_look(query), max(LEAST_HEIGHT, min(chosen, MOST_HEIGHT)))


def snippet(room: Room, choice: Choice) -> str:
    """What to copy: HTML, or an address."""
    match choice.form:
        case "component":
            return component_snippet(room, choice.look, choice.height)
        case "iframe":
            return iframe_snippet(room, choice.look, choice.height)
        case _:
            return absolute("feeds:watch", room.slug)


def component_snippet(room: Room, look: Look, height: int = HEIGHT) -> str:
    """The HTML that puts the web component into a page; a link where there are no scripts."""
    script = scripts.script(scripts.COMPONENT)
    address = settings.PUBLIC_URL + reverse("feeds:component_version", args=[script.hash])
    watch = absolute("feeds:watch", room.slug)
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in look.attributes.items())
    if height != HEIGHT:  # which is the component's own, and asks nothing of the page's policy for styles
        attributes += f' style="block-size: {height}px"'
    return (
        f'<script type="module" src="{address}" integrity="{script.integrity}" crossorigin="anonymous"></script>\n'
        f'<engawa-room src="{watch}"{attributes}>\n'
        f'  <a href="{watch}">{escape(room.title)}</a>\n'
        "</engawa-room>"
    )


def iframe_snippet(room: Room, look: Look, height: int = HEIGHT, width: str = "100%") -> str:
    """The HTML that frames the room."""
    address = escape(absolute("feeds:embed", room.slug) + _query(look))
    return f'<iframe src="{address}" title="{escape(room.title)}" width="{width}" height="{height}" {FRAME}></iframe>'


def only_this_room(html: str, room: Room, host: str) -> str:
    """A message's HTML without links into other rooms of this site: their words stay. ``host`` is as was asked."""

    def kept(link: re.Match[str]) -> str:
        return link[0] if may_link(unescape(link[1]), room, host) else link[2]

    return _LINK.sub(kept, html)


def may_link(address: str, room: Room, host: str) -> bool:
    """Whether an embed of ``room`` may lead there: to anywhere else, and here to this room only."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if parts.netloc.lower() not in (host.lower(), urlsplit(settings.PUBLIC_URL).netloc.lower()):
        return True
    found = _OUR_ROOM.match(parts.path)
    return bool(found) and found[1] == reverse("feeds:watch", args=[room.slug]).split("/")[2]


def _query(look: Look, **more: str) -> str:
    asked = {**look.attributes, **more}
    return f"?{urlencode(asked)}" if asked else ""
