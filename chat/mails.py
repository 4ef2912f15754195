"""E-mail, sent while whoever asked for it has their answer: how long sending takes tells them nothing."""

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from smtplib import SMTPException
from threading import BoundedSemaphore, Lock
from time import monotonic

from django.core.mail import EmailMessage

from chat.limits import Bucket

MOST_WAITING = 200
# To one address: so many at once, then one in so many seconds. Whoever asks is not the one who reads them.
AT_ONCE = 3
EVERY_SECONDS = 600.0

logger = logging.getLogger(__name__)

_sender = ThreadPoolExecutor(1, thread_name_prefix="mail")
_waiting = BoundedSemaphore(MOST_WAITING)
_buckets: dict[str, Bucket] = {}
_lock = Lock()


def may_write_to(address: str) -> bool:
    """Whether one more e-mail to ``address`` is not too many. Counted by each process for itself."""
    now = monotonic()
    with _lock:
        if len(_buckets) > 10_000:
            for key in [key for key, bucket in _buckets.items() if bucket.is_full(now)]:
                del _buckets[key]
        return not _buckets.setdefault(address.casefold(), Bucket(EVERY_SECONDS, AT_ONCE)).take(now)


def send(message: EmailMessage) -> Future[None] | None:
    """Send ``message`` soon, from another thread. What goes wrong is logged; None where too many wait already."""
    if not _waiting.acquire(blocking=False):
        logger.error("An e-mail was not sent: %s wait already", MOST_WAITING)
        return None
    return _sender.submit(_send, message)


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except (SMTPException, OSError) as error:
        logger.error("An e-mail could not be sent (%s)", type(error).__name__)
    finally:
        _waiting.release()
