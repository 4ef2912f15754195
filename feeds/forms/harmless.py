"""Text for a terminal: what cannot move its cursor, change its colours, turn its writing round, or begin a line of its
own. Pure."""

import re
import unicodedata
from bisect import bisect_right
from functools import cache
from itertools import accumulate

from django.utils.translation import gettext_lazy as _

# Controls; marks, embeddings, overrides and isolates that turn writing round; line ends; what is invisible and yet
# takes part: fillers, tags, halves of surrogate pairs. Joiners and variation selectors shape letters
# and emoji, and stay.
_HARMFUL = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
TAB = "    "
_RANKS = {"guest": _("guest"), "bot": _("bot"), "owner": _("owner"), "moderator": _("moderator")}


def harmless(text: str) -> str:
    """``text`` on one line, with U+FFFD for each character that a terminal would act on."""
    return _HARMFUL.sub("\ufffd", text.replace("\t", TAB))


def set_off(name: str, kind: str, role: str) -> str:
    """Somebody's name as text has it: in brackets, which no name can have, so that nobody's is taken for more."""
    name = harmless(name).replace("<", "‹").replace(">", "›")
    rank = _RANKS.get(role if kind == "user" else kind)
    return f"<{name}, {rank}>" if rank else f"<{name}>"


@cache
def columns(char: str) -> int:
    """How many columns a character may take: rather too many than too few."""
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
        return char == "\ufe0f"  # makes an emoji, and so wide, of the character before it
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def columns_of(text: str) -> int:
    return len(text) if text.isascii() else sum(map(columns, text))


def wrapped(text: str, width: int, first: int) -> list[str]:
    """A harmless line as lines of at most ``width`` columns, the first of at most ``first``. Broken after a space,
    where there is one. A terminal that broke them itself would begin at its edge, where only we begin lines."""
    if text.isascii():
        if len(text) <= first:
            return [text]
        before = range(len(text) + 1)
    else:
        before = list(accumulate(map(columns, text), initial=0))  # columns before each character, and of all
    lines: list[str] = []
    start, room = 0, first
    # The last place to which what begins at ``start`` fits.
    while (place := max(start, bisect_right(before, before[start] + room) - 1)) < len(text):
        after_space = text.rfind(" ", start, place) + 1
        end = after_space if after_space > start and text[place] != " " else place
        lines.append(text[start:end])
        start, room = end, width
    lines.append(text[start:])
    return lines
