"""A room's transcript, as an ASGI application beside Django: however slowly it is read, it holds no thread and no
connection to the database meanwhile, and no more of the room than one part of it.

Each part is fetched by the names of messages, after the policy was asked again: what was deleted in the meantime is not
in it, and who may not read any more gets no further.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import Any

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable
from django.conf import settings
from django.db.models import Count, Max
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import content_disposition_header

from chat import errors
from chat.addresses import client_address, network_of
from chat.database import in_database
from chat.errors import ChatError
from chat.events import timestamp
from chat.languages import language_of_scope
from chat.limits import Hold, limits
from chat.pages import readable_in
from chat.visitors import visitor
from feeds.answering import Answers
from feeds.asking import Asker, Span, anybody, in_turn, parameters_of, read_span, within
from feeds.transcripts import FORMS, HTML_POLICY, About, Form

AT_ONCE = 200  # messages that are read in one query
MOST_CHARS = 64 * 1024  # of what is waiting for one reader; a message more where one alone is longer

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """A run of a transcript, and the last message in it; no ``content`` where there is no more."""

    content: bytes
    last: str
    count: int


class Export:
    """``/feeds/<slug>/export.<form>``, for anybody; with ``for_people`` its twin ``/chat/<slug>/export.<form>``, which
    knows sessions, and has what was said in private for members."""

    def __init__(self, *, for_people: bool = False) -> None:
        self.for_people = for_people
        self.answers = Answers(for_people=for_people, vary="" if for_people else "Authorization")

    async def __call__(self, scope: dict[str, Any], receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        with translation.override(language_of_scope(scope, reads_cookies=self.for_people)):
            await self.answer(scope, receive, send)

    async def answer(self, scope: dict[str, Any], receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if await self.answers.without(scope, send):
            return
        hold: Hold | None = None
        has_started = False
        try:
            span = read_span(parameters_of(scope))
            route = scope["url_route"]["kwargs"]
            form = FORMS.get(route["form"])
            if form is None:
                raise errors.RoomNotFound()
            asker = await self.asker(scope)
            hold = await limits().connection("export", client_address(scope), settings.EXPORTS_PER_ADDRESS)
            about, last = await in_turn(_begin, asker, route["slug"], span, self.for_people)
            has_started = True
            headers = self.answers.headers_with(_about(form, about, span))
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
            else:
                await _Download(form, about, asker, receive, send).run(replace(span, end=f"{last}0"))
        except ChatError as error:
            await self.answers.refuse(scope, send, error)
        except OSError:
            logger.debug("a reader of a transcript has gone")
        except Exception:
            if has_started:
                raise
            logger.exception("an export failed")
            await self.answers.refuse(scope, send, errors.ServerError())
        finally:
            if hold is not None:
                hold.release()

    async def asker(self, scope: dict[str, Any]) -> Asker:
        if self.for_people:
            return Asker(network_of(scope), await visitor(scope))
        return await in_database(anybody, scope)


class _Download:
    """What one reader is sent."""

    def __init__(
        self, form: Form, about: About, asker: Asker, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        self.form = form
        self.about = about
        self.asker = asker
        self.send = send
        self.gone = asyncio.ensure_future(_gone(receive))

    async def run(self, span: Span) -> None:
        count, reason, language = 0, "", translation.get_language()
        try:
            await self.write(self.form.begin(self.about).encode())
            while not self.gone.done():
                part = await in_turn(_part, self.form, self.asker, self.about.slug, span, language)
                if not part.count:
                    break
                await self.write(part.content)
                count += part.count
                span = replace(span, first=f"{part.last}0")
        except ChatError as error:
            reason = str(error.detail)
        except TimeoutError:
            reason = str(errors.TooSlow.detail)
        finally:
            self.gone.cancel()
        await self.send({"type": "http.response.body", "body": self.form.end(count, reason).encode()})

    async def write(self, content: bytes) -> None:
        async with asyncio.timeout(settings.SLOW_SECONDS):
            await self.send({"type": "http.response.body", "body": content, "more_body": True})


async def _gone(receive: ASGIReceiveCallable) -> None:
    """Wait until the reader has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _begin(asker: Asker, slug: str, span: Span, for_people: bool) -> tuple[About, str]:
    """What is about to be exported, and the last message of it: what is said from now on is not in it."""
    room, sees_sealed = asker.enter(slug)
    counted = within(readable_in(room, sees_sealed=sees_sealed), span).aggregate(total=Count("mid"), last=Max("mid"))
    door = "chat:room" if for_people else "feeds:watch"
    about = About(
        slug=room.slug,
        title=room.title,
        address=settings.PUBLIC_URL + reverse(door, args=[room.slug]),
        since=span.since,
        until=span.until,
        at=timestamp(timezone.now()),
        total=counted["total"],
    )
    return about, counted["last"] or ""


def _part(form: Form, asker: Asker, slug: str, span: Span, language: str) -> Part:
    """In another thread, which knows of no language."""
    with translation.override(language):
        return _written(form, asker, slug, span)


def _written(form: Form, asker: Asker, slug: str, span: Span) -> Part:
    room, sees_sealed = asker.enter(slug)
    written: list[str] = []
    chars, last = 0, ""
    for message in within(readable_in(room, sees_sealed=sees_sealed), span).order_by("mid")[:AT_ONCE]:
        written.append(form.message(message, room.slug))
        chars += len(written[-1])
        last = message.mid
        if chars > MOST_CHARS:
            break
    return Part("".join(written).encode(), last, len(written))


def _about(form: Form, about: About, span: Span) -> dict[str, str]:
    """How a transcript is announced: what it is called, of which type, and of how many messages."""
    name = "-".join([about.slug, *span.days]) + f".{form.name}"
    headers = {
        "Content-Type": f"{form.content_type}; charset=utf-8",
        "Content-Disposition": content_disposition_header(True, name),
        "Engawa-Messages": str(about.total),
        "Access-Control-Expose-Headers": "Content-Disposition, Engawa-Messages",
    }
    return {**headers, "Content-Security-Policy": f"{HTML_POLICY}; sandbox"} if form.name == "html" else headers
