"""How an ASGI application beside Django answers what is not a stream, and the headers of what is.

No middleware of Django's sees it, so that a page among the answers is given their headers here, by themselves. What is
said in words is said in the language that is active (``chat.languages.language_of_scope``).
"""

import json
from math import ceil
from typing import Any

from asgiref.typing import ASGISendCallable
from csp.middleware import CSPMiddleware
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.template.loader import render_to_string
from django.utils.translation import get_language

from chat.errors import ChatError
from chat.languages import bcp47
from feeds.forms.kinds import Kind
from feeds.reading import PREFLIGHT

RETRY_AFTER_SECONDS = 5

Headers = list[tuple[bytes, bytes]]

_COMMON = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
_ANYBODY = {"Access-Control-Allow-Origin": "*"}
METHODS = {"Allow": "GET, HEAD, OPTIONS"}
STREAMING = {"X-Accel-Buffering": "no"}


def encoded(headers: dict[str, str]) -> Headers:
    return [(name.lower().encode(), value.encode("latin1")) for name, value in headers.items()]


def page_headers(scope: dict[str, Any]) -> dict[str, str]:
    """What Django's middleware says of a page."""
    request, response = ASGIRequest(scope, None), HttpResponse()
    for middleware in (SecurityMiddleware, CSPMiddleware, XFrameOptionsMiddleware):
        response = middleware(_nothing).process_response(request, response)
    del response["Content-Type"]
    return {**dict(response.items()), "Content-Language": bcp47(get_language())}


def _nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


class Answers:
    """The answers of one address: ``for_people`` to our own pages only, otherwise to any. What differs by ``vary``."""

    def __init__(self, *, for_people: bool, vary: str = "") -> None:
        self._preflight = {} if for_people else PREFLIGHT
        self._headers = {
            **_COMMON,
            **({} if for_people else _ANYBODY),
            "Vary": f"{vary}, Accept-Language".removeprefix(", "),
        }

    def headers(self, kind: Kind, scope: dict[str, Any]) -> Headers:
        """Of a stream in that form."""
        return self.headers_with({**(page_headers(scope) if kind.is_page else {}), "Content-Type": kind.content_type})

    def headers_with(self, more: dict[str, str]) -> Headers:
        """Of a stream, ``more`` among them."""
        return encoded({**more, **self._headers, **STREAMING})

    async def without(self, scope: dict[str, Any], send: ASGISendCallable) -> bool:
        """Answer what asks for no content, or may not be asked. Whether that was so."""
        if scope["method"] == "OPTIONS":
            await self.options(send)
        elif scope["method"] not in ("GET", "HEAD"):
            await self.send(send, 405, METHODS)
        else:
            return False
        return True

    async def options(self, send: ASGISendCallable) -> None:
        await self.send(send, 204, {**METHODS, **self._preflight})

    async def refuse(
        self, scope: dict[str, Any], send: ASGISendCallable, error: ChatError, kind: Kind | None = None
    ) -> None:
        """Say what is wrong in words that suit the form that was asked for."""
        headers = {"Content-Type": "application/json"}
        content = json.dumps({"error": error.as_dict()}) + "\n"
        if kind is not None and kind.is_page:
            headers = {**page_headers(scope), "Content-Type": kind.content_type}
            content = render_to_string("error.html", {"error": error})
        elif kind is not None and kind.content_type.startswith("text/plain"):
            headers["Content-Type"] = kind.content_type
            content = f"{error.detail}\n"
        if error.status in (429, 503):
            headers["Retry-After"] = str(ceil(error.retry_after or RETRY_AFTER_SECONDS))
        if error.status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="engawa"'
        await self.send(send, error.status, headers, content.encode())

    async def send(self, send: ASGISendCallable, status: int, headers: dict[str, str], content: bytes = b"") -> None:
        all_headers = {**headers, **self._headers, "Content-Length": str(len(content))}
        await send({"type": "http.response.start", "status": status, "headers": encoded(all_headers)})
        await send({"type": "http.response.body", "body": content})
