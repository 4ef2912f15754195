"""``manage.py schedule``: does what is due, without a server."""

import signal
from argparse import ArgumentParser
from datetime import datetime

from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from chat import schedule
from chat.chores import chores
from chat.scheduler import Scheduler


class Command(BaseCommand):
    help = (
        "Do what is to be done regularly, when it is due, until stopped: let go of what is not kept any longer, of "
        "sessions that are over, and make backups where BACKUP_FOLDER is set. A server does so by itself, unless "
        "SCHEDULER is false; any number of processes may."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--once", action="store_true", help="do what is due now, and end")
        what.add_argument("--list", action="store_true", help="say what was done last and is due next, and end")
        what.add_argument("--check", action="store_true", help="end with 1 where nobody does what is due")

    def handle(self, *, once: bool, list: bool, check: bool, **options: object) -> None:
        if check:
            self._check()
            return
        if list:
            self._list()
            return
        scheduler = Scheduler()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: scheduler.told_to_stop())
        if once:
            scheduler.round()
        else:
            scheduler.run()

    def _check(self) -> None:
        try:
            late = schedule.overdue(chores())
        except DatabaseError as error:
            raise CommandError(f"the database does not say: {str(error).strip()}") from error
        if late:
            jobs = ", ".join(f"{job.name} (since {_moment(job.due_at)})" for job in late)
            raise CommandError(f"nobody does what is due: {jobs}")
        self.stdout.write("What is due is done.")

    def _list(self) -> None:
        here = chores()
        schedule.enter(here)
        names = {chore.name for chore in here}
        for job, holder in schedule.all_jobs():
            if job.name not in names:
                continue
            now = f"being done since {_moment(job.started_at)} by {holder}" if holder else f"due {_moment(job.due_at)}"
            last = "never done"
            if job.ended_at:
                last = f"{job.outcome} {_moment(job.ended_at)}: {job.said}"
            failed = f" ({job.failures} times in a row)" if job.failures > 1 else ""
            self.stdout.write(f"{job.name}: {now}; last: {last}{failed}")


def _moment(moment: datetime) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S %Z")
