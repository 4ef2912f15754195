"""The language of pages: set for each request, and changed by whoever wants another."""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View

from chat.languages import PARAMETER, bcp47, language_of_request, supported


class LanguageMiddleware:
    """Answers in the language that is asked for, and says which that is. Not of what is the same in all of them
    (``response.has_no_language = True``)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language = language_of_request(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        if not getattr(response, "has_no_language", False):
            response.headers.setdefault("Content-Language", bcp47(language))
            patch_vary_headers(response, ["Accept-Language"])
        if (theirs := getattr(request, "keep_language", None)) is not None:
            keep_language(response, theirs)
        return response


class LanguageView(View):
    """Somebody wants another language, here and, with an account, wherever they sign in."""

    def post(self, request: HttpRequest) -> HttpResponse:
        destination = request.POST.get("next", "")
        if not url_has_allowed_host_and_scheme(destination, {request.get_host()}, require_https=request.is_secure()):
            destination = reverse("chat:index")
        response = HttpResponseRedirect(_without_language(destination) or reverse("chat:index"))
        language = supported(request.POST.get("language", ""))
        if language is not None:
            keep_language(response, language)
            if request.user.is_authenticated and request.user.language != language:
                request.user.language = language
                request.user.save(update_fields=["language"])
        return response


def _without_language(address: str) -> str:
    """An address without what it says of a language, which would count more than what was chosen just now."""
    parts = urlsplit(address)
    if f"{PARAMETER}=" not in parts.query:
        return address
    query = [each for each in parse_qsl(parts.query, keep_blank_values=True) if each[0] != PARAMETER]
    return urlunsplit(parts._replace(query=urlencode(query)))


def keep_language(response: HttpResponseBase, language: str) -> None:
    """Have this browser ask for ``language`` from now on."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        httponly=True,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,
    )


def _bring_language(sender: object, request: HttpRequest, user: object, **_: object) -> None:
    """The language of an account comes along with whoever signs in."""
    if language := supported(user.language):
        request.keep_language = language


user_logged_in.connect(_bring_language, dispatch_uid="chat.language_views")
