"""Searching in a room: words, who said it, when. Newest first, some at a time, in a few queries however much was said.

Synchronous, and knowing nothing of requests. The index names what may be meant; what stands in the text decides. How
far one search looks is bounded: where that is not enough, it says from where to go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chat import errors, indexing, reindexing, terms
from chat.colours import with_hues
from chat.events import message_fields
from chat.mids import first_mid_at, is_mid
from chat.models import Message, Room
from chat.models.messages import MessageQuerySet
from chat.pages import readable_in
from chat.sentences import filled
from chat.terms import Needle, Piece

MAX_QUERY_CHARS = 200
MAX_WORDS = 16
MAX_KEY_CHARS = 40
_LOOKS = (100, 1000)  # how many messages are looked at, and how many more where those were too few
_LOOK_WITHOUT_INDEX = 5000  # the same for what no index helps with, such as a single kana
_AT_ONCE = 1000  # of those are held at a time
_MOST_CHARS = 2_000_000  # of texts that are looked at, folded, which may make eighteen characters of one


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for. ``name`` is whose name it is, ``author`` their key; days are UTC's, both included."""

    words: str = ""
    name: str = ""
    author: str = ""
    since: date | None = None
    until: date | None = None
    before: str | None = None
    needles: list[Needle] = field(default_factory=list, compare=False)
    names: list[Needle] = field(default_factory=list, compare=False)

    @property
    def is_empty(self) -> bool:
        return not (self.needles or self.names or self.author or self.since or self.until)

    def as_query(self) -> dict[str, str]:
        """The same as an address has it, but for where to go on."""
        asked = {"q": self.words, "from": self.name, "author": self.author}
        asked |= {"since": str(self.since or ""), "until": str(self.until or "")}
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True, slots=True)
class Found:
    """A message that was found, and the part of it that tells why."""

    message: Message
    excerpt: list[Piece]


@dataclass(frozen=True, slots=True)
class Page:
    """``found``, newest first. ``older_mid`` is where to go on (None: that is all); ``looked_far`` says that there may
    be more even though ``found`` is short. Not ``is_complete``: the index is being made, and lacks older messages."""

    found: list[Found]
    older_mid: str | None
    looked_far: bool = False
    is_complete: bool = True


NOTHING = Page([], None)


def wanted_of(query: Mapping[str, str]) -> Wanted:
    """What an address asks for: ``q``, ``from``, ``author``, ``since``, ``until``, ``before``. Raises
    ``InvalidQuery``."""
    words, name, author = (query.get(part, "").strip() for part in ("q", "from", "author"))
    for text in (words, name):
        if len(text) > MAX_QUERY_CHARS:
            raise errors.InvalidQuery(filled(_("A search has at most %(most)s characters."), most=MAX_QUERY_CHARS))
    if len(author) > MAX_KEY_CHARS:
        raise errors.InvalidQuery(_("author is the id of somebody who has written here."))
    before = query.get("before") or None
    if before is not None and not is_mid(before):
        raise errors.InvalidQuery(filled(_("%(name)s is the mid of a message."), name="before"))
    needles, names = terms.needles_of(words), terms.needles_of(name)
    if len(needles) + len(names) > MAX_WORDS:
        raise errors.InvalidQuery(filled(_("A search has at most %(most)s words."), most=MAX_WORDS))
    if (words and not needles) or (name and not names):
        raise errors.InvalidQuery(_("There is nothing to look for in that: no letter, digit or symbol."))
    since, until = _day(query.get("since", "")), _day(query.get("until", ""))
    if since and until and until < since:
        raise errors.InvalidQuery(_("That ends before it begins."))
    return Wanted(words, name, author, since, until, before, needles, names)


def _day(text: str) -> date | None:
    text = text.strip()
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    # Beyond these a message's name has no place for a time.
    if found is None or not 1970 <= found.year <= 9000:
        raise errors.InvalidQuery(_("A day is written as 2026-11-21."))
    return found


def search(room: Room, wanted: Wanted, *, sees_sealed: bool = False, size: int | None = None) -> Page:
    """What was said in ``room`` and is ``wanted``, of what stands there: at most ``size`` messages
    (settings.PAGE_MESSAGES by default)."""
    size = size or settings.PAGE_MESSAGES
    if wanted.is_empty:
        return NOTHING
    there = _there(room, wanted, sees_sealed)
    hashes = indexing.hashes_wanted(wanted.needles, wanted.names, wanted.author)
    if hashes:
        looking = _by_index(room, there, hashes)
    else:
        looking = _by_itself(there, _LOOK_WITHOUT_INDEX if wanted.needles or wanted.names else size + 1)
    mids: list[str] = []
    older = looked = None
    chars = 0
    for candidates, is_last in looking:
        for mid, text, author_key, author_name in candidates:
            if chars > _MOST_CHARS:
                older = looked
                break
            if _is_by_whom(wanted, author_key, author_name):
                folded = terms.fold(text) if wanted.needles else ""
                chars += len(folded)
                if all(needle.stands_in(folded) for needle in wanted.needles):
                    if len(mids) == size:
                        older = mids[-1]
                        break
                    mids.append(mid)
            looked = mid
        if older or is_last:
            break
    else:
        older = looked
    messages = Message.objects.visible().in_bulk(mids)
    with_hues(messages.values())
    found = [Found(messages[mid], terms.excerpt(messages[mid].text, wanted.needles)) for mid in mids if mid in messages]
    return Page(found, older, bool(older) and len(mids) < size, reindexing.is_complete())


def _there(room: Room, wanted: Wanted, sees_sealed: bool) -> MessageQuerySet:
    """The messages of ``room`` that somebody may read, where they look."""
    there = readable_in(room, sees_sealed=sees_sealed)
    if wanted.since:
        there = there.filter(mid__gte=_begin(wanted.since))
    if wanted.until:
        there = there.filter(mid__lt=_begin(wanted.until + timedelta(days=1)))
    if wanted.before:
        there = there.filter(mid__lt=wanted.before)
    return there


def _begin(day: date) -> str:
    return first_mid_at(datetime.combine(day, time.min, UTC))


_FIELDS = ("mid", "text", "author_key", "author_name")
_Look = tuple[list[tuple[str, str, str, str]], bool]  # at messages, newest first; and whether these were the last


def _by_index(room: Room, there: MessageQuerySet, hashes: list[indexing.Hash]) -> Iterator[_Look]:
    """What the index says may be meant, some at a time."""
    numbers = there.exclude(number=None).values_list("number", flat=True)
    low, high = numbers.order_by("mid").first(), numbers.order_by("-mid").first()
    for most in _LOOKS:
        named = indexing.newest(room.pk, hashes, low, high, most) if low is not None else []
        yield list(there.filter(number__in=named).order_by("-mid").values_list(*_FIELDS)), len(named) < most
        high = named[-1] - 1


def _by_itself(there: MessageQuerySet, most: int) -> Iterator[_Look]:
    """The same where there is nothing to ask the index for."""
    while most > 0:
        asked = min(most, _AT_ONCE)
        candidates = list(there.order_by("-mid").values_list(*_FIELDS)[:asked])
        yield candidates, len(candidates) < asked
        there = there.filter(mid__lt=candidates[-1][0])
        most -= asked


def _is_by_whom(wanted: Wanted, author_key: str, author_name: str) -> bool:
    if wanted.author and author_key != wanted.author:
        return False
    if not wanted.names:
        return True
    name = terms.fold(author_name)
    return all(needle.stands_in(name) for needle in wanted.names)


def page_fields(room: Room, page: Page, permalinks: str) -> dict[str, object]:
    """A page as programs read it; ``permalinks`` is what stands before the mid in the addresses of messages."""
    return {
        "room": room.slug,
        "messages": [
            {
                **message_fields(found.message, room.slug),
                "permalink": f"{settings.PUBLIC_URL}{permalinks}{found.message.mid}/",
                "excerpt": [{"text": piece.text, "match": piece.is_match} for piece in found.excerpt],
            }
            for found in page.found
        ],
        "older": page.older_mid,
        "looked_far": page.looked_far,
        "complete": page.is_complete,
    }


def page_context(room: Room, wanted: Wanted | None, page: Page | None, permalinks: str) -> dict[str, object]:
    """The same as pages show it; None where what was asked for makes no sense."""
    shown = wanted or Wanted()
    asked = shown.as_query()
    return {
        "room": room,
        "wanted": shown,
        "page": page,
        "permalinks": permalinks,
        "asked": urlencode(asked),
        "asked_of_anybody": urlencode({name: value for name, value in asked.items() if name not in ("from", "author")}),
        "max_query_chars": MAX_QUERY_CHARS,
    }
