"""``manage.py restore``: put a backup in the place of the database."""

import signal
import sys
from argparse import ArgumentParser
from pathlib import Path

from django.core.management import BaseCommand, CommandError
from django.db import OperationalError

from chat import backups, restoring
from chat.schedule import CannotBeDone


class Command(BaseCommand):
    help = (
        "Put a backup in the place of what is in the database, bring it up to date, and begin every room's log anew, "
        "so that clients that saw what the backup does not have start over. Stop every process first. Where it does "
        "not come to its end, the database is as it was."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="what manage.py backup made")
        parser.add_argument("--yes", action="store_true", help="do not ask before what is there is replaced")

    def handle(self, *, file: Path, yes: bool, **options: object) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left lying
        try:
            with backups.opened(file) as (manifest, _):
                restoring.check(manifest, file)
            self.stdout.write(f"A backup of {manifest.made_at}: {manifest.content}.")
            there = restoring.what_is_there()
            if there and not yes:
                self._ask(there)
            rooms = restoring.restore(file, self.stdout.write, options["verbosity"] - 1)
        except (CannotBeDone, OperationalError) as error:
            raise CommandError(str(error).strip()) from error
        self.stdout.write(f"It is restored. The logs of {rooms} rooms begin anew: who comes back starts over once.")
        if not restoring.has_same_secret(manifest):
            self.stdout.write(
                "SECRET_KEY is not the one that it was made with: everybody is signed out, guests are strangers, and "
                "bans of networks no longer hold."
            )

    def _ask(self, there: dict[str, int]) -> None:
        counts = ", ".join(f"{count} {what}" for what, count in there.items())
        try:
            answer = input(f"The database has {counts}. All of it is replaced. Type yes to go on: ")
        except EOFError:
            answer = ""
        if answer.strip().lower() != "yes":
            raise CommandError("nothing was changed (to go on without being asked, add --yes)")
