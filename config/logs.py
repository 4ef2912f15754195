"""What the log says, and how loudly."""

import logging

_NOT_OUR_FAULTS = (
    "django.security",  # what a client got wrong: a host that is not ours, too many fields
    "channels_redis",  # a Redis that is away, told every second; followers find what they miss in the log
)


class OneLine(logging.Filter):
    """Makes a line and a warning of what is logged as an error of ours, with a traceback, and is none."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith(_NOT_OUR_FAULTS):
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        elif record.exc_info and record.levelno < logging.ERROR:
            record.exc_info = record.exc_text = None  # such as a form that is none: Django tells where it gave up
        return True
