"""What is for anybody is the same for everybody: the read-only side knows no cookies. Nor do programs bring any.

Who comes with a secret is led on by nothing that would tell where they come from."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

ANONYMOUS_PATHS = (
    *("/feeds/", "/embed/", "/api/", "/oembed", "/sitemap.xml", "/robots.txt"),
    *("/manifest.webmanifest", "/service-worker.js", "/offline/", "/favicon.ico"),
)


class CookielessMiddleware:
    """Takes cookies out of requests for these paths before anything can read them, and out of the answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(ANONYMOUS_PATHS):
            return self.get_response(request)
        request.META.pop("HTTP_COOKIE", None)
        request.__dict__.pop("COOKIES", None)  # parsed lazily under ASGI, from META
        response = self.get_response(request)
        response.cookies.clear()
        if "HTTP_AUTHORIZATION" in request.META or "ticket=" in request.META.get("QUERY_STRING", ""):
            response["Referrer-Policy"] = "no-referrer"  # a secret led here, and perhaps in the address
        return response


class UnlistedMiddleware:
    """Search engines list what a view lets them (``response.is_listed = True``), and nothing else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not getattr(response, "is_listed", False):
            response.headers.setdefault("X-Robots-Tag", "noindex")
        return response
