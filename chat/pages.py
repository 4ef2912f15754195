"""What a page of a room shows, whoever it is for: a run of messages, and where to go on from."""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from chat import errors, policies
from chat.colours import with_hues
from chat.events import message_fields, room_fields
from chat.mids import is_mid
from chat.models import Message, Room
from chat.models.messages import MessageQuerySet
from chat.sentences import filled

BEFORE_ALL = "0" * 26  # what sorts before every mid


@dataclass(frozen=True, slots=True)
class MessagePage:
    """``messages`` oldest first; ``head``, read before them, is the number from which events continue.

    ``earlier_mid`` names the page before this one (None: this is the first) and ``later_mid`` the one after it (None:
    nothing comes after it but what happens from now on, and it ``is_latest``). ``target`` is the message that it was
    made around.
    """

    messages: list[Message]
    head: int
    earlier_mid: str | None
    later_mid: str | None
    target: Message | None = None

    @property
    def is_latest(self) -> bool:
        return self.later_mid is None

    def context(self) -> dict[str, object]:
        return {
            "messages_page": self.messages,
            "cursor": self.head,
            "earlier_mid": self.earlier_mid,
            "later_mid": self.later_mid,
            "is_latest": self.is_latest,
            "target": self.target,
        }


def page_size(limit: str) -> int | None:
    """How many messages an address asks for, at most settings.MAX_HISTORY; None where it does not say. Raises
    ``InvalidQuery``."""
    if not limit:
        return None
    if not (limit.isascii() and limit.isdigit() and len(limit) < 6 and int(limit) > 0):
        raise errors.InvalidQuery(_("limit is a number of messages, at least 1."))
    return min(int(limit), settings.MAX_HISTORY)


def page_fields(room: Room, page: MessagePage) -> dict[str, object]:
    """A page as programs read it."""
    return {
        "room": room.slug,
        "head": page.head,
        "about": room_fields(room),
        "earlier": page.earlier_mid,
        "messages": [message_fields(message, room.slug) for message in page.messages],
    }


def message_page(
    room: Room,
    before: str | None = None,
    size: int | None = None,
    *,
    after: str | None = None,
    around: str | None = None,
    since: str | None = None,
    sees_sealed: bool = False,
) -> MessagePage:
    """The messages before the one named ``before``, after the one named ``after`` (the newest, where there are none),
    from the one named ``since`` on, or with the one named ``around`` among them; the newest where none is named. Of all
    that stand, or only of what was not said while the room was private. Raises ``InvalidQuery`` for what is no name,
    ``MessageNotFound`` where there is no such message ``around`` which to look.

    ``room`` was read just now: its head is older than the messages, so none falls between them.
    """
    for name, mid in (("before", before), ("after", after), ("from", since)):
        if mid is not None and not is_mid(mid):
            raise errors.InvalidQuery(filled(_("%(name)s is the mid of a message."), name=name))
    size = size or settings.PAGE_MESSAGES
    readable = readable_in(room, sees_sealed=sees_sealed)
    if around is not None:
        page = _page_around(readable, room.head, around, size)
    elif since is not None:
        page = _page_from(readable, room.head, since, size)
    elif before is not None:
        page = _page_before(readable, room.head, before, size)
    else:
        page = _page_after(readable, room.head, after, size) if after is not None else None
        page = page or _page_before(readable, room.head, None, size)
    with_hues(page.messages)
    _find_answered(page.messages, page.earlier_mid or since or "")
    return page


def readable_in(room: Room, *, sees_sealed: bool = False) -> MessageQuerySet:
    """The messages in ``room`` that stand, and that anybody who reads it may read, or also those for members only."""
    readable = room.messages.visible()
    if room.sealed_mid and not sees_sealed:
        readable = readable.filter(mid__gt=room.sealed_mid)
    return readable


def find_readable(room: Room, mid: str, *, sees_sealed: bool = False) -> Message:
    """One of them. Raises ``MessageNotFound``: whether it never was, is gone or may not be known of is nobody's."""
    found = readable_in(room, sees_sealed=sees_sealed).filter(mid=mid).first() if is_mid(mid) else None
    if found is None:
        raise errors.MessageNotFound()
    return found


def _page_before(readable: MessageQuerySet, head: int, before: str | None, size: int) -> MessagePage:
    found = readable.page_before(before, size + 1)
    messages = found[-size:]
    earlier_mid = messages[0].mid if len(found) > size else None
    later_mid = None if before is None else messages[-1].mid if messages else BEFORE_ALL
    return MessagePage(messages, head, earlier_mid, later_mid)


def _page_after(readable: MessageQuerySet, head: int, after: str, size: int) -> MessagePage | None:
    """None where nothing comes after it."""
    found = list(readable.filter(mid__gt=after).order_by("mid")[: size + 1])
    if not found:
        return None
    messages = found[:size]
    has_earlier = readable.filter(mid__lte=after).exists()
    later_mid = messages[-1].mid if len(found) > size else None
    return MessagePage(messages, head, messages[0].mid if has_earlier else None, later_mid)


def _page_from(readable: MessageQuerySet, head: int, since: str, size: int) -> MessagePage:
    """Nothing comes before it, whatever there is. Who asks for one asks for that one: no other takes its place."""
    if size == 1:
        return MessagePage(list(readable.filter(mid=since)), head, None, None)
    found = list(readable.filter(mid__gte=since).order_by("mid")[: size + 1])
    return MessagePage(found[:size], head, None, found[size - 1].mid if len(found) > size else None)


def _page_around(readable: MessageQuerySet, head: int, around: str, size: int) -> MessagePage:
    """It stands in the middle, or further down where less than half a page comes after it."""
    if not is_mid(around):
        raise errors.MessageNotFound()
    after = size - size // 2  # it among them
    following = list(readable.filter(mid__gte=around).order_by("mid")[: after + 1])
    if not following or following[0].mid != around:
        raise errors.MessageNotFound()
    messages = following[:after]
    before = size - len(messages)
    preceding = readable.page_before(around, before + 1)
    has_earlier = len(preceding) > before
    messages = [*preceding[has_earlier:], *messages]
    later_mid = messages[-1].mid if len(following) > after else None
    return MessagePage(messages, head, messages[0].mid if has_earlier else None, later_mid, target=following[0])


def permalinks(name: str, room: Room) -> str:
    """What stands before the mid in the permanent addresses of messages: of the ``name``, in ``room``."""
    return reverse(name, args=[room.slug, BEFORE_ALL]).removesuffix(f"{BEFORE_ALL}/")


def pinned_message(room: Room) -> Message | None:
    """The message that is pinned in ``room``, where anybody who reads the room may see it."""
    if not room.pinned_mid or policies.is_sealed(room, room.pinned_mid):
        return None
    found = room.messages.visible().filter(mid=room.pinned_mid).first()
    with_hues([found] if found else ())
    return found


def with_answered(messages: list[Message]) -> list[Message]:
    """The same, each with the colour that its author chose, and each reply with the message that it answers where that
    is among them; all that is older is on another page."""
    with_hues(messages)
    _find_answered(messages, messages[0].mid if messages else "")
    return messages


def _find_answered(messages: list[Message], first: str) -> None:
    """Give each reply the message that it answers, if that is among ``messages``, as ``answered``; where it should be
    and is not, ``answers_nothing``. What is older than ``first`` is on another page."""
    shown = {message.mid: message for message in messages}
    for message in messages:
        if message.reply_to:
            message.answered = shown.get(message.reply_to)
            message.answers_nothing = message.answered is None and message.reply_to >= first
