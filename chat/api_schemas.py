"""What the API says, as its OpenAPI document describes it. What is said is made where every door has it from
(``chat.events``, ``chat.pages``); these describe it, and the tests hold one against the other."""

from typing import Any, Literal

from ninja import Schema
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from chat.errors import ChatError
from chat.models import Room

MID = r"^[0-9A-HJKMNP-TV-Z]{26}$"


def _may_be_missing(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


def _optional(**more: Any) -> Any:
    """A field that is left out where there is nothing to say, rather than null."""
    return Field(None, json_schema_extra=_may_be_missing, **more)


class Author(Schema):
    name: str
    kind: Literal["user", "guest", "bot"]
    role: Literal["owner", "moderator", "member", "none"] = Field(description="At the time of writing.")
    id: str = Field(description="Names them in every room. It cannot be used to become them.")
    hue: int | SkipJsonSchema[None] = _optional(
        ge=0, le=11, description="The colour of their letter, if they chose one."
    )


class Message(Schema):
    type: Literal["message"]
    room: str
    mid: str = Field(pattern=MID)
    at: str = Field(description="RFC 3339, in UTC.")
    message: str = Field(description="The text as it was typed.")
    html: str = Field(description="The same, safe to show.")
    key: str
    reply_to: str | SkipJsonSchema[None] = _optional(pattern=MID, description="The mid of the message answered.")
    edited_at: str | SkipJsonSchema[None] = _optional()
    reactions: dict[str, int] | SkipJsonSchema[None] = _optional(description="How many of each.")
    author: Author


class About(Schema):
    title: str
    topic: str
    language: str
    visibility: Literal[tuple(Room.Visibility.values)]
    posting: Literal[tuple(Room.Posting.values)]
    slow_seconds: int
    shows_names: bool
    shows_typing: bool
    archived: bool
    pinned: str | None


class History(Schema):
    room: str
    head: int = Field(description="The number from which events continue.")
    about: About
    earlier: str | None = Field(description="The before of the page before this one; null where this is the first.")
    messages: list[Message] = Field(description="Oldest first.")


class Piece(Schema):
    text: str
    match: bool = Field(description="Whether it is what was looked for.")


class FoundMessage(Message):
    permalink: str = Field(description="Where it stands, with the history around it.")
    excerpt: list[Piece] = Field(description="The part of the text that tells why it was found.")


class Found(Schema):
    room: str
    messages: list[FoundMessage] = Field(description="Newest first.")
    older: str | None = Field(description="The before with which to go on; null where that is all.")
    looked_far: bool = Field(description="There may be more, though this page is not full.")
    complete: bool = Field(description="False while the index is being made: something older may be missing.")


class Posted(Schema):
    mid: str = Field(pattern=MID)
    key: str
    id: int | None = Field(description="Its number in the log; null where the key was used long ago.")


class Held(Schema):
    held: Literal[True]
    key: str
    detail: str


_POST = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "message": {
            "type": "string",
            "description": "At least one visible character, and at most MAX_TEXT_CHARS code points (4000 by default).",
        },
        "key": {"type": "string", "format": "uuid", "description": "Made by you: posting twice is posting once."},
        "reply_to": {"type": "string", "pattern": MID, "description": "The mid of the message answered."},
    },
}
BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _POST}}}}

_SECONDS = {"schema": {"type": "integer", "minimum": 0}, "required": True, "description": "In so many seconds."}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string", "pattern": "^Bearer"}, "required": True}},
    429: {"Retry-After": _SECONDS},
    503: {"Retry-After": _SECONDS},
}


def answers(*refusals: type[ChatError]) -> dict[str, Any]:
    """What else an operation may be answered with, for its ``openapi_extra``: errors by status, with their codes."""
    by_status: dict[int, list[type[ChatError]]] = {}
    for error in refusals:
        by_status.setdefault(error.status, []).append(error)
    return {"responses": {status: _answer(status, errors) for status, errors in sorted(by_status.items())}}


def _answer(status: int, errors: list[type[ChatError]]) -> dict[str, Any]:
    error = {
        "type": "object",
        "required": ["code", "detail"],
        "properties": {
            "code": {"type": "string", "enum": sorted({error.code for error in errors})},
            "detail": {"type": "string", "description": "A sentence for people."},
            "retryable": {"const": True, "description": "The same may succeed later."},
            "retry_after": {"type": "number", "description": "In how many seconds."},
        },
    }
    body = {"type": "object", "required": ["error"], "properties": {"error": error}}
    answer: dict[str, Any] = {
        "description": " ".join(f"{error.code}: {error()}" for error in errors),
        "content": {"application/json": {"schema": body}},
    }
    if status in _HEADERS:
        answer["headers"] = _HEADERS[status]
    return answer
