"""E-mail, sent while whoever asked for it has their answer: how long sending takes tells them nothing."""

import logging
from functools import cache
from queue import Full, Queue
from smtplib import SMTPException
from threading import Lock, Thread
from time import monotonic

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from chat import tracing
from chat.limits import Bucket

MOST_WAITING = 200
# To one address: so many at once, then one in so many seconds. Whoever asks is not the one who reads them.
AT_ONCE = 3
EVERY_SECONDS = 600.0

logger = logging.getLogger(__name__)

_waiting: Queue[tuple[tracing.Here, EmailMessage]] = Queue(MOST_WAITING)
_buckets: dict[str, Bucket] = {}
_lock = Lock()


class Unsent(BaseEmailBackend):
    """For sites that strangers reach and that have named no way to send: what lets somebody in is not printed."""

    def send_messages(self, messages: list[EmailMessage]) -> int:
        logger.error("EMAIL_URL is not set: %s e-mail was not sent", len(messages))
        return 0


def may_write_to(address: str) -> bool:
    """Whether one more e-mail to ``address`` is not too many. Counted by each process for itself."""
    now = monotonic()
    with _lock:
        if len(_buckets) > 10_000:
            for key in [key for key, bucket in _buckets.items() if bucket.is_full(now)]:
                del _buckets[key]
        return not _buckets.setdefault(address.casefold(), Bucket(EVERY_SECONDS, AT_ONCE)).take(now)


def send(message: EmailMessage) -> None:
    """Send ``message`` soon, from another thread. What goes wrong is logged: too many that wait, too."""
    _sender()
    try:
        _waiting.put_nowait((tracing.here(), message))
    except Full:
        logger.error("An e-mail was not sent: %s wait already", MOST_WAITING)


@cache
def _sender() -> Thread:
    # A daemon: a mail server that does not answer must not keep a process from ending.
    thread = Thread(target=_send_all, name="mail", daemon=True)
    thread.start()
    return thread


def _send_all() -> None:
    while True:
        place, message = _waiting.get()
        tracing.be(place)
        try:
            message.send()
        except (SMTPException, OSError) as error:
            logger.error("An e-mail could not be sent (%s)", type(error).__name__)
        except Exception:
            logger.exception("An e-mail could not be sent")
        finally:
            _waiting.task_done()
