"""A room's live stream, as an ASGI application beside Django: an open one costs no thread and no connection."""

import json
import logging
from math import ceil
from typing import Any

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable
from django.conf import settings

from chat import errors, protocol
from chat.addresses import client_address, header, network_of
from chat.doorway import Place, Stay
from chat.errors import ChatError
from chat.extensions import may_park, park, send_now
from chat.follower import Follower, Message
from chat.limits import limits
from chat.visitors import visitor
from feeds import grip
from feeds.encoders import ServerSentEvents
from feeds.eventstream import read_request

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5

_COMMON = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
_ANYBODY = [(b"access-control-allow-origin", b"*")]
_STREAM = [(b"content-type", b"text/event-stream"), (b"x-accel-buffering", b"no")]
_PREFLIGHT = [
    (b"access-control-allow-methods", b"GET, HEAD"),
    (b"access-control-allow-headers", b"last-event-id, cache-control"),
    (b"access-control-max-age", b"86400"),
]
_METHODS = [(b"allow", b"GET, HEAD, OPTIONS")]


class RoomStream:
    """``/feeds/<slug>/stream``, anonymous and open to every origin; with ``for_people`` its twin
    ``/chat/<slug>/stream``, which knows sessions and guests and is for our own pages.

    ``grip_application`` answers requests that a GRIP proxy has signed.
    """

    def __init__(self, *, for_people: bool = False, grip_application: ASGI3Application | None = None) -> None:
        self.for_people = for_people
        self.grip_application = grip_application
        self.headers = _COMMON if for_people else _COMMON + _ANYBODY

    async def __call__(self, scope: dict[str, Any], receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if self.grip_application is not None and grip.is_signed(header(scope["headers"], b"grip-sig")):
            await self.grip_application(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await self.answer(send, 204, _METHODS + ([] if self.for_people else _PREFLIGHT))
        elif scope["method"] not in ("GET", "HEAD"):
            await self.answer(send, 405, _METHODS)
        else:
            await self.stream(scope, receive, send)

    async def stream(self, scope: dict[str, Any], receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        viewer = _Viewer()
        has_started = is_parked = False
        try:
            slug, cursor, parameters = read_request(scope, scope["url_route"]["kwargs"]["slug"])
            history = protocol.read_history(parameters["history"]) if "history" in parameters else None
            form = ServerSentEvents(slug)
            actor = await visitor(scope) if self.for_people else None
            follower = Follower(
                form=form,
                send=send,
                send_now=send_now(scope),
                close=lambda error: _end(form, send, error),
                actor=actor,
                network=network_of(scope),
            )
            viewer.hold = await limits().connection("stream", client_address(scope), settings.STREAMS_PER_ADDRESS)
            viewer.stay = Stay(slug, follower, None if cursor is not None else history)
            entry = await viewer.stay.enter()
            has_started = True
            if cursor == entry.head and entry.about["archived"]:
                await self.answer(send, 204, [])  # they have all of it: an EventSource stays closed after this
                return
            await send({"type": "http.response.start", "status": 200, "headers": self.headers + _STREAM})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
                return
            for message in form.opening(entry.head if cursor is None else None, entry.history or []):
                await send(message)
            viewer.stay.relay.start(follower, entry.head if cursor is None else cursor, entry.floor)
            if may_park(scope):
                await receive()  # the request itself, which was there before all this
                await park(send, viewer.hear)
                is_parked = True
            while not is_parked and not viewer.has_gone:
                await viewer.hear(await receive())
        except ChatError as error:
            await self.refuse(send, error)
        except Exception:
            logger.exception("a stream failed")
            if not has_started:
                await self.refuse(send, errors.ServerError())
        finally:
            if not is_parked:
                viewer.give_back()

    async def refuse(self, send: ASGISendCallable, error: ChatError) -> None:
        content = json.dumps({"error": error.as_dict()}).encode() + b"\n"
        headers = [(b"content-type", b"application/json")]
        if error.status in (429, 503):
            headers.append((b"retry-after", str(ceil(error.retry_after or RETRY_AFTER_SECONDS)).encode()))
        await self.answer(send, error.status, headers, content)

    async def answer(
        self, send: ASGISendCallable, status: int, headers: list[tuple[bytes, bytes]], content: bytes = b""
    ) -> None:
        length = [(b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": self.headers + headers + length})
        await send({"type": "http.response.body", "body": content})


class _Viewer(Place):
    """A stream's place in its room, until its reader has gone."""

    __slots__ = ("has_gone",)

    def __init__(self) -> None:
        super().__init__()
        self.has_gone = False

    async def hear(self, message: Message) -> None:
        if message["type"] == "http.disconnect":
            self.has_gone = True
            self.give_back()


async def _end(form: ServerSentEvents, send: ASGISendCallable, error: ChatError) -> None:
    """End a stream: with a last word where its reader should stay away, without where it should come back."""
    messages: list[Message] = []
    if not error.retryable:
        messages = form.error("forbidden", error.detail)
    elif error.retry_after is not None:
        messages = form.going_away(error.retry_after)
    for message in messages:
        await send(message)
    await send({"type": "http.response.body", "body": b""})
