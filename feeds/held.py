"""Streams that a GRIP proxy holds for us: what it is answered when somebody comes to it, and when it asks again.

An answer has the words that our own stream would say, and says on which channels the proxy is to hold the viewer, what
to say when nothing is said, and by which link (``feeds.links``) to ask again: when an event is missing, when it is told
to, and after a while. What it is then answered goes on in the same stream: what they had missed; or last words without
a hold, and the proxy lets them go.
"""

import re
from base64 import b64encode
from dataclasses import dataclass, replace
from random import uniform
from time import time
from typing import Any
from urllib.parse import quote, unquote

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable
from django.conf import settings
from django.db.models import Max, Q
from django.utils import translation
from django.utils.translation import get_language
from gripcontrol import Channel, create_grip_channel_header

from chat import errors, events, log, meters, viewing
from chat.addresses import header, network_of
from chat.database import in_database
from chat.doorway import Entry, enter
from chat.errors import ChatError
from chat.identity import Grant, Identity
from chat.models import Room, Sanction
from chat.text import canonical_slug
from chat.visitors import account_of, visitor
from feeds import grip, links
from feeds.answering import Answers, encoded
from feeds.encoders import ServerSentEvents
from feeds.eventstream import Asked, read_request
from feeds.forms.kinds import EVENTS
from feeds.links import Held
from feeds.reading import bearer

_NUMBER = re.compile(r"[0-9]{1,18}")
PAGE_CHARS = 20_000  # the rest by the next link
MOST_CHARS = 30_000  # of a first answer: Pushpin takes 100,000 bytes, and a character has three, or twice two
# After which it is asked again about who was told a long past in several answers: it holds them only from the last on,
# and what came a moment before may have passed them by.
SETTLE_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Found:
    """A room as it is for somebody, of whom ``held`` is known by now, and what the log has after their cursor, if they
    have one."""

    held: Held
    room_id: int
    entry: Entry
    page: log.Page | None


def is_for_proxy(scope: dict[str, Any]) -> bool:
    """Whether the proxy asks, and for what it could hold: one room."""
    return scope["method"] == "GET" and "slug" in scope["url_route"]["kwargs"] and _is_signed(scope)


async def answer(answers: Answers, scope: dict[str, Any], send: ASGISendCallable, *, for_people: bool) -> bool:
    """Answer a request that the proxy has signed. False where we hold the stream ourselves, and nothing was sent: those
    who keep order hear of more than what is published, and a first answer takes no long history."""
    try:
        asked = read_request(scope, scope["url_route"]["kwargs"]["slug"])
        (slug,) = asked.rooms
        cursor = asked.cursors.get(slug)
        found = await _found_first(scope, asked, cursor, for_people)
    except ChatError as error:
        await answers.refuse(scope, send, error, EVENTS)
        return True
    entry = found.entry
    if entry.about["archived"] and cursor == entry.head:
        await answers.send(send, 204, {})
        return True
    form = ServerSentEvents(slug)
    said, position = _said(form, found)
    words = form.opening(entry.head if cursor is None else None, entry.history or []) + said
    if entry.rights is not None:
        words += "".join(message["body"].decode() for message in form.you(entry.rights))
    if len(words) > MOST_CHARS or (entry.rights is not None and entry.rights.moderate):
        return False
    await _respond(answers, scope, send, words, _instructions(found, slug, position, for_people=for_people))
    meters.grip.add("held")
    return True


class Again:
    """``/feeds/<slug>/held/<link>``, where the proxy asks again about viewers that it holds; ``for_people`` its twin
    under ``/chat/``. For anybody else there is nothing here."""

    def __init__(self, *, for_people: bool = False) -> None:
        self.for_people = for_people
        self.answers = Answers(for_people=for_people)

    async def __call__(self, scope: dict[str, Any], receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        slug = canonical_slug(scope["url_route"]["kwargs"]["slug"])
        held = links.opened(slug, scope["url_route"]["kwargs"]["link"]) if slug and _is_signed(scope) else None
        if held is None:
            await self.answers.refuse(scope, send, errors.RoomNotFound(), EVENTS)
            return
        with translation.override(held.language):
            try:
                await self.answer(slug, held, scope, send)
            except errors.ServerBusy as error:
                await self.answers.refuse(scope, send, error, EVENTS)  # the proxy tries again
            except ChatError as error:
                await _respond(self.answers, scope, send, ServerSentEvents(slug).ending(error))

    async def answer(self, slug: str, held: Held, scope: dict[str, Any], send: ASGISendCallable) -> None:
        """What they have not been told. Raises as ``enter`` does, and ``GoingAway`` where they are to come anew."""
        cursor = _last_told(scope, slug) if held.after is None else held.after
        grants = [] if held.grant is None else [held.grant]
        found = await in_database(_find, slug, held, grants, "", cursor, None)
        rights = found.entry.rights
        if found.held.ban > held.ban or (rights is not None and rights.moderate):
            raise errors.GoingAway(retry_after=uniform(0, 2))  # noqa: S311 – spreads load, keeps no secret
        form = ServerSentEvents(slug)
        words, position = _said(form, found)
        if found.held.rights != held.rights:
            words += form.you(rights)[0]["body"].decode()
        await _respond(
            self.answers, scope, send, words, _instructions(found, slug, position, for_people=self.for_people)
        )


def _is_signed(scope: dict[str, Any]) -> bool:
    return grip.is_signed(header(scope["headers"], b"grip-sig"))


async def grants_of(scope: dict[str, Any], asked: Asked) -> list[Grant]:
    """What the view tokens give that a request came with: by a header, or by tickets in its address. Raises
    ``TokenInvalid`` or ``ServerBusy``."""
    grants = [viewing.grant_of_ticket(ticket) for ticket in asked.tickets]
    secret = bearer(header(scope["headers"], b"authorization"))
    if secret is not None:
        grants.append(await in_database(viewing.grant_of, secret))
    return grants


async def _found_first(scope: dict[str, Any], asked: Asked, cursor: int | None, for_people: bool) -> Found:
    """What there is for somebody who comes."""
    actor = await visitor(scope) if for_people else None
    grants = [] if for_people else await grants_of(scope, asked)
    network = network_of(scope)
    held = Held(network=network, crowd=links.crowd_of(network), language=get_language())
    if actor is not None:
        held = Held(actor=actor, session_key=actor.session_key, network=network, language=get_language())
    history = asked.history if cursor is None else None
    (slug,) = asked.rooms
    return await in_database(_find, slug, held, grants, network, cursor, history)


def _last_told(scope: dict[str, Any], slug: str) -> int | None:
    """The number of the last event that the proxy has told, as it says."""
    for part in (header(scope["headers"], b"grip-last") or "").split(","):
        channel, _, rest = part.strip().partition(";")
        number = rest.strip().removeprefix("last-id=").strip('"')
        if unquote(channel) == unquote(grip.of_events(slug)) and _NUMBER.fullmatch(number):
            return int(number)
    return None


def _find(slug: str, held: Held, grants: list[Grant], network: str, cursor: int | None, history: int | None) -> Found:
    room_id = Room.objects.there().filter(slug=slug).values_list("pk", flat=True).first()
    if room_id is None:
        raise errors.RoomNotFound()
    grant = next((grant for grant in grants if grant.room_id == room_id), None)
    if held.session_key is not None and held.actor is None:
        held = replace(held, actor=_signed_in(held))
    # First what was said, then whether they may read it.
    page = None if cursor is None else log.read(room_id, cursor)
    entry = enter(room_id, held.actor, network, history, grant)
    if page is not None and not page.reset and cursor < entry.floor:
        page = log.Page(head=entry.head, reset=True, events=[])
    ban = 0 if held.actor is not None else _newest_ban(room_id, held.crowd)
    rights = "" if entry.rights is None else events.encode(entry.rights.as_dict())
    return Found(replace(held, grant=grant, ban=ban, rights=rights), room_id, entry, page)


def _signed_in(held: Held) -> Identity:
    actor = account_of(held.session_key)
    if actor is None:
        raise errors.SessionEnded()
    return replace(actor, network=held.network)


def _newest_ban(room_id: int, crowd: str) -> int:
    """The last ban of a network, of those from which a crowd comes."""
    bans = Sanction.objects.in_force().filter(Q(room=room_id) | Q(room=None), kind=Sanction.Kind.BAN)
    networks = bans.filter(target=Sanction.Target.NETWORK, subject__startswith=f"n{crowd}")
    return networks.aggregate(newest=Max("pk"))["newest"] or 0


def _said(form: ServerSentEvents, found: Found) -> tuple[str, int]:
    """What was said since, as much as goes into one answer, and the number up to which that is."""
    if found.page is None:
        return "", found.entry.head
    if found.page.reset:
        return form.reset(found.page.head)[0]["body"].decode(), found.page.head
    words, position = "", found.page.events[0].seq - 1 if found.page.events else found.page.head
    for event in found.page.events:
        if words and len(words) + len(event.json) > PAGE_CHARS:
            break
        words += form.block_of(event)
        position = event.seq
    return words, position


def _instructions(found: Found, slug: str, position: int, *, for_people: bool) -> dict[str, str]:
    """How the proxy is to go on after this answer."""
    held, was_paged = found.held, found.held.after is not None
    is_more = found.page is not None and position < found.page.head
    again = links.sealed(slug, replace(held, after=position if is_more else None))
    link = f"</{'chat' if for_people else 'feeds'}/{quote(slug, safe='')}/held/{again}>; rel=next"
    if is_more:
        return {"Grip-Link": link}
    kind = grip.ANYBODY if held.actor is None and held.grant is None else grip.PEOPLE
    names = [grip.EVERYBODY, kind, grip.in_room(kind, found.room_id)]
    if held.actor is not None and held.actor.user_id is not None:
        names.append(grip.of_account(held.actor.user_id))
    channels = [Channel(grip.of_events(slug), prev_id=str(position)), *map(Channel, names)]
    # Spread, so that those who came together are not asked about together.
    seconds = SETTLE_SECONDS if was_paged else int(settings.GRIP_ASK_SECONDS * uniform(0.5, 1))  # noqa: S311 – spreads load, keeps no secret
    if held.grant is not None:
        seconds = max(1, min(seconds, int(held.grant.ends_at - time()) + 1))
    idle = b64encode(ServerSentEvents(slug).heartbeat(position)[0]["body"]).decode()
    return {
        "Grip-Hold": "stream",
        "Grip-Channel": create_grip_channel_header(channels),
        "Grip-Keep-Alive": f"{idle}; format=base64; timeout={settings.STREAM_COMMENT_SECONDS}; mode=interval",
        "Grip-Link": f"{link}; timeout={seconds}",
    }


async def _respond(
    answers: Answers,
    scope: dict[str, Any],
    send: ASGISendCallable,
    words: str,
    instructions: dict[str, str] | None = None,
) -> None:
    body = words.encode()
    length = {"Content-Length": str(len(body))}
    headers = answers.headers(EVENTS, scope) + encoded({**length, **(instructions or {})})
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
