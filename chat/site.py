"""The site log: what every process must hear of to let connections go, in whatever room they are.

Sessions that end, passwords that change, accounts that are suspended, members who leave. The entries say only
*of whom* something changed; whoever reads them asks anew what is true now. Read every second together with the
heads of the rooms, so that no lost hint keeps a door open.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from chat import broadcast
from chat.models import SiteEvent, SiteHead

logger = logging.getLogger(__name__)

Sink = Callable[[str, int], None]
_sinks: list[Sink] = []

KEEP = timedelta(hours=1)  # readers are seconds behind; who starts later begins at the head


@dataclass(frozen=True, slots=True)
class Change:
    """Entry ``seq``: something about the account or room ``subject`` (a primary key) is no longer as it was."""

    seq: int
    kind: str
    subject: int


def add_sink(sink: Sink) -> None:
    """Have ``sink(kind, subject)`` called for each entry after its commit, in the committing thread. It must not block,
    and what it raises is logged and ends there."""
    if sink not in _sinks:
        _sinks.append(sink)


def user_changed(user_id: int) -> None:
    """Have every connection of an account asked whether its session still holds."""
    _append(SiteEvent.Kind.USER, user_id)


def room_changed(room_id: int) -> None:
    """Have everybody in a room asked whether they may still be there."""
    _append(SiteEvent.Kind.ROOM, room_id)


def queue_changed(room_id: int) -> None:
    """Have a room's moderators told what waits for them."""
    _append(SiteEvent.Kind.QUEUE, room_id)


def everywhere_changed() -> None:
    """Have everybody, in whatever room, asked whether they may still be there."""
    _append(SiteEvent.Kind.SITE, 0)


def head() -> int:
    """The last number."""
    return SiteHead.objects.values_list("head", flat=True).filter(pk=1).first() or 0


def prune() -> int:
    """Forget entries that everybody has read. Returns how many."""
    return SiteEvent.objects.filter(at__lt=timezone.now() - KEEP).delete()[0]


def one_at_a_time() -> None:
    """Have whoever else calls this, or appends to the site log, wait until this transaction ends.

    It is taken after the locks of rooms, never before one.
    """
    _lock()


def _lock() -> SiteHead:
    SiteHead.objects.get_or_create(pk=1)
    return SiteHead.objects.select_for_update().get(pk=1)


def _append(kind: SiteEvent.Kind, subject: int) -> None:
    with transaction.atomic():
        site = _lock()
        site.head += 1
        site.save(update_fields=["head"])
        SiteEvent.objects.create(seq=site.head, kind=kind, subject=subject)
        transaction.on_commit(partial(_announce, kind, subject))


def _announce(kind: SiteEvent.Kind, subject: int) -> None:
    broadcast.announce_site()
    for sink in tuple(_sinks):
        try:
            sink(kind, subject)
        except Exception:
            logger.exception("a sink failed on %s %s of the site log", kind, subject)
