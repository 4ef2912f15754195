"""What a page of a room shows, whoever it is for: a run of messages, and where to go on from."""

from dataclasses import dataclass

from django.conf import settings

from chat import errors, policies
from chat.events import message_fields, room_fields
from chat.mids import is_mid
from chat.models import Message, Room


@dataclass(frozen=True, slots=True)
class MessagePage:
    """``messages`` oldest first; ``head``, read before them, is the number from which events continue.

    ``earlier_mid`` names the page before this one (None: this is the first), ``is_latest`` says that nothing
    comes after it but what happens from now on.
    """

    messages: list[Message]
    head: int
    earlier_mid: str | None
    is_latest: bool

    def context(self) -> dict[str, object]:
        return {
            "messages_page": self.messages,
            "cursor": self.head,
            "earlier_mid": self.earlier_mid,
            "is_latest": self.is_latest,
        }


def page_size(limit: str) -> int | None:
    """How many messages an address asks for, at most settings.MAX_HISTORY; None where it does not say. Raises
    ``InvalidQuery``."""
    if not limit:
        return None
    if not (limit.isascii() and limit.isdigit() and len(limit) < 6 and int(limit) > 0):
        raise errors.InvalidQuery("limit is a number of messages, at least 1.")
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
    room: Room, before: str | None = None, size: int | None = None, *, sees_sealed: bool = False
) -> MessagePage:
    """The messages before the one named ``before``, or the newest, of all that stand, or only of what was not said
    while the room was private. Raises ``InvalidQuery`` for what is no name.

    ``room`` was read just now: its head is older than the messages, so none falls between them.
    """
    if before is not None and not is_mid(before):
        raise errors.InvalidQuery("before is the mid of a message.")
    size = size or settings.PAGE_MESSAGES
    readable = room.messages.visible()
    if room.sealed_mid and not sees_sealed:
        readable = readable.filter(mid__gt=room.sealed_mid)
    found = readable.page_before(before, size + 1)
    messages = found[-size:]
    earlier_mid = messages[0].mid if len(found) > size else None
    _find_answered(messages, earlier_mid or "")
    return MessagePage(
        messages=messages,
        head=room.head,
        earlier_mid=earlier_mid,
        is_latest=before is None,
    )


def pinned_message(room: Room) -> Message | None:
    """The message that is pinned in ``room``, where anybody who reads the room may see it."""
    if not room.pinned_mid or policies.is_sealed(room, room.pinned_mid):
        return None
    return room.messages.visible().filter(mid=room.pinned_mid).first()


def _find_answered(messages: list[Message], first: str) -> None:
    """Give each reply the message that it answers, if that is among ``messages``, as ``answered``; where it should be
    and is not, ``answers_nothing``. What is older than ``first`` is on another page."""
    shown = {message.mid: message for message in messages}
    for message in messages:
        if message.reply_to:
            message.answered = shown.get(message.reply_to)
            message.answers_nothing = message.answered is None and message.reply_to >= first
