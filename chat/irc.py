"""IRC logs, as ``[hh:mm] <nick> text`` lines."""

import re
from dataclasses import dataclass

_LINE = re.compile(r"\[\d{1,2}:\d{2}(?::\d{2})?\] <[ @+%&~]?([^<>\s]+)> ?(.*)")


@dataclass(frozen=True, slots=True)
class Line:
    nick: str
    text: str


def read_line(line: str) -> Line | None:
    """What was said in a line, or None where it is not something that somebody said."""
    match = _LINE.fullmatch(line.rstrip("\r\n"))
    return Line(nick=match[1], text=match[2]) if match else None
