"""oEmbed 1.0: the HTML that puts a room, or one message, into another page, for whoever asks with its address."""

from urllib.parse import urlencode
from xml.etree.ElementTree import Element

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chat import errors, policies
from chat.models import Message, Room
from chat.pages import find_readable
from chat.sentences import filled
from chat.templatetags.moments import minute
from feeds import xml
from feeds.addresses import Named, absolute, read_address
from feeds.reading import ReadView

FORMATS = ("json", "xml")
CACHE_SECONDS = 300  # nothing in it grows old but a title: what is said comes with the frame
ROOM_SIZE = (480, 600)
MESSAGE_SIZE = (480, 240)
# The page in the frame runs its own scripts and opens links; it can do nothing to the page around it, is lent none of
# its permissions, and is told on what site it is and not on which page.
FRAME = (
    'loading="lazy" referrerpolicy="strict-origin-when-cross-origin" allow="" '
    'sandbox="allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox"'
)


class OembedView(ReadView):
    """``?url=`` of a room or a message, ``maxwidth=``, ``maxheight=``, ``format=json`` or ``xml``."""

    is_for_programs = True
    is_listed = False
    named: Named
    message: Message | None

    def dispatch(self, request: HttpRequest) -> HttpResponseBase:
        return super().dispatch(request, "")

    def answer(self, request: HttpRequest, slug: str, rest: dict[str, str]) -> HttpResponseBase:
        if request.method in ("GET", "HEAD"):
            self.named = _named_in(request)
            slug = self.named.slug
        return super().answer(request, slug, rest)

    def etag(self, request: HttpRequest) -> str | None:
        # Asked for before anything is found to be as it was: what is gone, or may no longer be framed, is answered.
        if not policies.may_embed(self.room):
            raise errors.AddressNotFound()
        self.message = find_readable(self.room, self.named.mid) if self.named.mid else None
        return super().etag(request)

    def get(self, request: HttpRequest) -> HttpResponse:
        size = ROOM_SIZE if self.message is None else MESSAGE_SIZE
        width, height = (
            min(wanted, _limit(request, name)) for wanted, name in zip(size, ("maxwidth", "maxheight"), strict=True)
        )
        fields = describe(self.room, self.message, width, height)
        if _format_of(request) == "json":
            return JsonResponse(fields, json_dumps_params={"ensure_ascii": False})
        root = Element("oembed")
        for name, value in fields.items():
            xml.add(root, name, str(value))
        return HttpResponse(xml.serialise(root), content_type="text/xml; charset=utf-8")


def describe(room: Room, message: Message | None, width: int, height: int) -> dict[str, str | int]:
    """The answer for ``room``, or for a message of it; sizes in pixels."""
    source = absolute("feeds:embed", room.slug)
    fields: dict[str, str | int] = {"version": "1.0", "type": "rich"}
    if message is None:
        title = str(room)
    else:
        about = {"author": message.author_name, "room": room, "when": f"{minute(message.created_at)} UTC"}
        title = gettext("%(author)s in %(room)s, %(when)s") % about
        source += f"?{urlencode({'from': message.mid, 'limit': 1})}"
        fields["author_name"] = message.author_name
    frame = format_html(
        '<iframe src="{}" title="{}" width="{}" height="{}" ' + FRAME + "></iframe>",
        *(source, title, width, height),
    )
    return {
        **fields,
        "title": title,
        "provider_name": "Engawa",
        "provider_url": f"{settings.PUBLIC_URL}/",
        "cache_age": CACHE_SECONDS,
        "html": str(frame),
        "width": width,
        "height": height,
    }


def discovery(room: Room, message: Message | None) -> list[tuple[str, str]]:
    """Content type and address of the answer in each format, for a page about ``room`` to name; none where it may not
    be framed."""
    if not policies.may_embed(room):
        return []
    page = absolute("feeds:message", room.slug, message.mid) if message else absolute("feeds:watch", room.slug)
    endpoint = f"{settings.PUBLIC_URL}{reverse('feeds:oembed')}"
    types = ("application/json+oembed", "text/xml+oembed")
    return [
        (kind, f"{endpoint}?{urlencode({'url': page, 'format': form})}")
        for kind, form in zip(types, FORMATS, strict=True)
    ]


def _named_in(request: HttpRequest) -> Named:
    """What is asked for. Raises ``InvalidQuery``, ``FormatUnknown``, ``AddressNotFound``."""
    url = request.GET.get("url")
    if not url:
        raise errors.InvalidQuery(_("url is the address of a room or a message."))
    _format_of(request)
    for name in ("maxwidth", "maxheight"):
        _limit(request, name)
    named = read_address(url)
    if named is None:
        raise errors.AddressNotFound()
    return named


def _format_of(request: HttpRequest) -> str:
    form = request.GET.get("format") or FORMATS[0]
    if form not in FORMATS:
        raise errors.FormatUnknown()
    return form


def _limit(request: HttpRequest, name: str) -> float:
    """The most pixels that the other page has for it."""
    value = request.GET.get(name)
    if not value:
        return float("inf")
    if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value) > 0):
        raise errors.InvalidQuery(filled(_("%(name)s is a number of pixels, at least 1."), name=name))
    return int(value)
