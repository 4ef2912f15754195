"""What is done regularly: when it is due, and that one process does it, of however many look. Synchronous.

A chore is claimed by a compare-and-swap in the database (``Job``). Whoever has it says every few seconds that it goes
on. A process that was killed says nothing, and loses it after LEASE_SECONDS. What fails is tried again after pauses
that grow, and stops nothing else.
"""

import logging
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.utils import timezone

from chat.models import Job

LEASE_SECONDS = 120.0
RENEW_SECONDS = 20.0
RETRY_SECONDS = 60.0  # after the first failure; doubled by each that follows
MOST_RETRY_SECONDS = 6 * 3600.0
LATE = timedelta(minutes=10)  # far more than a scheduler that runs may take to look

logger = logging.getLogger(__name__)

Beat = Callable[[], None]  # called between the steps of a chore, outside of transactions; raises where it is to end


@dataclass(frozen=True, slots=True)
class Chore:
    """``do`` does it, and says in a sentence what it did. ``next_due`` is given when it was due, and when it is now,
    and says when it is due again. ``at_once``: where it was never done, it is due now."""

    name: str
    do: Callable[[Beat], str]
    next_due: Callable[[datetime, datetime], datetime]
    at_once: bool = False


class CannotBeDone(Exception):
    """Something that is nobody's mistake in the code. Its text is a sentence for who runs the site."""


class ToldToStop(Exception):
    """This process is to end: somebody else goes on with the chore."""


class LostLease(Exception):
    """For too long nothing was said of a chore, so another process has taken it."""


def enter(chores: Sequence[Chore]) -> None:
    """Have a row for each, due as it says now: a site may have changed its mind about when."""
    now = timezone.now()
    rows = Job.objects.in_bulk([chore.name for chore in chores])
    missing = [chore for chore in chores if chore.name not in rows]
    if missing:
        new = [Job(name=each.name, due_at=now if each.at_once else each.next_due(now, now)) for each in missing]
        Job.objects.bulk_create(new, ignore_conflicts=True)
    for chore in chores:
        job, at_the_latest = rows.get(chore.name), chore.next_due(now, now)
        if job is not None and job.due_at > at_the_latest:
            Job.objects.filter(pk=job.pk, due_at=job.due_at).update(due_at=at_the_latest)


def run_due(chores: Sequence[Chore], is_told_to_stop: Callable[[], bool]) -> list[str]:
    """Do what is due and nobody else does, one after the other. Returns the names of what was begun here."""
    enter(chores)
    _take_back_lost()
    begun = []
    for chore in chores:
        if is_told_to_stop():
            break
        job = _claim(chore.name)
        if job is not None:
            begun.append(chore.name)
            _run(chore, job, is_told_to_stop)
    return begun


def next_due_at(chores: Sequence[Chore]) -> datetime | None:
    """When the first of them is due that nobody does now."""
    names = [chore.name for chore in chores]
    return Job.objects.filter(name__in=names, holder="").order_by("due_at").values_list("due_at", flat=True).first()


def overdue(chores: Sequence[Chore]) -> list[Job]:
    """Those that should have been begun long ago, while nobody does any of them: then nobody looks."""
    now = timezone.now()
    jobs = Job.objects.filter(name__in=[chore.name for chore in chores])
    if jobs.exclude(holder="").filter(expires_at__gt=now).exists():
        return []  # one after the other
    return list(jobs.filter(due_at__lt=now - LATE).order_by("due_at"))


def forget_holders() -> None:
    """Nobody does anything: the rows are those of a backup, made while somebody did."""
    Job.objects.exclude(holder="").update(holder="", expires_at=None)


def _claim(name: str) -> Job | None:
    now = timezone.now()
    holder = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(8)}"
    ours = Job.objects.filter(name=name, holder="", due_at__lte=now).update(
        holder=holder, started_at=now, expires_at=now + timedelta(seconds=LEASE_SECONDS)
    )
    return Job.objects.filter(name=name, holder=holder).first() if ours else None


def _take_back_lost() -> None:
    """From those of whom nothing was heard. A pause comes first, as after any failure: it may have been the chore
    itself that ended its process."""
    now = timezone.now()
    for job in Job.objects.filter(expires_at__lte=now).exclude(holder=""):
        lost = Job.objects.filter(pk=job.pk, holder=job.holder, expires_at=job.expires_at).update(
            holder="",
            expires_at=None,
            ended_at=job.expires_at,
            outcome=Job.Outcome.LOST,
            said="its process was heard of no more",
            failures=job.failures + 1,
            due_at=now + _pause_after(job.failures + 1),
        )
        if lost:
            logger.warning("%s was broken off: nothing was heard of %s any more", job.name, _who(job))


def _run(chore: Chore, job: Job, is_told_to_stop: Callable[[], bool]) -> None:
    began = monotonic()
    renewed = began

    def beat() -> None:
        nonlocal renewed
        if is_told_to_stop():
            raise ToldToStop()
        if monotonic() - renewed >= RENEW_SECONDS:
            _renew(job)
            renewed = monotonic()

    try:
        said = chore.do(beat)
    except ToldToStop:
        _write(job, holder="", expires_at=None)
        logger.info("%s was interrupted, and is left to others", chore.name)
        return
    except LostLease:
        logger.warning("%s took so long between two steps that others have it now", chore.name)
        return
    except Exception as error:
        now = timezone.now()
        pause = _pause_after(job.failures + 1)
        why = str(error) if isinstance(error, CannotBeDone) else type(error).__name__
        _write(
            job,
            holder="",
            expires_at=None,
            ended_at=now,
            outcome=Job.Outcome.FAILED,
            said=why[:300],
            failures=job.failures + 1,
            due_at=now + pause,
        )
        again = f"it is tried again in {pause.total_seconds():.0f} s"
        if isinstance(error, CannotBeDone):
            logger.error("%s failed: %s; %s", chore.name, error, again)
        else:
            logger.exception("%s failed; %s", chore.name, again)
        return
    now = timezone.now()
    _write(
        job,
        holder="",
        expires_at=None,
        ended_at=now,
        outcome=Job.Outcome.DONE,
        said=said[:300],
        failures=0,
        due_at=chore.next_due(job.due_at, now),
    )
    logger.info("%s: done in %.1f s: %s", chore.name, monotonic() - began, said)


def _renew(job: Job) -> None:
    if not _write(job, expires_at=timezone.now() + timedelta(seconds=LEASE_SECONDS)):
        raise LostLease()


def _write(job: Job, **fields: object) -> bool:
    """Put something down of a chore that is ours. False where it is ours no longer."""
    return bool(Job.objects.filter(pk=job.pk, holder=job.holder).update(**fields))


def _pause_after(failures: int) -> timedelta:
    return timedelta(seconds=min(RETRY_SECONDS * 2 ** min(failures - 1, 20), MOST_RETRY_SECONDS))


def _who(job: Job) -> str:
    """Machine and process."""
    return job.holder.rpartition(":")[0]


def all_jobs() -> list[tuple[Job, str]]:
    """Every row, with who does it now, if somebody does."""
    return [(job, _who(job) if job.holder else "") for job in Job.objects.order_by("name")]
