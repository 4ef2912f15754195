"""How what stands beside Django, and is no live stream, is asked for: by whom, from when to when; whose turn it is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qsl

from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.utils.translation import gettext_lazy as _

from chat import errors, policies, viewing
from chat.addresses import header, network_of
from chat.database import in_database
from chat.events import timestamp
from chat.identity import Grant, Identity
from chat.mids import first_mid_at, is_mid, moment_of
from chat.models import Room
from chat.models.messages import MessageQuerySet
from chat.protocol import MAX_PARAMETERS
from chat.visitors import require_session
from feeds.reading import bearer, room_at

_MOMENT = re.compile(r"[0-9T:.Z +-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: somebody with cookies (``actor``), or anybody, who may have come with a ``grant``."""

    network: str
    actor: Identity | None = None
    grant: Grant | None = None

    def enter(self, slug: str) -> tuple[Room, bool]:
        """The room as it is now, and whether they see what was said there in private. Asks the policy: call it again
        before each thing that is told. Raises ``RoomNotFound``, ``Banned``, ``SessionEnded``, ``TokenInvalid``."""
        require_session(self.actor)
        room = room_at(slug)
        viewing.require_in_force(self.grant)
        standing = policies.require_readable(room, self.actor, self.network, self.grant)
        return room, policies.sees_sealed(self.actor, standing)


def anybody(scope: dict[str, Any]) -> Asker:
    """Who asks without cookies. Raises ``TokenInvalid``. Uses the database where they came with a token."""
    secret = bearer(header(scope["headers"], b"authorization"))
    return Asker(network_of(scope), grant=None if secret is None else viewing.grant_of(secret))


def parameters_of(scope: dict[str, Any]) -> dict[str, str]:
    """What stands behind the question mark. Raises ``InvalidHost``, ``InvalidQuery``."""
    try:
        ASGIRequest(scope, None).get_host()
    except DisallowedHost:
        raise errors.InvalidHost() from None
    try:
        query = scope["query_string"].decode("latin1")
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS))
    except ValueError:
        raise errors.InvalidQuery(_("That is more parameters than this has.")) from None


# From when to when ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Span:
    """The messages from the name ``first`` to before the name ``end``; "" where that side is open."""

    first: str = ""
    end: str = ""

    @property
    def since(self) -> str:
        """RFC 3339, or ""."""
        return timestamp(moment_of(self.first)) if self.first else ""

    @property
    def until(self) -> str:
        """RFC 3339, or "". What was said at that moment is not in it any more."""
        return timestamp(moment_of(self.end[:26])) if self.end else ""

    @property
    def days(self) -> list[str]:
        """The first and the last day in it, as far as they are known."""
        last = moment_of(self.end[:26]) - timedelta(milliseconds=1) if self.end else None
        return [f"{moment:%Y-%m-%d}" for moment in (moment_of(self.first) if self.first else None, last) if moment]


def read_span(parameters: dict[str, str]) -> Span:
    """What ``from`` and ``to`` say: a day, a moment, or a message. All are in the span themselves. Raises
    ``InvalidQuery``."""
    first, end = parameters.get("from", "").strip(), parameters.get("to", "").strip()
    return Span(_name_at(first, is_end=False) if first else "", _name_at(end, is_end=True) if end else "")


def _name_at(value: str, *, is_end: bool) -> str:
    try:
        if is_mid(value):
            moment_of(value)
            return f"{value}0" if is_end else value  # the next string there is
        if len(value) == len("2026-11-21"):
            moment = datetime.combine(date.fromisoformat(value) + timedelta(days=is_end), time(), UTC)
        else:
            if not _MOMENT.fullmatch(value):  # Python takes more than it says
                raise ValueError
            moment = datetime.fromisoformat(value.replace(" ", "+"))  # which a plus in an address becomes
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            moment = moment.astimezone(UTC) + timedelta(milliseconds=is_end)
        return first_mid_at(moment)
    except (ValueError, OverflowError):
        raise errors.InvalidQuery(
            _("from and to are days (2026-11-21), moments (2026-11-21T07:00:00Z) or the mids of messages.")
        ) from None


def within(messages: MessageQuerySet, span: Span) -> MessageQuerySet:
    """Those of ``messages`` that are in ``span``."""
    if span.first:
        messages = messages.filter(mid__gte=span.first)
    return messages.filter(mid__lt=span.end) if span.end else messages


# Turns -----------------------------------------------------------------------------------------------------

_turns: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None


async def in_turn(function: Callable[..., Any], *arguments: Any) -> Any:
    """Run in the database, one of these at a time: however many transcripts and replays there are, everybody else keeps
    the other threads."""
    global _turns
    loop = asyncio.get_running_loop()
    if _turns is None or _turns[0] is not loop:
        _turns = (loop, asyncio.Lock())
    async with _turns[1]:
        return await in_database(function, *arguments)
