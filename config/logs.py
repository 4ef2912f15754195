"""What the log says, how loudly, in which form, and what it never says: what people wrote, and whatever lets somebody
in."""

import json
import logging
import os
import re
from datetime import UTC, datetime
from typing import Any

from chat.tracing import here

MOST_CHARS = 8_000  # of a message in JSON
MOST_TRACE_CHARS = 32_000  # of a traceback there

_NOT_OUR_FAULTS = (
    "django.security",  # what a client got wrong: a host that is not ours, too many fields
    "channels_redis",  # a Redis that is away, told every second; followers find what they miss in the log
)

# What may come with an address after its question mark is nobody's business later: a ticket may be in it. Tokens are
# known by how they begin; what somebody sent as one, by the word before it; those in an address's path, by that path.
# PostgreSQL tells of a row that it refuses what stands in it.
_SECRET = re.compile(
    r"""(?P<query>\?)[^\s'"<>()=?]*=[^\s'"<>]*"""
    r"""|(?P<token>\bengawa_(?:view_)?)[\w-]{8,}"""
    r"""|(?P<path>/(?:join|accounts/reset/[^\s'"<>/]+)/)(?!set-password/)[^\s'"<>/]+"""
    r"""|(?P<named>\b(?:bearer\s+|ticket\W{0,2}[=:'"]\W{0,2}))[^\s'"<>,]+"""
    r"""|(?P<row>(?:\n|\\n)(?:DETAIL|CONTEXT|QUERY):)"""
    r"""(?s:.*?)(?=\n\n(?:The above exception was|During handling of)|\Z)""",
    re.IGNORECASE,
)
_KEPT = ("query", "token", "path", "named", "row")


def without_secrets(text: str) -> str:
    """``text`` without what stands after the question mark of an address, without tokens and tickets, and without the
    rows of a database."""
    return _SECRET.sub(lambda found: next(filter(None, map(found.group, _KEPT))) + "…", text)


class Line(logging.Formatter):
    """A line, with a traceback where there is one, without secrets: whoever may read a log need not be let in by it."""

    def format(self, record: logging.LogRecord) -> str:
        place = here()
        ids = {"request": place.request, "connection": place.connection, "room": place.room}
        named = ", ".join(f"{name} {value}" for name, value in ids.items() if value)
        record.place = f" [{named}]" if named else ""
        return without_secrets(super().format(record))


class JsonLine(logging.Formatter):
    """An object of JSON on a line of its own, whatever is in it. What it is about comes by itself, and what the record
    brings in its attribute ``fields``, a dict, beside that. ``role`` is what this process serves as."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        place = here()
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _clean(record.getMessage(), MOST_CHARS),
            "request": place.request,
            "connection": place.connection,
            "room": place.room,
            "role": self._role,
            "process": os.getpid(),
            **{name: _told(value) for name, value in getattr(record, "fields", {}).items()},
        }
        if record.exc_info:
            said["exception"] = _clean(self.formatException(record.exc_info), MOST_TRACE_CHARS)
        return json.dumps({name: value for name, value in said.items() if value is not None and value != ""})


def _told(value: object) -> object:
    return _clean(value, MOST_CHARS) if isinstance(value, str) else value


def _clean(text: str, most: int) -> str:
    """``text`` without secrets, as JSON can hold it (half of a pair of surrogates is no character), and its middle
    left out where it is longer than ``most``."""
    text = without_secrets(text)
    if len(text) > most:
        text = f"{text[: most // 2]} … {text[-most // 2 :]}"
    return text.encode("utf-8", "replace").decode()


class OneLine(logging.Filter):
    """Makes a line and a warning of what is logged as an error of ours, with a traceback, and is none. Has every
    record be one that can be written, and none name what a callback was called with."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception:  # Python would print it with all that it was to say
            message = f"{record.msg} (and what it was to say does not fit it)"
        if record.name == "asyncio":  # of a callback that failed it names the arguments, which may be events
            message = message.partition("\n")[0].partition("(")[0]
        record.msg, record.args = message, None
        if record.name.startswith(_NOT_OUR_FAULTS):
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        elif record.exc_info and record.levelno < logging.ERROR:
            record.exc_info = record.exc_text = None  # such as a form that is none: Django tells where it gave up
        return True
