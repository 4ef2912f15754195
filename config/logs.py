"""What the log says, how loudly, and what it never says: whatever lets somebody in."""

import logging
import re

_NOT_OUR_FAULTS = (
    "django.security",  # what a client got wrong: a host that is not ours, too many fields
    "channels_redis",  # a Redis that is away, told every second; followers find what they miss in the log
)

# What may come with an address after its question mark is nobody's business later: a ticket may be in it. Tokens are
# known by how they begin; what somebody sent as one, by the word before it.
_SECRET = re.compile(
    r"""(?P<query>\?)[^\s'"<>()=?]*=[^\s'"<>]*"""
    r"""|(?P<token>\bengawa_(?:view_)?)[\w-]{8,}"""
    r"""|(?P<named>\b(?:bearer\s+|ticket\W{1,4}))[^\s'"<>,]+""",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """``text`` without what stands after the question mark of an address, and without tokens and tickets."""
    return _SECRET.sub(lambda found: f"{found['query'] or found['token'] or found['named']}…", text)


class Line(logging.Formatter):
    """A line, with a traceback where there is one, without secrets: whoever may read a log need not be let in by it."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class OneLine(logging.Filter):
    """Makes a line and a warning of what is logged as an error of ours, with a traceback, and is none."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith(_NOT_OUR_FAULTS):
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        elif record.exc_info and record.levelno < logging.ERROR:
            record.exc_info = record.exc_text = None  # such as a form that is none: Django tells where it gave up
        return True
