"""The API for programs: what a bot may do in its room, by the same actions as at every other door.

It reads no cookie, asks no page, and decides nothing: a token says who is there, and the policy what they may do.
"""

import json
from functools import cache
from typing import Annotated, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import Resolver404, URLResolver
from django.urls.resolvers import RegexPattern
from django.utils.translation import gettext_lazy as _
from ninja import NinjaAPI, Path, Query
from ninja.errors import ValidationError
from ninja.security.http import HttpAuthBase
from pydantic import WithJsonSchema

from chat import actions, errors, meters, policies, posting, programs, search
from chat.answers import Held as HeldAnswer
from chat.api_schemas import BODY, MID, Found, Held, History, Posted, answers
from chat.errors import ChatError
from chat.identity import Identity
from chat.limits import count_post, count_search
from chat.middleware import error_response
from chat.models import Room
from chat.pages import message_page, page_fields, page_size, permalinks
from chat.sentences import filled
from chat.text import canonical_slug

VERSION = "v1"
_ALWAYS = (errors.InvalidHost, errors.TokenInvalid, errors.TokenScope, errors.Banned, errors.RoomNotFound)
_CHANGING = (errors.TooManyPosts, errors.ServerBusy)


class Token(HttpAuthBase):
    """``Authorization: Bearer engawa_…``, as RFC 6750 has it."""

    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> Identity:
        scheme, _space, secret = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer" or not secret:
            raise errors.TokenInvalid(_("A token is asked for here: Authorization: Bearer …"))
        return programs.bot_of(secret.strip())


api = NinjaAPI(
    title="Engawa",
    version=VERSION,
    description="What a program may do in a room, with a token from the room's owner.",
    openapi_url=None,
    docs_url=None,
    auth=Token(),
    servers=[{"url": settings.PUBLIC_URL}],
)

# The bounds are for ``chat.pages`` to say, at every door in the same way; here they are only described.
Before = Annotated[str | None, WithJsonSchema({"type": "string", "pattern": MID})]
Limit = Annotated[str | None, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 99_999})]

Day = Annotated[str, WithJsonSchema({"type": "string", "format": "date"})]

_SLUG = Path(description="The room's slug, percent-encoded.")
_MID = Path(description="A message's name.")
_BEFORE = Query(None, description="Only what is older than the message of that name.")
_SINCE = Query("", description="The first day, in UTC.")
_UNTIL = Query("", description="The last day, in UTC.")
_LIMIT = Query(None, description="How many at most: PAGE_MESSAGES unless given, and never more than MAX_HISTORY.")


@api.api_operation(["HEAD"], "/rooms/{slug}/messages", include_in_schema=False)
@api.get(
    "/rooms/{slug}/messages",
    response={200: History},
    operation_id="read_messages",
    summary="Read a room's messages",
    openapi_extra=answers(*_ALWAYS, errors.InvalidQuery, errors.ServerBusy),
)
def read_messages(
    request: HttpRequest, slug: str = _SLUG, before: Before = _BEFORE, limit: Limit = _LIMIT
) -> HttpResponse:
    """The newest, or those before one of them, oldest first. Takes the scope `read`."""
    room = _room(slug)
    standing = policies.require_readable(room, request.auth)
    page = message_page(room, before, page_size(limit or ""), sees_sealed=policies.sees_sealed(request.auth, standing))
    return _json(page_fields(room, page))


@api.api_operation(["HEAD"], "/rooms/{slug}/search", include_in_schema=False)
@api.get(
    "/rooms/{slug}/search",
    response={200: Found},
    operation_id="search_messages",
    summary="Search in a room",
    openapi_extra=answers(*_ALWAYS, errors.InvalidQuery, errors.TooManySearches, errors.ServerBusy),
)
def search_messages(
    request: HttpRequest,
    slug: str = _SLUG,
    q: str = Query("", description="Words, all of which a message has; what is in quotation marks, as it stands."),
    name: str = Query("", alias="from", description="What the author is called, in part."),
    author: str = Query("", description="The author's id."),
    since: Day = _SINCE,
    until: Day = _UNTIL,
    before: Before = _BEFORE,
) -> HttpResponse:
    """Newest first, PAGE_MESSAGES at most. Takes the scope `read`."""
    room = _room(slug)
    standing = policies.require_readable(room, request.auth)
    page = search.NOTHING
    wanted = search.wanted_of(request.GET)
    if not wanted.is_empty:
        count_search(request.auth, request.auth.network)
        page = search.search(room, wanted, sees_sealed=policies.sees_sealed(request.auth, standing))
    return _json(search.page_fields(room, page, permalinks("chat:message", room)))


@api.post(
    "/rooms/{slug}/messages",
    response={201: Posted, 202: Held},
    operation_id="post_message",
    summary="Post a message",
    openapi_extra=answers(
        *_ALWAYS,
        *_CHANGING,
        errors.PayloadInvalid,
        errors.PayloadTooLarge,
        errors.PayloadType,
        errors.TextInvalid,
        errors.TextEmpty,
        errors.TextTooLong,
        errors.InvalidKey,
        errors.MessageNotFound,
        errors.RoomArchived,
        errors.Muted,
    )
    | BODY,
)
def post_message(request: HttpRequest, slug: str = _SLUG) -> HttpResponse:
    """Takes the scope `post`. With the same `key` it is safe to ask again: posting twice is posting once."""
    with meters.http_post():
        body = _body(request)
        room = _room(slug)
        policies.require_entry(room, request.auth)
        _count(request.auth)
        answer = posting.post(request.auth, room.pk, body.get("message"), body.get("key"), body.get("reply_to"))
    if isinstance(answer, HeldAnswer):
        return _json({"held": True, "key": answer.key, "detail": str(answer.detail)}, 202)
    return _json({"mid": answer.mid, "key": answer.key, "id": answer.seq}, 201)


@api.delete(
    "/rooms/{slug}/messages/{mid}",
    response={204: None},
    operation_id="delete_message",
    summary="Delete a message",
    openapi_extra=answers(*_ALWAYS, *_CHANGING, errors.MessageNotFound),
)
def delete_message(request: HttpRequest, slug: str = _SLUG, mid: str = _MID) -> HttpResponse:
    """One's own with the scope `post`, anybody's with `delete`."""
    room = _room(slug)
    policies.require_entry(room, request.auth)
    _count(request.auth)
    actions.delete(request.auth, room.pk, mid)
    return HttpResponse(status=204)


@api.get("/openapi.json", auth=None, include_in_schema=False)
def openapi(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(_openapi(), content_type="application/json")
    response.has_no_language = True
    return response


@cache
def _openapi() -> bytes:
    return json.dumps(api.get_openapi_schema(path_prefix=f"api/{VERSION}/"), ensure_ascii=False, indent=1).encode()


@api.exception_handler(ChatError)
def _refused(request: HttpRequest, error: ChatError) -> HttpResponse:
    response = error_response(error)
    if error.status == 401:
        said = ', error="invalid_token"' if "Authorization" in request.headers else ""
        response["WWW-Authenticate"] = f'Bearer realm="engawa"{said}'
    elif isinstance(error, errors.TokenScope):
        response["WWW-Authenticate"] = 'Bearer realm="engawa", error="insufficient_scope"'
    return response


@api.exception_handler(ValidationError)
def _not_understood(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return error_response(errors.InvalidQuery())


@api.exception_handler(Exception)
def _not_foreseen(request: HttpRequest, error: Exception) -> HttpResponse:
    raise error  # the middleware knows


_resolver = URLResolver(RegexPattern(rf"^{VERSION}/"), api.urls[0])


def answer(request: HttpRequest, path: str) -> HttpResponseBase:
    """What is answered to ``request`` for ``path``, without the part that led here."""
    try:
        match = _resolver.resolve(path)
    except Resolver404:
        raise errors.AddressNotFound() from None
    return match.func(request, *match.args, **match.kwargs)


def _room(slug: str) -> Room | None:
    canonical = canonical_slug(slug)
    return Room.objects.there().filter(slug=canonical).first() if canonical else None


def _body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object that was posted. Raises ``PayloadType``, ``PayloadTooLarge``, ``PayloadInvalid``."""
    if request.content_type != "application/json":
        raise errors.PayloadType()
    if len(request.body) > settings.MAX_FRAME_BYTES:
        raise errors.PayloadTooLarge(filled(_("A post has at most %(most)s bytes."), most=settings.MAX_FRAME_BYTES))
    try:
        body = json.loads(request.body.decode())
    except (ValueError, RecursionError):
        raise errors.PayloadInvalid(_("What is posted here is JSON, in UTF-8.")) from None
    if not isinstance(body, dict):
        raise errors.PayloadInvalid(_("What is posted here is one JSON object."))
    return body


def _count(bot: Identity) -> None:
    count_post(bot)


def _json(fields: dict[str, Any], status: int = 200) -> HttpResponse:
    return JsonResponse(fields, status=status, json_dumps_params={"ensure_ascii": False})
