"""What Atom and JSON Feed have in common: which messages stand in a feed, and what they are called there."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID, uuid5

from django.http import HttpRequest, HttpResponse

from chat.models import Message, Room
from chat.pages import MessagePage, message_page
from chat.templatetags.moments import minute
from feeds.addresses import absolute, permanent_addresses
from feeds.reading import ReadView

# Readers refuse what is larger than 250 KB; the head of a feed and what stands around its entries take the rest.
MOST_BYTES = 225_000
# What ids are made in: of names that are never given twice, so that no id is, wherever the site moves to.
_NAMESPACE = UUID("8f7a3f0e-6a0c-4f5c-9a5e-7a1d0c1f6e52")


def id_of_room(room: Room) -> str:
    return uuid5(_NAMESPACE, f"room {room.slug} {room.created_at.astimezone(UTC).isoformat()}").urn


def id_of_message(message: Message) -> str:
    return uuid5(_NAMESPACE, f"message {message.mid}").urn


def title_of(message: Message) -> str:
    """``Aki, 2026-11-21 14:03 UTC``: messages have no title of their own."""
    return f"{message.author_name}, {minute(message.created_at)} UTC"


def changed_at(message: Message) -> datetime:
    return message.edited_at or message.created_at


@dataclass(frozen=True, slots=True)
class FeedPage:
    """One document of a feed: ``messages`` newest first, and the public addresses of this one and of others."""

    room: Room
    messages: list[Message]
    here: str
    newest: str
    older: str | None
    newer: str | None
    watch: str

    @property
    def updated(self) -> datetime:
        moments = [changed_at(message) for message in self.messages]
        if self.room.archived_at:
            moments.append(self.room.archived_at)
        return max(moments, default=self.room.created_at)


class FeedView(ReadView):
    """A room's messages as a feed: the newest, those ``?before=`` a message, or those ``?after=`` one."""

    is_for_programs = True
    is_listed = False
    path_name: str
    content_type: str
    addresses: str  # what stands before the mid in those of messages

    @abstractmethod
    def size_of(self, message: Message) -> int:
        """How many bytes it takes in this feed."""

    @abstractmethod
    def encode(self, page: FeedPage) -> bytes: ...

    def get(self, request: HttpRequest) -> HttpResponse:
        self.addresses = permanent_addresses(self.room)
        before, after = request.GET.get("before"), request.GET.get("after")
        page = message_page(self.room, before, after=after)
        # What does not fit is left to the next document, which goes on where this one ends.
        page = bounded(page, self.size_of, from_oldest=before is None and after is not None)
        newest = absolute(self.path_name, self.room.slug)

        def beside(way: str, mid: str | None) -> str | None:
            return f"{newest}?{urlencode({way: mid})}" if mid else None

        feed = FeedPage(
            room=self.room,
            messages=page.messages[::-1],
            here=beside("before", before) or beside("after", after) or newest,
            newest=newest,
            older=beside("before", page.earlier_mid),
            newer=beside("after", page.later_mid),
            watch=absolute("feeds:watch", self.room.slug),
        )
        return HttpResponse(self.encode(feed), content_type=self.content_type)


def bounded(page: MessagePage, size_of: Callable[[Message], int], *, from_oldest: bool) -> MessagePage:
    """As many of the page's messages as fit into ``MOST_BYTES``, at least one; the oldest, or the newest of them."""
    kept = list(_fitting(page.messages if from_oldest else reversed(page.messages), size_of))
    if len(kept) == len(page.messages):
        return page
    if from_oldest:
        return replace(page, messages=kept, later_mid=kept[-1].mid)
    kept.reverse()
    return replace(page, messages=kept, earlier_mid=kept[0].mid)


def _fitting(messages: Iterable[Message], size_of: Callable[[Message], int]) -> Iterator[Message]:
    left = MOST_BYTES
    for number, message in enumerate(messages):
        left -= size_of(message)
        if left < 0 and number:
            return
        yield message
