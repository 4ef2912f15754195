"""The scripts that other sites' pages load: the web component, and the helper that gives our iframes their height.

Each has a stable address, revalidated, and one with a hash of what it holds. What was released is kept, so that pages
which name one version, with its integrity, have it for ever.
"""

import gzip
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256, sha384
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views import View

from feeds.reading import PREFLIGHT

COMPONENT = "engawa-room"
FRAME = "engawa-frame"
NAMES = (COMPONENT, FRAME)
_A_YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Script:
    """A file of ``static/embed``: its bytes, also compressed, and how it is told from any other."""

    content: bytes
    compressed: bytes
    hash: str
    integrity: str


@cache
def script(name: str) -> Script:
    """As it is now."""
    return _read(settings.BASE_DIR / "static" / "embed" / f"{name}.js")


@cache
def versions(name: str) -> dict[str, Script]:
    """Those that a page may name, by hash: what was released, and what there is now."""
    released = (settings.BASE_DIR / "static" / "embed" / "released").glob(f"{name}.*.js")
    known = [script(name), *map(_read, released)]
    return {version.hash: version for version in known}


def _read(path: Path) -> Script:
    content = path.read_bytes()
    integrity = b64encode(sha384(content).digest()).decode()
    return Script(content, gzip.compress(content, mtime=0), sha256(content).hexdigest()[:16], f"sha384-{integrity}")


class ScriptView(View):
    """GET and HEAD from any page, without cookies. ``hash`` is that of the one version it is asked for."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, name: str, hash: str | None = None) -> HttpResponseBase:
        found = script(name) if hash is None else versions(name).get(hash)
        if found is None:
            raise Http404()
        etag = f'W/"{found.hash}"'
        response = get_conditional_response(request, etag)
        if response is None:
            is_compressed = "gzip" in request.headers.get("Accept-Encoding", "")
            response = HttpResponse(
                found.compressed if is_compressed else found.content, content_type="text/javascript; charset=utf-8"
            )
            if is_compressed:
                response["Content-Encoding"] = "gzip"
        response["ETag"] = etag
        response["Cache-Control"] = "no-cache" if hash is None else f"public, max-age={_A_YEAR}, immutable"
        response["Access-Control-Allow-Origin"] = "*"
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
        patch_vary_headers(response, ["Accept-Encoding"])
        response.has_no_language = True
        return response

    def options(self, request: HttpRequest, **rest: str) -> HttpResponse:
        headers = {**PREFLIGHT, "Allow": "GET, HEAD, OPTIONS", "Access-Control-Allow-Origin": "*"}
        return HttpResponse(status=204, headers=headers)
