"""Errors that no view answers, answered in one shape."""

import math
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from chat import errors, policies
from chat.addresses import network_of_request
from chat.errors import ChatError
from chat.models import Room
from chat.standing import NOBODY, standing_in
from chat.text import canonical_slug

API_PATH = "/api/"
TRY_AGAIN_SECONDS = 1  # where it is not known when

# What else is answered under API_PATH, by status: by Django itself, or by the library that the API is made with.
_BY_STATUS: dict[int, type[ChatError]] = {
    400: errors.InvalidQuery,
    403: errors.NotAllowed,
    404: errors.AddressNotFound,
    405: errors.MethodNotAllowed,
    413: errors.PayloadTooLarge,
    415: errors.PayloadType,
}


def is_for_programs(request: HttpRequest) -> bool:
    return request.path_info.startswith(API_PATH) or request.path_info == API_PATH.rstrip("/")


def wants_json(request: HttpRequest) -> bool:
    """Whether a program is asking: by where, by what it accepts, or by what it sent."""
    return (
        is_for_programs(request)
        or request.get_preferred_type(["text/html", "application/json"]) == "application/json"
        or request.content_type == "application/json"
    )


def error_response(error: ChatError) -> JsonResponse:
    response = JsonResponse({"error": error.as_dict()}, status=error.status)
    if error.status in (429, 503):
        response["Retry-After"] = retry_after(error)
    return response


def retry_after(error: ChatError) -> str:
    """The header of that name: in how many seconds the same may succeed."""
    return str(math.ceil(error.retry_after or TRY_AGAIN_SECONDS))


class ApiMiddleware:
    """Programs are told what is wrong in one form, whoever found it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_for_programs(request):
            return self.get_response(request)
        try:
            request.get_host()
        except DisallowedHost:
            return error_response(errors.InvalidHost())
        response = self.get_response(request)
        if response.status_code < 400 or response["Content-Type"].startswith("application/json"):
            return response
        answer = error_response(_BY_STATUS.get(response.status_code, errors.ServerError)())
        answer.status_code = response.status_code
        if "Allow" in response:
            answer["Allow"] = ", ".join(sorted(response["Allow"].split(", ")))
        return answer


def banned_page(request: HttpRequest, error: errors.Banned) -> HttpResponse:
    """For somebody who may not be in the room at the request's address: why, until when, and what they still may."""
    slug = canonical_slug(request.resolver_match.kwargs.get("slug", "")) if request.resolver_match else None
    room = Room.objects.there().filter(slug=slug).first() if slug else None
    viewer = standing_in(room, None, network_of_request(request)) if room else NOBODY
    context = {
        "error": error,
        "watch_slug": slug if policies.refusal_to_read(room, None, viewer) is None else None,
        "slug": slug,
    }
    response = render(None, "banned.html", context, status=error.status)
    response["Cache-Control"] = "no-store"  # it is for one reader, and for a time
    return response


class ErrorMiddleware:
    """Turns away what is too large before anything parses it, and says when the database is away. What was refused is
    kept by no cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return self.answer(request, errors.PayloadTooLarge())
        # Django would refuse it while handling its own refusal, and never answer.
        if (request.encoding or "utf-8").lower() not in ("utf-8", "utf8"):
            request.encoding = "utf-8"
            return self.answer(request, errors.PayloadInvalid())
        response = self.get_response(request)
        if response.status_code >= 400:
            # It may be otherwise in a moment, or for somebody else, and a cache may keep what does not say so.
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, (OperationalError, InterfaceError)):
            return self.answer(request, errors.ServerBusy())
        if isinstance(exception, ChatError):
            return self.answer(request, exception)
        return None

    @staticmethod
    def answer(request: HttpRequest, error: ChatError) -> HttpResponse:
        if wants_json(request):
            return error_response(error)
        if isinstance(error, errors.Banned):
            return banned_page(request, error)
        response = render(None, "error.html", {"error": error}, status=error.status)
        if error.status in (429, 503):
            response["Retry-After"] = retry_after(error)
        return response
