"""Engawa as something that one installs: what a browser is told of it, the worker that shows a page where the network
is away, and that page. None of it knows who asks: a language comes with the address."""

import re
from hashlib import sha256

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from chat.events import encode
from chat.language_views import bcp47
from chat.languages import PARAMETER

_A_DAY = 24 * 3600
_PAPER = "#fbfaf5"  # --paper of css/base.css
_NEEDED = re.compile(r'(?:href|src)="(/(?:static|words)/[^"]+)"')
_FOR_OTHERS = re.compile(r'<link rel="(?:manifest|apple-touch-icon)"[^>]*>')


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """The web app manifest, in the page's language."""
    images = [
        {"src": static("images/icon.svg"), "sizes": "any", "type": "image/svg+xml"},
        {"src": static("images/icon-192.png"), "sizes": "192x192", "type": "image/png"},
        {"src": static("images/icon.png"), "sizes": "512x512", "type": "image/png"},
        {
            "src": static("images/icon-maskable.png"),
            "sizes": "512x512",
            "type": "image/png",
            "purpose": "maskable",
        },
    ]
    content = {
        "id": "/",
        "name": "Engawa",
        "short_name": "Engawa",
        "description": _("Rooms where people chat, and where anyone may sit down on the veranda and watch."),
        "lang": bcp47(get_language() or settings.LANGUAGE_CODE),
        "dir": "rtl" if get_language_bidi() else "ltr",
        "start_url": reverse("home"),
        "scope": reverse("home"),
        "display": "standalone",
        "theme_color": _PAPER,
        "background_color": _PAPER,
        "categories": ["social"],
        "icons": images,
    }
    response = JsonResponse(content, content_type="application/manifest+json")
    response["Cache-Control"] = f"public, max-age={_A_DAY}"
    return response


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """What the worker shows where the network is away. It is kept by browsers until the worker changes."""
    return HttpResponse(_offline_page(), headers={"Cache-Control": "no-cache"})


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The worker, told which page to keep and what that needs. It is another one, and so is put in the place of the
    last, where any of that changed."""
    path = finders.find("js/service_worker.js")
    with open(path, encoding="utf-8") as file:
        code = file.read()
    page = _offline_page()
    language = bcp47(get_language() or settings.LANGUAGE_CODE)
    kept = {
        "page": f"{reverse('offline')}?{PARAMETER}={language}",
        "needs": list(dict.fromkeys(_NEEDED.findall(_FOR_OTHERS.sub("", page)))),
    }
    version = sha256(f"{code}{page}".encode()).hexdigest()[:12]
    script = f"self.kept = {encode({'version': version, **kept})};\n{code}"
    etag = f'"{sha256(script.encode()).hexdigest()[:16]}"'
    response = get_conditional_response(request, etag) or HttpResponse(
        script, content_type="text/javascript; charset=utf-8"
    )
    response["ETag"] = etag
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Where a browser looks that was told of no icon."""
    response = HttpResponseRedirect(static("favicon.svg"))
    response["Cache-Control"] = f"public, max-age={_A_DAY}"
    return response


def _offline_page() -> str:
    return render_to_string("offline.html")
