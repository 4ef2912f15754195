"""How whatever is read-only is asked for: by whom, of which room, and whether anything is new since.

Every page and feed for anybody is a ``ReadView``: it knows no cookies, is open to every origin, asks the one policy,
and is revalidated rather than kept, so that a deletion reaches every cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views import View

from chat import errors, policies, viewing
from chat.addresses import network_of_request
from chat.errors import ChatError
from chat.events import encode, room_fields
from chat.identity import Grant
from chat.middleware import banned_page, error_response, wants_json
from chat.models import Room
from chat.text import canonical_slug
from feeds.build import build

PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "authorization, cache-control, if-none-match, last-event-id",
    "Access-Control-Max-Age": "86400",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who only reads: from where (a keyed hash), and with what view token, if with one."""

    network: str
    grant: Grant | None = None


def bearer(authorization: str | None) -> str | None:
    """The secret in an ``Authorization`` header; None where there is no such header. Raises ``TokenInvalid``."""
    if authorization is None:
        return None
    scheme, _space, secret = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise errors.TokenInvalid(_("A view token comes as Authorization: Bearer …"))
    return secret.strip()


def reader_of(request: HttpRequest, *, takes_tickets: bool = False) -> Reader:
    """Who is asking, by a view token, or by a ticket where those are taken. Raises ``TokenInvalid``."""
    secret = bearer(request.headers.get("Authorization"))
    if secret is None:
        grant = None
    elif takes_tickets and not secret.startswith(viewing.PREFIX):
        grant = viewing.grant_of_ticket(secret)
        viewing.require_in_force(grant)
    else:
        grant = viewing.grant_of(secret)
    return Reader(network_of_request(request), grant)


def room_at(slug: str) -> Room | None:
    """The room that an address with ``slug`` in it means, whoever asks."""
    canonical = canonical_slug(slug)
    return Room.objects.filter(slug=canonical).first() if canonical else None


def etag_of(room: Room, *parts: object) -> str:
    """A validator for what is made of ``room`` as it was read and of ``parts``, without making it.

    Weak: two that are the same say the same, be it with other bytes. Whatever is said, changed or deleted raises the
    head; what expires leaves its mark in ``expired_mid``, what is sealed in ``sealed_mid``.
    """
    return etag_of_content(room, room.head, room.floor, room.sealed_mid, room.expired_mid, *parts)


def etag_of_content(room: Room, *content: object) -> str:
    """The same for what stays as it is whatever else is said in ``room``, where ``content`` is all of it."""
    kept = (room.pk, encode(room_fields(room)), room.embed_origins, room.is_indexed, build(), get_language(), *content)
    return f'W/"{sha256(repr(kept).encode()).hexdigest()[:24]}"'


class ReadView(View):
    """GET and HEAD for anybody, of something in a room. ``get`` is called with what is in the address beside the slug,
    once ``room`` and ``reader`` are known; not at all where what the client has is still good."""

    http_method_names = ["get", "head", "options"]
    is_for_programs = False  # whether errors are told in JSON, whatever is accepted
    is_listed = True  # by search engines, where the room is
    takes_tickets = False  # in Authorization, beside view tokens
    room: Room
    reader: Reader

    def dispatch(self, request: HttpRequest, slug: str, **rest: str) -> HttpResponseBase:
        try:
            response = self.answer(request, slug, rest)
        except ChatError as error:
            response = self.refusal(request, error)
        response.headers.setdefault("Access-Control-Allow-Origin", "*")
        return response

    def answer(self, request: HttpRequest, slug: str, rest: dict[str, str]) -> HttpResponseBase:
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={**PREFLIGHT, "Allow": "GET, HEAD, OPTIONS"})
        if request.method.lower() not in self.http_method_names:
            return self.http_method_not_allowed(request)
        self.reader = reader_of(request, takes_tickets=self.takes_tickets)
        self.room = room_at(slug)
        policies.require_readable(self.room, None, self.reader.network, self.reader.grant)
        if slug != self.room.slug:
            return HttpResponseRedirect(self.canonical_address(request, rest))
        etag = self.etag(request, **rest)
        response = get_conditional_response(request, etag) if etag else None
        if response is None:
            response = getattr(self, request.method.lower())(request, **rest)
        if response.status_code in (200, 304):
            self.mark(response, etag)
        return response

    def etag(self, request: HttpRequest, **rest: str) -> str | None:
        """The validator of what ``get`` would answer; None where there is none."""
        asked = (request.get_full_path(), request.headers.get("Accept"), self.reader.grant is not None)
        return etag_of(self.room, type(self).__name__, *asked)

    def mark(self, response: HttpResponseBase, etag: str | None) -> None:
        """Say how an answer may be kept, and whether search engines may list it."""
        if etag is not None:
            response.headers.setdefault("ETag", etag)
        if self.reader.grant is None:
            response.headers.setdefault("Cache-Control", "no-cache")
        else:
            response["Cache-Control"] = "private, no-store"
        patch_vary_headers(response, ["Accept", "Authorization"])
        response.is_listed = self.is_listed and policies.may_be_indexed(self.room)

    def canonical_address(self, request: HttpRequest, rest: dict[str, str]) -> str:
        """This address with the room's slug as it is written."""
        address = reverse(request.resolver_match.view_name, kwargs={"slug": self.room.slug, **rest})
        query = request.META.get("QUERY_STRING")
        return f"{address}?{query}" if query else address

    def refusal(self, request: HttpRequest, error: ChatError) -> HttpResponseBase:
        """The answer to somebody who may not have this: to programs in JSON, to people as a page. One that tells of no
        room, or no message, is the same whether there is none or none that they may know of."""
        if self.is_for_programs or wants_json(request):
            response = error_response(error)
        elif isinstance(error, errors.Banned):
            response = banned_page(request, error)
        elif error.status == 404:
            response = render(None, "404.html", status=404)
        else:
            response = render(None, "error.html", {"error": error}, status=error.status)
        if error.status == 401:
            response["WWW-Authenticate"] = 'Bearer realm="engawa"'
        response.headers.setdefault("Cache-Control", "no-store")  # they may be let in later, or by a token
        patch_vary_headers(response, ["Accept", "Authorization"])
        return response
