"""What is done regularly, and when: the table that the scheduler goes by."""

from collections.abc import Callable
from datetime import datetime, timedelta
from math import floor
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from chat import backups, headcounts, reindexing, retention, site
from chat.models import Room
from chat.schedule import Beat, CannotBeDone, Chore

TIDY_HOURS = 1


def chores() -> list[Chore]:
    """What this site does."""
    found = [
        Chore("prune", lambda beat: " ".join(prune(beat)), _daily),
        Chore("sessions", _forget_sessions, _daily),
        Chore("tidy", _tidy, _every(TIDY_HOURS)),
    ]
    if settings.BACKUP_FOLDER:
        found.append(Chore("backup", _back_up, _every(settings.BACKUP_HOURS), at_once=True))
    return found


def prune(beat: Beat) -> list[str]:
    """Let go of all that is kept no longer. Returns what went, a sentence for each kind."""
    done = [
        expired(retention.prune_rooms(Room.objects.all(), beat)),
        f"{retention.forget_networks(beat)} networks forgotten.",
        f"{retention.forget_participants(beat)} participants forgotten.",
        f"{retention.forget_records(beat)} old records forgotten.",
    ]
    site.prune()
    reindexing.compact(beat)
    return done


def expired(count: int) -> str:
    return f"{count} messages deleted that were older than their room keeps any."


def _forget_sessions(beat: Beat) -> str:
    return f"{retention.forget_sessions(beat)} sessions forgotten that were over."


def _tidy(beat: Beat) -> str:
    entries = site.prune()
    beat()
    return f"{entries} entries of the site log and {headcounts.forget_expired()} counts of people forgotten."


def _back_up(beat: Beat) -> str:
    folder = Path(settings.BACKUP_FOLDER)
    if not folder.is_dir():  # as where a disk is not mounted
        raise CannotBeDone(f"BACKUP_FOLDER: there is no folder {folder}")
    made = backups.make(folder, beat)
    gone = backups.keep_last(folder, settings.BACKUPS_KEPT)
    return f"{made.sentence} {len(gone)} older ones deleted." if gone else made.sentence


def _daily(due: datetime, now: datetime) -> datetime:
    """The next time the site's clocks show settings.DAILY_HOUR."""
    local = timezone.localtime(now)
    today = local.replace(hour=settings.DAILY_HOUR, minute=0, second=0, microsecond=0)
    return today if today > local else today + timedelta(days=1)


def _every(hours: int) -> Callable[[datetime, datetime], datetime]:
    """So many hours after it was due, or as many more as have passed since."""
    period = timedelta(hours=hours)

    def next_due(due: datetime, now: datetime) -> datetime:
        return due + period * max(1, floor((now - due) / period) + 1)

    return next_due
