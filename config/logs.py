"""What the log says, and how loudly."""

import logging


class ClientFaults(logging.Filter):
    """Django logs what a client got wrong (a host that is not ours, too many fields) as an error of the server's, with
    a traceback. It is a line, and a warning."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security"):
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True
