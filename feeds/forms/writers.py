"""One connection's own way of writing what others of its form are sent as well.

Several rooms may speak to one connection: what they say is written one after the other, each whole. ``places`` are
the numbers up to which the rooms were written, by slug: what was handed over and not written does not count.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from django.utils.translation import get_language, gettext
from django_eventstream.utils import make_id

from chat import events
from chat.follower import Message, Send
from feeds.forms import live_page
from feeds.forms.parts import PARTS, Part, in_its_language
from feeds.forms.terminal import day

MOST_MESSAGES = 500  # on a page that goes on; then it goes on on another


class Writer:
    """Writes parts as they are, and ready-made bodies, too. What it says itself, it says in the language that was
    active when it was made."""

    def __init__(self, send: Send) -> None:
        self.raw = send
        self.language = get_language()
        self.is_over = False
        self.places: dict[str, int] = {}
        self._lock = asyncio.Lock()

    @property
    def place(self) -> str:
        """Where to go on from, as ``Last-Event-ID`` has it."""
        return make_id(self.places)

    def towards(self, slug: str) -> Send:
        """How the follower of that room sends."""
        return partial(self._send, slug)

    async def _send(self, slug: str, message: Message) -> None:
        async with self._lock:
            if self.is_over:
                return
            if message["type"] != PARTS:
                await self.raw(message)
                return
            parts: list[Part] = message["parts"]
            before = self.places.get(slug)
            content = self.written(slug, parts)
            if seqs := [part.seq for part in parts if part.seq is not None]:
                self.places[slug] = seqs[-1]
            if self.is_over:
                await self._finish(content)
            elif content:
                try:
                    await self.raw({"type": "http.response.body", "body": content, "more_body": True})
                except BaseException:
                    if before is not None:
                        self.places[slug] = before
                    raise

    async def end(self, content: str) -> None:
        """Write the last words. Waits for nobody: what is still to be written then is not."""
        if not self.is_over:
            self.is_over = True
            await self._finish(content.encode())

    async def _finish(self, content: bytes) -> None:
        await self.raw({"type": "http.response.body", "body": content})

    def snapshot(self, histories: dict[str, list[Part]]) -> bytes:
        """What is written of histories, by slug and each in its order: all in the order in which they were said."""
        said = sorted((part.mid, slug, part) for slug, parts in histories.items() for part in parts)
        content = b"".join(self.written(slug, [part]) for _, slug, part in said)
        for slug, parts in histories.items():
            if parts:
                self.begun(slug, parts)
        return content

    def begun(self, slug: str, parts: list[Part]) -> None:
        """These parts were the history of a room: what comes may repeat some of them."""

    def written(self, slug: str, parts: list[Part]) -> bytes:
        """What is written of parts of that room. May set ``is_over``: then these are the last words."""
        return b"".join(part.content for part in parts)


class MergedWriter(Writer):
    """Server-Sent Events of several rooms: before each event of a log an id with the places in all of them."""

    def written(self, slug: str, parts: list[Part]) -> bytes:
        found: list[bytes] = []
        places = dict(self.places)
        for part in parts:
            if part.seq is not None:
                places[slug] = part.seq
                found.append(f"id: {make_id(places)}\n".encode())
            found.append(part.content)
        return b"".join(found)


class TerminalWriter(Writer):
    """Lines for a terminal: leaves out what a history has said already, and says when another day has come."""

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self._day = ""
        self._said: dict[str, str] = {}

    def begun(self, slug: str, parts: list[Part]) -> None:
        self._said[slug] = parts[-1].mid

    @in_its_language
    def written(self, slug: str, parts: list[Part]) -> bytes:
        found: list[bytes] = []
        for part in parts:
            if part.type == events.MESSAGE and part.mid <= self._said.get(slug, "") and part.seq is not None:
                continue
            if part.content and part.day > self._day:
                self._day = part.day
                found.append(day(part.day).encode())
            found.append(part.content)
        return b"".join(found)


@dataclass(slots=True)
class _Shown:
    """Which messages of a room a page shows: all from ``first`` on ("": none), of which those up to ``snapshot`` were
    there when it began, but for those ``taken_back`` before they came, which may yet be shown again."""

    first: str = ""
    snapshot: str = ""
    taken_back: set[str] = field(default_factory=set)


class PageWriter(Writer):
    """A page that goes on: ends it where it shows what was changed or taken back since, and where it is full.

    ``again`` is the query of its own address, ``anew`` that of one that begins with the newest messages, ``onward`` how
    that of the page after it begins. ``titles`` are those of its rooms, by slug.
    """

    def __init__(self, send: Send, rooms: Iterable[str], again: str, anew: str, onward: str) -> None:
        super().__init__(send)
        self.titles: dict[str, str] = {}
        self._again, self._anew, self._onward = again, anew, onward
        self._shown = {slug: _Shown() for slug in rooms}
        self._messages = 0
        self._latest = ""  # the room that spoke last

    @property
    def place(self) -> str:
        """The query of the page that goes on where this one ends."""
        return f"{self._onward}lastEventId={super().place}"

    def begun(self, slug: str, parts: list[Part]) -> None:
        self._shown[slug].snapshot = parts[-1].mid

    @in_its_language
    def written(self, slug: str, parts: list[Part]) -> bytes:
        found: list[bytes] = []
        for part in parts:
            if self._spoils(slug, part):
                self.is_over = True
                return live_page.page_end(gettext("Something here was changed."), self._again, at_once=True).encode()
            if part.type == live_page.RESET:
                self.is_over = True
                return live_page.page_end(gettext("Something is missing here."), self._anew, at_once=True).encode()
            found.append(self._added(slug, part))
        if self._messages >= MOST_MESSAGES:
            self.is_over = True
            self.places[slug] = max(part.seq or 0 for part in parts)
            found.append(live_page.page_end(gettext("This page is full."), self.place, at_once=True).encode())
        return b"".join(found)

    def _spoils(self, slug: str, part: Part) -> bool:
        """Whether what the page shows must not stay there because of ``part``."""
        shown = self._shown[slug]
        if part.type == live_page.DROPPED:
            return bool(shown.first)  # where nothing of it is there, the page that came anew would be told the same
        if not shown.first or part.mid < shown.first or part.mid in shown.taken_back:
            return False
        if part.type == events.REDACTED:
            return part.mid <= shown.snapshot
        return part.type in (events.EDITED, events.DELETED)

    def _added(self, slug: str, part: Part) -> bytes:
        shown = self._shown[slug]
        if part.type == events.REDACTED:
            if part.mid > shown.snapshot:
                shown.taken_back.add(part.mid)  # what became of it follows
            return b""
        if part.type == events.DELETED:
            return b""
        if part.type == events.EDITED:
            if part.mid not in shown.taken_back:
                return b""  # said before this page begins
            shown.taken_back.discard(part.mid)
        elif part.type == events.MESSAGE and part.seq is not None and part.mid <= shown.snapshot:
            return b""
        if not part.mid or not part.content:
            return part.content
        shown.first = min(shown.first or part.mid, part.mid)
        self._messages += part.seq is not None
        heading = b""
        if len(self.titles) > 1 and slug != self._latest:
            heading, self._latest = live_page.room_heading(self.titles[slug]), slug
        return heading + part.content
