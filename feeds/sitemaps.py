"""What search engines are told: which rooms they may list, and what there is no use in asking for."""

from math import ceil
from xml.etree.ElementTree import Element

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from chat.events import timestamp
from chat.mids import moment_of
from chat.models import Room
from feeds import xml
from feeds.addresses import absolute

ROOMS_ON_A_PAGE = 1000  # a sitemap may have 50,000 addresses; but anybody may ask for it, and each takes its time
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
# What does not end, what is long, and what is for programs. All else that may not be listed says so itself, and must
# be asked for to be heard.
_NOT_FOR_CRAWLERS = (
    *("/api/", "/chat/*/stream", "/feeds/*/stream", "/feeds/stream", "/health/", "/ws/"),
    *("/chat/*/export", "/feeds/*/export", "/feeds/*/replay", "/chat/*/search", "/feeds/*/search"),
)


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """The rooms that search engines may list, on ``?page=`` from 1; without it, the pages."""
    rooms = Room.objects.indexed().order_by("pk")
    pages = max(1, ceil(rooms.count() / ROOMS_ON_A_PAGE))
    page = request.GET.get("page")
    if page is None:
        root = Element("sitemapindex", {"xmlns": _NAMESPACE})
        for number in range(1, pages + 1):
            address = f"{settings.PUBLIC_URL}{reverse('feeds:sitemap')}?page={number}"
            xml.add(xml.add(root, "sitemap"), "loc", address)
    else:
        if not (page.isascii() and page.isdigit() and len(page) < 8 and 1 <= int(page) <= pages):
            raise Http404()
        root = Element("urlset", {"xmlns": _NAMESPACE})
        first = (int(page) - 1) * ROOMS_ON_A_PAGE
        for room in rooms.only("slug", "last_mid", "created_at")[first : first + ROOMS_ON_A_PAGE]:
            changed = moment_of(room.last_mid) if room.last_mid else room.created_at
            for page in ("feeds:watch", "feeds:archive"):
                entry = xml.add(root, "url")
                xml.add(entry, "loc", absolute(page, room.slug))
                xml.add(entry, "lastmod", timestamp(changed))
    return HttpResponse(
        xml.serialise(root), content_type="application/xml; charset=utf-8", headers={"Cache-Control": "no-cache"}
    )


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _NOT_FOR_CRAWLERS)]
    lines += ["", f"Sitemap: {settings.PUBLIC_URL}{reverse('feeds:sitemap')}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")
