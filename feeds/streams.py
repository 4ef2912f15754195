"""Live streams of rooms, as ASGI applications beside Django: an open one costs no thread and no connection."""

import asyncio
import logging
from functools import partial
from typing import Any

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable
from django.conf import settings
from django.utils import translation

from chat import errors
from chat.addresses import client_address, header, network_of
from chat.errors import ChatError
from chat.extensions import may_park, park, send_now
from chat.languages import language_of_scope
from chat.limits import limits
from chat.visitors import visitor
from feeds import held
from feeds.answering import METHODS, Answers
from feeds.eventstream import Asked, read_request
from feeds.forms.kinds import EVENTS, Kind, Started, kind_for
from feeds.forms.writers import Writer
from feeds.held import grants_of
from feeds.viewers import MergedViewer, Viewer

logger = logging.getLogger(__name__)


class RoomStream:
    """``/feeds/<slug>/stream``, anonymous or with a view token, and open to every origin; without a slug, of all the
    rooms in the address. In the form of ``kind``, or (None) in that which the reader accepts best.

    With ``for_people`` its twin ``/chat/<slug>/stream``, which knows sessions and guests, and is for our own pages.
    What a GRIP proxy asks for and can hold, events of one room, is answered for it (``feeds.held``).
    """

    def __init__(self, kind: Kind | None = None, *, for_people: bool = False) -> None:
        self.kind = kind
        self.for_people = for_people
        varies = [] if for_people else ["Authorization"] if kind is not None else ["Accept", "Authorization"]
        self.answers = Answers(for_people=for_people, vary=", ".join(varies))

    async def __call__(self, scope: dict[str, Any], receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        with translation.override(language_of_scope(scope, reads_cookies=self.for_people)):
            await self.answer(scope, receive, send)

    async def answer(self, scope: dict[str, Any], receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        kind = self.kind or kind_for(header(scope["headers"], b"accept"))
        if scope["method"] == "OPTIONS":
            await self.answers.options(send)
        elif scope["method"] not in ("GET", "HEAD"):
            await self.answers.send(send, 405, METHODS)
        elif kind is None:
            await self.answers.refuse(scope, send, errors.NotAcceptable())
        elif not (kind is EVENTS and held.is_for_proxy(scope) and await self.is_held(scope, send)):
            await self.stream(kind, scope, receive, send)

    async def is_held(self, scope: dict[str, Any], send: ASGISendCallable) -> bool:
        """Whether the proxy holds this stream, or was answered that there is none."""
        try:
            return await held.answer(self.answers, scope, send, for_people=self.for_people)
        except Exception:
            logger.exception("a stream could not be given to the proxy")
            await self.answers.refuse(scope, send, errors.ServerError(), EVENTS)
            return True

    async def stream(
        self, kind: Kind, scope: dict[str, Any], receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        slug = scope["url_route"]["kwargs"].get("slug")
        viewer = MergedViewer() if slug is None else Viewer()
        has_started = is_parked = False
        try:
            asked = read_request(scope, slug)
            actor = await visitor(scope) if self.for_people else None
            grants = [] if self.for_people else await grants_of(scope, asked)
            viewer.hold = await limits().connection("stream", client_address(scope), settings.STREAMS_PER_ADDRESS)
            started = await viewer.enter(asked, kind, send, send_now(scope), actor, network_of(scope), grants)
            is_over = all(room.is_over for room in started)
            if is_over and kind is EVENTS and all(room.cursor == room.entry.head for room in started):
                has_started = True
                await self.answers.send(send, 204, {})  # they have all of it: an EventSource stays closed after this
                return
            # A page takes its time, which others need not wait for.
            open_with = partial(_opening, viewer.language, kind, asked, started, viewer.writer)
            opening = await asyncio.to_thread(open_with) if kind.is_page else open_with()
            if not viewer.is_there:
                raise errors.GoingAway()
            viewer.has_begun = has_started = True
            headers = self.answers.headers(kind, scope)
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
                return
            viewer.open(kind.form(started[0].slug, asked).transport)
            await send({"type": "http.response.body", "body": opening, "more_body": True})
            await viewer.start(started)
            if is_over and kind is not EVENTS:
                await viewer.complete(started)
                return
            if may_park(scope):
                await receive()  # the request itself, which was there before all this
                await park(send, viewer.hear)
                is_parked = True
            while not is_parked and not viewer.has_gone:
                await viewer.hear(await receive())
        except ChatError as error:
            if not has_started:
                await self.answers.refuse(scope, send, error, kind)
        except Exception:
            logger.exception("a stream failed")
            if not has_started:
                await self.answers.refuse(scope, send, errors.ServerError(), kind)
        finally:
            if not is_parked:
                viewer.give_back()


def _opening(language: str, kind: Kind, asked: Asked, started: list[Started], writer: Writer | None) -> bytes:
    """The first words, in ``language``: another thread knows of none."""
    with translation.override(language):
        return kind.opening(asked, started, writer)
