"""What was said in a room, told again as it stands now, as fast as it was said or faster: an ASGI application beside
Django.

Each reader is at one message, whose name is their cursor, and has a few more in hand. They follow the room like any
viewer meanwhile: who may not read any more is let go at once, what is edited or deleted is told no more as it was, and
those who were told it hear of that, too.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from math import inf
from time import monotonic
from typing import Any

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from chat import errors, events, meters, viewing
from chat.addresses import client_address, header, network_of
from chat.colours import with_hues
from chat.database import in_database
from chat.doorway import Place, Stay
from chat.errors import ChatError
from chat.events import LoggedEvent, encode, message_fields, timestamp
from chat.follower import Count, Follower
from chat.languages import language_of_scope
from chat.limits import limits
from chat.mids import is_mid, moment_of
from chat.pages import readable_in
from chat.queue import Waiting
from chat.rights import Rights
from chat.sentences import filled
from chat.visitors import visitor
from feeds.answering import Answers
from feeds.asking import Asker, Span, anybody, in_turn, parameters_of, read_span, within

AT_ONCE = 100  # messages in hand
AHEAD_SECONDS = 5.0  # of the reader's time: so far ahead messages are taken in hand
EARLY_SECONDS = 0.2  # before its time comes, the next one is fetched
LEAST_SPEED, MOST_SPEED = 0.1, 1000.0
MOST_GAP_SECONDS = 86_400
CHANGED = "engawa.changed"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """``speed`` is how many seconds of the room pass in one of the reader's (``inf``: without waiting); ``gap`` how
    many of the reader's pass at most without a message."""

    span: Span
    speed: float = 1.0
    gap: float = inf
    after: str = ""

    @classmethod
    def of(cls, parameters: dict[str, str], last_id: str | None) -> Wanted:
        """What an address asks for. Raises ``InvalidQuery``, ``InvalidCursor``."""
        after = last_id or parameters.get("lastEventId", "")
        if after:
            try:
                moment_of(after if is_mid(after) else "")
            except (ValueError, OverflowError):
                raise errors.InvalidCursor(_("The cursor of a replay is the mid of a message.")) from None
        said = parameters.get("speed") or "1"
        speed = inf if said == "max" else _number(said, "speed", LEAST_SPEED, MOST_SPEED)
        gap = _number(parameters["gap"], "gap", 0, MOST_GAP_SECONDS) if parameters.get("gap") else inf
        return cls(read_span(parameters), speed, gap, after)


def _number(said: str, name: str, least: float, most: float) -> float:
    try:
        number = float(said) if said.isascii() else -1
    except ValueError:
        number = -1
    if not least <= number <= most:
        sentence = _("%(name)s is a number from %(least)s to %(most)s.")
        raise errors.InvalidQuery(filled(sentence, name=name, least=f"{least:g}", most=f"{most:g}"))
    return number


@dataclass(frozen=True, slots=True)
class Changes:
    """What somebody who is told of the past hears of the present."""

    transport = meters.REPLAY

    @property
    def heartbeat_seconds(self) -> float:
        return settings.STREAM_COMMENT_SECONDS

    def events(self, logged: list[LoggedEvent]) -> list[dict[str, Any]]:
        of_old = [event for event in logged if event.type in (events.EDITED, events.DELETED, events.REACTIONS)]
        return [{"type": CHANGED, "events": of_old}] if of_old else []

    def heartbeat(self, head: int) -> list[dict[str, Any]]:
        return [_body(":\n")]

    def reset(self, head: int) -> list[dict[str, Any]]:
        return [{"type": CHANGED, "events": None}]

    def presence(self, people: Count) -> list[dict[str, Any]]:
        return []

    def typing(self, author: dict[str, str]) -> list[dict[str, Any]]:
        return []

    def you(self, rights: Rights) -> list[dict[str, Any]]:
        return []

    def queue(self, waiting: Waiting) -> list[dict[str, Any]]:
        return []


class Replay:
    """``/feeds/<slug>/replay/stream`` for anybody; with ``for_people`` its twin under ``/chat/``, which knows sessions,
    and tells members what was said in private."""

    def __init__(self, *, for_people: bool = False) -> None:
        self.for_people = for_people
        self.answers = Answers(for_people=for_people, vary="" if for_people else "Authorization")

    async def __call__(self, scope: dict[str, Any], receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        with translation.override(language_of_scope(scope, reads_cookies=self.for_people)):
            await self.answer(scope, receive, send)

    async def answer(self, scope: dict[str, Any], receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if await self.answers.without(scope, send):
            return
        place = Place()
        has_started = False
        try:
            parameters = parameters_of(scope)
            wanted = Wanted.of(parameters, header(scope["headers"], b"last-event-id"))
            asker = await self.asker(scope, parameters)
            slug = scope["url_route"]["kwargs"]["slug"]
            player = _Player(slug, wanted, asker, send)
            place.hold = await limits().connection("stream", client_address(scope), settings.STREAMS_PER_ADDRESS)
            place.stay = Stay(slug, player.follower)
            entry = await place.stay.enter()
            opening = await in_turn(_begin, asker, slug, wanted)
            has_started = True
            if opening["left"] is None:
                await self.answers.send(send, 204, {})  # they have all of it: an EventSource stays closed after this
                return
            headers = self.answers.headers_with({"Content-Type": "text/event-stream"})
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            if scope["method"] == "GET":
                place.open(meters.REPLAY)
                place.stay.relay.start(player.follower, entry.head, entry.floor, is_new=True)
                await player.run(opening, receive)
            await send({"type": "http.response.body", "body": b""})
        except ChatError as error:
            await self.answers.refuse(scope, send, error)
        except OSError:
            logger.debug("a reader of a replay has gone")
        except Exception:
            if has_started:
                raise
            logger.exception("a replay failed")
            await self.answers.refuse(scope, send, errors.ServerError())
        finally:
            place.give_back()

    async def asker(self, scope: dict[str, Any], parameters: dict[str, str]) -> Asker:
        if self.for_people:
            return Asker(network_of(scope), await visitor(scope))
        if parameters.get("ticket"):
            return Asker(network_of(scope), grant=viewing.grant_of_ticket(parameters["ticket"]))
        return await in_database(anybody, scope)


class _Player:
    """One reader's replay."""

    def __init__(self, slug: str, wanted: Wanted, asker: Asker, send: ASGISendCallable) -> None:
        self.slug = slug
        self.wanted = wanted
        self.asker = asker
        self.send = send
        self.last = wanted.after  # the message that was told last
        self.count = 0
        self.changed: set[str] = set()  # since what is in hand was fetched
        self.over: asyncio.Future[ChatError | None] = asyncio.get_running_loop().create_future()
        self.follower = Follower(
            form=Changes(),
            send=self.hear,
            close=self.close,
            actor=asker.actor,
            network=asker.network,
            grant=asker.grant,
        )

    async def run(self, opening: dict[str, Any], receive: ASGIReceiveCallable) -> None:
        listening = asyncio.ensure_future(self.listen(receive))
        try:
            about = {**opening["about"], "speed": _said(self.wanted.speed), "gap": _said(self.wanted.gap)}
            await self.tell(f"retry: {settings.STREAM_RETRY_MS}\n{_block('replay-open', encode(about))}")
            await self.play(opening["left"], opening["last"])
            if not self.over.done():
                await self.tell(_block("replay-end", encode({"messages": self.count}), self.last))
        except ChatError as error:
            self.finish(error)
        except TimeoutError:
            self.finish(errors.TooSlow())
        finally:
            listening.cancel()
        if self.over.done() and (error := self.over.result()) is not None:
            await self.send(_body(_last_words(error)))

    async def play(self, first: str, last: str) -> None:
        """Tell everything from the message ``first`` to the message ``last``."""
        # The room's time that it is for the reader, and when that was so: from there it passes ``speed`` times as fast.
        speed, gap = self.wanted.speed, self.wanted.gap
        room_time = moment_of(max(self.last, self.wanted.span.first) or first).timestamp()
        since = monotonic()
        coming: str | None = first
        while coming is not None and not self.over.done():
            ahead = inf if speed == inf else room_time + (AHEAD_SECONDS + monotonic() - since) * speed
            self.changed.clear()
            messages, coming = await in_turn(_next, self.asker, self.slug, self.left(first, last), ahead)
            for message, told in messages:
                wait = (moment_of(message).timestamp() - room_time) / speed - (monotonic() - since)
                await self.pause(wait)
                if self.over.done() or message in self.changed:
                    coming = message
                    break
                self.last = message  # what becomes of it while it is being sent is told after it
                self.count += 1
                await self.tell(told)
            else:
                if coming is not None:
                    wait = (moment_of(coming).timestamp() - room_time) / speed - (monotonic() - since)
                    if wait > gap:
                        since -= wait - gap
                        await self.tell(_block("replay-gap", encode({"seconds": round((wait - gap) * speed, 3)})))
                        wait = gap
                    await self.pause(wait - EARLY_SECONDS)

    def left(self, first: str, last: str) -> Span:
        """What is still to be told."""
        return Span(f"{self.last}0" if self.count else first, f"{last}0")

    async def pause(self, seconds: float) -> None:
        """Wait, unless it is over before."""
        if seconds > 0:
            await asyncio.wait({self.over}, timeout=seconds)

    async def tell(self, content: str) -> None:
        async with asyncio.timeout(settings.SLOW_SECONDS):
            await self.send(_body(content))

    async def hear(self, message: dict[str, Any]) -> None:
        """What the relay has for them."""
        if message["type"] != CHANGED:
            await self.send(message)
        elif message["events"] is None:  # nobody knows what has changed
            await self.send(_body(_block("stream-reset", "{}")))
            self.finish(None)
        else:
            self.changed.update(event.mid for event in message["events"])
            told = [event for event in message["events"] if self.last and event.mid <= self.last]
            if told:
                await self.send(_body("".join(_block(event.type, event.json) for event in told)))

    async def listen(self, receive: ASGIReceiveCallable) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.finish(None)

    async def close(self, error: ChatError) -> None:
        self.finish(error)

    def finish(self, error: ChatError | None) -> None:
        if not self.over.done():
            self.over.set_result(error)


def _begin(asker: Asker, slug: str, wanted: Wanted) -> dict[str, Any]:
    """``about`` the replay, the next message that is ``left`` to be told (None: there is none), and the ``last``."""
    room, sees_sealed = asker.enter(slug)
    mids = within(readable_in(room, sees_sealed=sees_sealed), wanted.span).values_list("mid", flat=True)
    first, last = mids.order_by("mid").first(), mids.order_by("-mid").first()
    left = mids.filter(mid__gt=wanted.after).order_by("mid").first() if wanted.after else first
    ends = {
        "from": timestamp(moment_of(first)) if first else None,
        "to": timestamp(moment_of(last)) if last else None,
    }
    return {"about": {"room": room.slug, **ends}, "left": left, "last": last or ""}


def _next(asker: Asker, slug: str, span: Span, ahead: float) -> tuple[list[tuple[str, str]], str | None]:
    """The next messages of ``span``, as they are told, up to the moment ``ahead`` of the room's time, and the name of
    the one after them."""
    room, sees_sealed = asker.enter(slug)
    told: list[tuple[str, str]] = []
    chars = 0
    found = list(within(readable_in(room, sees_sealed=sees_sealed), span).order_by("mid")[:AT_ONCE])
    with_hues(found)
    for message in found:
        if chars > settings.MAX_FRAME_BYTES or (moment_of(message.mid).timestamp() > ahead):
            return told, message.mid
        block = _block(events.MESSAGE, encode(message_fields(message, room.slug)), message.mid)
        told.append((message.mid, block))
        chars += len(block)
    if len(told) < AT_ONCE:
        return told, None
    rest = within(readable_in(room, sees_sealed=sees_sealed), replace(span, first=f"{told[-1][0]}0"))
    return told, rest.order_by("mid").values_list("mid", flat=True).first()


def _body(content: str) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content.encode(), "more_body": True}


def _block(event: str, data: str, mid: str | None = None) -> str:
    cursor = f"id: {mid}\n" if mid else ""
    return f"event: {event}\n{cursor}data: {data}\n\n"


def _last_words(error: ChatError) -> str:
    if error.retryable:
        wait = error.retry_after or settings.STREAM_RETRY_MS / 1000
        data = encode({"type": "going-away", "retry_after": round(wait, 1)})
        return f"retry: {int(wait * 1000)}\n{_block('going-away', data)}"
    return _block("stream-error", encode({"condition": "forbidden", "text": str(error.detail)}), "error")


def _said(number: float) -> float | None:
    return None if number == inf else number
