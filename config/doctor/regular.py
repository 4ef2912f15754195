"""What should happen by itself: what is due, and backups."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from chat import backups, schedule
from chat.chores import chores
from chat.models import Job
from chat.schedule import CannotBeDone
from config.doctor.findings import Finding, look, ok, wrong

WAITS_TOO_LONG = timedelta(minutes=15)  # whoever schedules looks each minute, and does one thing after the other
TAKES_TOO_LONG = timedelta(hours=6)
BACKUP_TAKES = timedelta(hours=1)  # as long as it may take to be made, and be tried once more

SEE_TO_IT = "See that SCHEDULER is true in a process that serves, or that manage.py schedule runs, and read its log."


def the_scheduler() -> Iterator[Finding]:
    names = [chore.name for chore in chores()]
    jobs = [(job, holder) for job, holder in schedule.all_jobs() if job.name in names]
    if not jobs:
        yield look("scheduler", "Nothing has ever looked for what is due.", f"{SEE_TO_IT} It looks soon after a start.")
        return
    now = timezone.now()
    found = [finding for job, holder in jobs for finding in _of(job, holder, now)]
    yield from found
    if not found:
        following = min((job for job, _ in jobs), key=lambda job: job.due_at)
        yield ok("scheduler", f"All that was due is done. {following.name} is next, {_moment(following.due_at)}.")


def _of(job: Job, holder: str, now: datetime) -> Iterator[Finding]:
    waits = now - (job.expires_at if holder else job.due_at)  # of who has it, nothing more is heard since then
    if waits > WAITS_TOO_LONG:
        says = f"{job.name} has been due since {_moment(job.due_at)}, and nobody does it."
        yield wrong("scheduler", says, SEE_TO_IT)
    elif holder and now - job.started_at > TAKES_TOO_LONG:
        yield look(
            "scheduler",
            f"{holder} has been at {job.name} since {_moment(job.started_at)}.",
            "It says that it goes on. Where the database has not grown much, restart that process: another goes on.",
        )
    elif job.failures:
        often = "last time" if job.failures == 1 else f"{job.failures} times in a row"
        says = f"{job.name} failed {often} ({job.said})."
        mend = f"The log of the process that did it says more. It is tried again, {_moment(job.due_at)}."
        yield look("scheduler", says, mend) if job.failures == 1 else wrong("scheduler", says, mend)


def the_backups() -> Iterator[Finding]:
    if not settings.BACKUP_FOLDER:
        yield look(
            "backups",
            "BACKUP_FOLDER is not set: none are made by themselves.",
            "Set it, unless something else calls manage.py backup or copies the database.",
        )
        return
    folder = Path(settings.BACKUP_FOLDER)
    if not folder.is_dir():
        yield wrong(
            "backups",
            f"There is no folder {folder} here.",
            "Have it where the scheduler runs, writable for its user, and examine it there.",
        )
        return
    made = backups.made_in(folder)
    if not made:
        yield wrong("backups", f"There are none in {folder}.", "manage.py backup makes one, or says why it cannot.")
        return
    try:
        with backups.opened(made[-1]) as (manifest, _):
            at = datetime.fromisoformat(manifest.made_at).astimezone(UTC)
    except CannotBeDone as error:
        yield wrong("backups", f"The newest is of no use: {error}.", "manage.py backup makes another.")
        return
    if timezone.now() - at > timedelta(hours=settings.BACKUP_HOURS) + BACKUP_TAKES:
        yield wrong(
            "backups",
            f"The newest, {made[-1].name}, is of {_moment(at)}; BACKUP_HOURS is {settings.BACKUP_HOURS}.",
            "manage.py schedule --list says why: whether nobody does it, or what went wrong.",
        )
    else:
        yield ok("backups", f"The newest is of {_moment(at)}: {manifest.content}.")


def _moment(moment: datetime) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M %Z")
