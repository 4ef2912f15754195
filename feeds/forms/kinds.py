"""The forms in which a stream is to be had: what each is called, and what it makes of what was asked."""

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from chat.doorway import Entry
from chat.errors import ChatError
from chat.follower import Form, Message, Send
from chat.languages import PARAMETER
from feeds.encoders import ServerSentEvents
from feeds.eventstream import Asked
from feeds.forms import merged
from feeds.forms.lines import Lines
from feeds.forms.live_page import LivePage, page_start
from feeds.forms.merged import MergedEvents
from feeds.forms.terminal import DEFAULT_WIDTH, Terminal, width_of
from feeds.forms.writers import MergedWriter, PageWriter, TerminalWriter, Writer


class StreamForm(Form, Protocol):
    """What is shared by all who follow a room in one way. ``dropped`` (the room cannot be read, or no longer) and
    ``complete`` (it is archived, and this was all) are not asked of all."""

    def ending(self, error: ChatError, place: str) -> str: ...

    def dropped(self, error: ChatError) -> list[Message]: ...

    def complete(self, head: int) -> str: ...


@dataclass(frozen=True, slots=True)
class Started:
    """A room that a stream begins to follow: after the number ``cursor``, or (None) from its head on."""

    slug: str
    cursor: int | None
    entry: Entry

    @property
    def after(self) -> int:
        return self.entry.head if self.cursor is None else self.cursor

    @property
    def history(self) -> list[dict]:
        return self.entry.history or []

    @property
    def is_over(self) -> bool:
        """Whether there is nothing to come that is not on its way."""
        return self.entry.about["archived"]


class Kind(Protocol):
    """A form's names, and how it is made. ``history`` is what is sent unasked."""

    suffix: str
    content_type: str
    history: int | None
    is_page: bool

    def form(self, slug: str, asked: Asked) -> StreamForm:
        """The form of a room, equal for all who asked for the same; in the language that is active."""
        ...

    def writer(self, asked: Asked, send: Send) -> Writer | None:
        """What the connection writes by; None where it sends what is shared as it is."""
        ...

    def opening(self, asked: Asked, started: list[Started], writer: Writer | None) -> bytes:
        """The first words: of one room, or of several."""
        ...


class EventsKind:
    suffix = "sse"
    content_type = "text/event-stream"
    history = None
    is_page = False

    def form(self, slug: str, asked: Asked) -> ServerSentEvents | MergedEvents:
        return MergedEvents(slug) if asked.is_merged else ServerSentEvents(slug)

    def writer(self, asked: Asked, send: Send) -> Writer | None:
        return MergedWriter(send) if asked.is_merged else None

    def opening(self, asked: Asked, started: list[Started], writer: Writer | None) -> bytes:
        if writer is not None:
            return merged.opening(writer.place, [room.history for room in started]).encode()
        (room,) = started
        head = room.entry.head if room.cursor is None else None
        return ServerSentEvents(room.slug).opening(head, room.history).encode()


class LinesKind:
    suffix = "ndjson"
    content_type = "application/x-ndjson"
    history = None
    is_page = False

    def form(self, slug: str, asked: Asked) -> Lines:
        return Lines(slug)

    def writer(self, asked: Asked, send: Send) -> Writer | None:
        return Writer(send) if asked.is_merged else None

    def opening(self, asked: Asked, started: list[Started], writer: Writer | None) -> bytes:
        return "".join(Lines(room.slug).opening(room.after, room.history) for room in started).encode()


class TextKind:
    suffix = "txt"
    content_type = "text/plain; charset=utf-8"
    history = None
    is_page = False

    def form(self, slug: str, asked: Asked) -> Terminal:
        return Terminal(
            slug,
            width=width_of(asked.number("width", DEFAULT_WIDTH)),
            in_colour=asked.wants("color", "colour"),
            names_room=asked.is_merged,
            language=get_language(),
        )

    def writer(self, asked: Asked, send: Send) -> Writer:
        return TerminalWriter(send)

    def opening(self, asked: Asked, started: list[Started], writer: TerminalWriter) -> bytes:
        forms = {room.slug: self.form(room.slug, asked) for room in started}
        titles = [
            forms[room.slug].opening(room.entry.about["title"], room.entry.about["topic"]).encode() for room in started
        ]
        said = {room.slug: forms[room.slug].said_before(room.history) for room in started}
        return b"".join(titles) + writer.snapshot(said)


class PageKind:
    suffix = "html"
    content_type = "text/html; charset=utf-8"
    is_page = True

    @property
    def history(self) -> int:
        return settings.PAGE_MESSAGES

    def form(self, slug: str, asked: Asked) -> LivePage:
        return LivePage(slug, get_language())

    def writer(self, asked: Asked, send: Send) -> Writer:
        rooms = [("room", slug) for slug in asked.rooms] if asked.is_merged else []
        onward = [*rooms, *(("ticket", ticket) for ticket in asked.tickets)]
        onward += [(name, asked.parameters[name]) for name in (PARAMETER,) if name in asked.parameters]
        begins = "".join(f"{urlencode([pair])}&" for pair in onward)
        given = [(name, asked.parameters[name]) for name in ("history", "lastEventId") if name in asked.parameters]
        return PageWriter(
            send,
            asked.rooms,
            again="?" + urlencode([*onward, *given]),
            anew="?" + urlencode([*onward, *(pair for pair in given if pair[0] == "history")]),
            onward="?" + begins,
        )

    def opening(self, asked: Asked, started: list[Started], writer: PageWriter) -> bytes:
        abouts = {room.slug: room.entry.about for room in started}
        writer.titles = {slug: about["title"] for slug, about in abouts.items()}
        is_over = all(room.is_over for room in started)
        said = {room.slug: self.form(room.slug, asked).said_before(room.history) for room in started}
        start = page_start(abouts, is_over=is_over, is_anew=not asked.cursors, request=asked.request)
        return start.encode() + writer.snapshot(said)


KINDS: tuple[Kind, ...] = (EventsKind(), LinesKind(), TextKind(), PageKind())
EVENTS = KINDS[0]


def kind_for(accept: str | None) -> Kind | None:
    """The form that suits best what an Accept header says, Server-Sent Events where several do; None where none
    does."""
    request = HttpRequest()
    request.META["HTTP_ACCEPT"] = accept or "*/*"
    by_type = {kind.content_type.partition(";")[0]: kind for kind in KINDS}
    preferred = request.get_preferred_type(list(by_type))
    return None if preferred is None else by_type[preferred]
