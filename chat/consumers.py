"""The WebSocket door: parse, authorise, call one action, answer."""

import asyncio
import logging
from functools import partial
from math import inf
from time import monotonic
from typing import Any

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable
from channels.consumer import AsyncConsumer, get_handler_name
from django.conf import settings
from django.utils import translation

from chat import errors, meters, posting, protocol, tracing
from chat.addresses import client_address, network_of
from chat.answers import Held, Posted
from chat.commands import COMMANDS, Command
from chat.database import in_database
from chat.doorway import Place, Stay
from chat.errors import ChatError
from chat.extensions import may_park, park, send_now
from chat.follower import Follower, Message
from chat.identity import new_guest
from chat.languages import language_of_scope
from chat.limits import frame_bucket, limits
from chat.marking import marks
from chat.origins import may_open
from chat.posting import Post
from chat.read_marks import require_mark, require_mid
from chat.stepping import step
from chat.visitors import visitor
from chat.writer import writer

MOST_UNANSWERED = 64  # posts of one connection that wait for their commit; the next frame is read after one of them
TYPING_SECONDS = 2.0  # said at most so often; clients show it a little longer

logger = logging.getLogger(__name__)


async def refuse(scope: dict, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """For sockets that open where there are none: the handshake is turned down."""
    await receive()
    await send({"type": "websocket.close"})


class RoomConsumer(AsyncConsumer):
    """One participant's socket in one room."""

    # The relay has this process's one channel in the room's group: a socket needs none of its own.
    channel_layer_alias = "no layer"

    room_id: int | None = None
    has_left = False  # nothing more is said
    has_ended = False  # nothing more will come
    has_posted = False  # here, and not only before
    typed_at = -inf
    language = "en"  # kept by a connection only where it is another
    unanswered: set[asyncio.Future] | None = None

    async def __call__(self, scope: dict, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        self.scope, self.base_send, self.place = scope, send, Place()
        is_parked = False
        try:
            await self.dispatch(await receive())
            self.scope = None
            if may_park(scope):
                await park(send, self.dispatch)
                is_parked = True
                return
            while not self.has_ended:
                await self.dispatch(await receive())
        finally:
            if not is_parked:
                self.place.give_back()

    async def dispatch(self, message: Message) -> None:
        # Without the base class's trip to a thread for stale connections: chat.database sees to those.
        await getattr(self, get_handler_name(message))(message)

    async def websocket_connect(self, message: Message) -> None:
        if not may_open(self.scope["headers"]):
            await self.send({"type": "websocket.close"})
            return
        self.frames = frame_bucket()
        self.dialect = protocol.dialect_for(self.scope["subprotocols"])
        if (language := language_of_scope(self.scope, reads_cookies=True)) != self.language:
            self.language = language
        # Accepted before anything is known: a browser is told why it was refused only on an open socket.
        await self.send({"type": "websocket.accept", "subprotocol": self.dialect.subprotocol})
        self.place.open(self.dialect.transport)
        try:
            await self.enter(self.scope)
        except ChatError as error:
            await self.leave(error)
        except Exception:
            logger.exception("a socket could not enter its room")
            await self.leave(errors.ServerError())

    async def enter(self, scope: dict) -> None:
        query = protocol.read_query(scope["query_string"])
        self.place.hold = await limits().connection("socket", client_address(scope), settings.CONNECTIONS_PER_ADDRESS)
        self.actor = await visitor(scope) or new_guest(network=network_of(scope))
        follower = Follower(
            form=self.dialect,
            send=self.base_send,
            send_now=send_now(scope),
            close=self.leave,
            actor=self.actor,
            network=self.actor.network,
        )
        stay = self.place.stay = Stay(scope["url_route"]["kwargs"]["slug"], follower, query.history)
        entry = await stay.enter(query.after)
        await self.tell(self.dialect.welcome(self.actor, entry))
        self.room_id = stay.relay.room_id
        is_new = query.after is None
        stay.relay.start(follower, entry.head if is_new else query.after, entry.floor, is_new=is_new)

    async def leave(self, error: ChatError) -> None:
        """Say why, and close with the code that says whether to come back."""
        self.room_id = None
        if self.dialect is not protocol.PLAIN or not error.retryable:  # the tutorial's page prints whatever it is sent
            await self.tell(self.error(error))
        self.has_left = True  # an answer that is still on its way has nowhere to go
        await self.send({"type": "websocket.close", "code": error.close or errors.TRY_AGAIN})

    async def websocket_disconnect(self, message: Message) -> None:
        self.has_ended = True
        self.place.give_back()

    async def websocket_receive(self, message: Message) -> None:
        if self.room_id is None:  # closing: what still arrives is from before the client heard
            return
        tracing.be_in(self.room_id)
        if self.frames is not None and self.frames.take(monotonic()):
            await self.leave(errors.TooManyFrames())
            return
        frame: dict[str, Any] = {}
        try:
            frame = protocol.read_frame(message.get("text"))
            await self.tell(await self.answer(frame))
        except ChatError as error:
            # In its place among the answers. What comes after it in the room comes after it here as well.
            while self.unanswered:
                await asyncio.wait(self.unanswered)
            await self.tell(self.error(error, frame.get("key")))
        except Exception:
            logger.exception("a frame could not be answered")
            await self.tell(self.error(errors.ServerError(), frame.get("key")))

    async def answer(self, frame: dict[str, Any]) -> list[Message]:
        if self.dialect is protocol.PLAIN:
            return await self.post(frame)
        match frame.get("type"):
            case "post":
                return await self.post(frame)
            case "typing":
                self.typing()
                return []
            case "seen":
                return self.seen(frame)
            case "ping":
                return protocol.ENGAWA_V1.pong()
            case str(name) if name in COMMANDS:
                return await self.command(COMMANDS[name], frame)
            case _:
                raise errors.UnknownFrameType()

    async def command(self, command: Command, frame: dict[str, Any]) -> list[Message]:
        if command.counts:
            await limits().take_post(self.actor)
        await in_database(command.run, self.actor, self.room_id, frame)
        return self.dialect.done(frame.get("key"))

    def seen(self, frame: dict[str, Any]) -> list[Message]:
        """The command of that name, written a moment later together with others'."""
        marks().see(require_mark(self.actor, self.room_id), require_mid(frame.get("mid")))
        return self.dialect.done(frame.get("key"))

    def typing(self) -> None:
        now = monotonic()
        # A name that a guest chose was asked about when they last wrote; until then it is told to nobody.
        is_known = self.has_posted or self.actor.kind != "guest" or self.actor.has_made_up_name
        if is_known and now - self.typed_at >= TYPING_SECONDS and self.place.stay.follower.rights.post:
            self.typed_at = now
            self.place.stay.relay.typing(self.actor.as_dict())

    async def post(self, frame: dict[str, Any]) -> list[Message]:
        """Have a message written, and go on: it is answered when it is committed, together with others."""
        try:
            return await self.write(frame, monotonic())
        except ChatError as error:
            meters.posts_refused.add(error.code)
            raise

    async def write(self, frame: dict[str, Any], begun: float) -> list[Message]:
        await limits().take_post(self.actor)
        if self.unanswered is None:
            self.unanswered = set()
        while len(self.unanswered) >= MOST_UNANSWERED:
            await asyncio.wait(self.unanswered, return_when=asyncio.FIRST_COMPLETED)
        key = frame.get("key")
        draft = posting.draft(Post(self.actor, frame.get("message"), key, frame.get("reply_to")))
        if draft.takes_long:  # then only what comes after it here waits for it
            await in_database(posting.render, [draft])
        if self.room_id is None:  # asked to leave while it waited
            return []
        answer = writer().post(self.room_id, draft)
        self.unanswered.add(answer)
        answer.add_done_callback(partial(self.answered, key, begun))
        return []

    def answered(self, key: object, begun: float, answer: asyncio.Future[Posted | Held]) -> None:
        self.unanswered.discard(answer)
        try:
            posted = answer.result()
            messages = self.dialect.posted(posted) if isinstance(posted, Posted) else self.held(posted)
            self.has_posted = True
            if self.actor.user_id is not None and self.room_id is not None and isinstance(posted, Posted):
                marks().see((self.actor.user_id, self.room_id), posted.mid)  # who writes has read
            meters.socket_post_seconds.observe(monotonic() - begun)
        except ChatError as error:
            meters.posts_refused.add(error.code)
            messages = self.error(error, key)
        except Exception:
            logger.exception("a post could not be written")
            meters.posts_refused.add(errors.ServerError.code)
            messages = self.error(errors.ServerError(), key)
        rest = step(self.tell(messages))
        if rest is not None:  # they do not read what we say: what else they post waits
            telling = asyncio.ensure_future(rest)
            self.unanswered.add(telling)
            telling.add_done_callback(self.unanswered.discard)

    def error(self, error: ChatError, key: object = None) -> list[Message]:
        """What went wrong, in this connection's language."""
        with translation.override(self.language, deactivate=True):
            return self.dialect.error(error, key)

    def held(self, held: Held) -> list[Message]:
        """What waits, and why."""
        with translation.override(self.language, deactivate=True):
            return self.dialect.posted(held)

    async def tell(self, messages: list[Message]) -> None:
        for message in messages:
            if self.has_left:
                return
            try:
                await self.send(message)
            except OSError:  # as ASGI has it where the client is gone; the disconnect is on its way
                self.has_left = True
