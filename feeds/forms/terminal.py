"""Plain text for a terminal: one line for each thing that happens, more for a long message, those indented.

Only we begin a line at the edge. What people wrote is made harmless (``feeds.forms.harmless``), and broken before the
terminal would break it.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from zlib import crc32

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from ulid import ULID

from chat import events, meters
from chat.errors import ChatError
from chat.events import LoggedEvent, timestamp
from chat.follower import Message
from feeds.forms.harmless import columns_of, harmless, set_off, wrapped
from feeds.forms.parts import Part, Watching, in_its_language, together

WIDTHS = (0, *range(40, 201, 20))  # 0: not broken. Few, since each is a form of its own, and made once for all of it
DEFAULT_WIDTH = 80
_INDENT = " " * 9  # as wide as the time and a space
_COLOURS = range(31, 37)  # the terminal's own red to cyan, readable in its theme
_RESET, _DIM = "\x1b[0m", "\x1b[2m"
_SAID = {
    events.DELETED: _("The message of %(when)s was deleted."),
    events.PINNED: _("The message of %(when)s was pinned."),
    events.UNPINNED: _("The message of %(when)s is no longer pinned."),
    events.ARCHIVED: _("The room was archived: nothing is added any more."),
    events.REOPENED: _("The room was opened again."),
}
_ABOUT = {
    "title": _("title: %(value)s"),
    "topic": _("topic: %(value)s"),
    "visibility": _("visibility: %(value)s"),
    "posting": _("posting: %(value)s"),
}


@dataclass(frozen=True)
class Terminal(Watching):
    """The room ``slug`` in lines of at most ``width`` columns; in colour, and naming the room, where that is asked.
    What the lines say beside what people said is in ``language``."""

    slug: str
    width: int = DEFAULT_WIDTH
    in_colour: bool = False
    names_room: bool = False
    language: str = settings.LANGUAGE_CODE
    transport = meters.TEXT

    @in_its_language
    def events(self, logged: list[LoggedEvent]) -> list[Message]:
        return together([self._part(event) for event in logged])

    def heartbeat(self, head: int) -> list[Message]:
        # Back to the edge, where the cursor is: a terminal shows nothing, and yet something went over the line.
        return together([Part(b"\r")])

    @in_its_language
    def reset(self, head: int) -> list[Message]:
        said = gettext(
            "Something is missing here: the log does not reach back to where you were. Ask for ?history= anew."
        )
        return together([Part(self._notice(said).encode(), head)])

    @in_its_language
    def said_before(self, history: list[dict]) -> list[Part]:
        """The messages of a history."""
        return [self._message_part(message, None, events.MESSAGE) for message in history]

    def opening(self, title: str, topic: str) -> str:
        about = f"{harmless(title)} – {harmless(topic)}" if topic else harmless(title)
        return self._notice(about)

    @in_its_language
    def dropped(self, error: ChatError) -> list[Message]:
        return together([Part(self._notice(str(error.detail)).encode())])

    @in_its_language
    def complete(self, head: int) -> str:
        return self._notice(gettext("This room is archived: that was all."))

    @in_its_language
    def ending(self, error: ChatError, place: str) -> str:
        if not error.retryable:
            return self._notice(str(error.detail))
        return self._notice(
            gettext("This connection ends. It goes on with %(place)s") % {"place": f"?lastEventId={place}"}
        )

    def _part(self, event: LoggedEvent) -> Part:
        fields = json.loads(event.json)
        if event.type in events.WITH_TEXT:
            return self._message_part(fields, event.seq, event.type)
        said = ""
        if event.type in _SAID:
            said = _SAID[event.type] % {"when": _when(event.mid, fields["at"]) if event.mid else ""}
        elif event.type == events.ROOM_CHANGED:
            changed = [
                words % {"value": harmless(str(fields[name]))} for name, words in _ABOUT.items() if name in fields
            ]
            said = "; ".join(changed)
        at = fields["at"]
        return Part(self._notice(said, at).encode() if said else b"", event.seq, event.type, event.mid, at[:10])

    def _message_part(self, message: dict, seq: int | None, type: str) -> Part:
        author, mid = message["author"], message["mid"]
        at = message["at"]
        said = f"{set_off(author['name'], author['kind'], author['role'])} "
        if type == events.EDITED:
            was, at = at, message.get("edited_at") or at
            words = gettext("* %(author)s now says instead of what was said at %(when)s:")
            said = words % {"author": said.rstrip(), "when": _when(mid, at, was)} + " "
        elif message.get("reply_to"):
            said += "(" + gettext("to %(when)s") % {"when": _when(message["reply_to"], at)} + ") "
        text = self._lines(at, said, message["message"], author["id"])
        return Part(text.encode(), seq, type, mid, at[:10])

    def _notice(self, said: str, at: str | None = None) -> str:
        return self._lines(at or timestamp(datetime.now(UTC)), "* ", said)

    def _lines(self, at: str, head: str, text: str, author_id: str = "") -> str:
        """What happened at a moment: ``head``, of our own making, and a text, of which that is indented which does not
        go on the first line."""
        if self.names_room:
            head = f"#{self.slug} {head}"
        time = at[11:19]
        beside = self.width - len(_INDENT)
        heads = wrapped(head, beside, beside) if self.width else [head]
        used = len(_INDENT) + columns_of(heads[-1])
        lines: list[str] = []
        for number, line in enumerate(text.split("\n")):
            line = harmless(line)
            if self.width:
                lines += wrapped(line, self.width - len(_INDENT), self.width - (len(_INDENT) if number else used))
            else:
                lines.append(line)
        if self.in_colour:
            time = f"{_DIM}{time}{_RESET}"
            if author_id:
                colour = f"\x1b[{_COLOURS[crc32(author_id.encode()) % len(_COLOURS)]}m"
                heads = [f"{colour}{part}{_RESET}" for part in heads]
        said = f"\n{_INDENT}".join(heads) + f"\n{_INDENT}".join(line.rstrip() for line in lines)
        return f"{time} {said}\n"


def width_of(asked: int) -> int:
    """The widest of WIDTHS that is not wider than what was asked for."""
    return max((width for width in WIDTHS if width <= asked), default=0) or (WIDTHS[1] if asked else 0)


def day(day: str) -> str:
    """The line before the first of a day."""
    return f"{'-' * 8} {gettext('%(day)s, in UTC') % {'day': day}}\n"


def _when(mid: str, now: str, at: str | None = None) -> str:
    """When a message was said, as its line has it; with the day, where that is another than ``now``'s."""
    at = at or timestamp(ULID.from_str(mid).datetime)
    return at[11:19] if at[:10] == now[:10] else f"{at[:10]} {at[11:19]}"
