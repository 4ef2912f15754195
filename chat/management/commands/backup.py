"""``manage.py backup``: a copy of all that is in the database, in one file."""

import signal
import sys
from argparse import ArgumentParser
from pathlib import Path

from django.core.management import BaseCommand, CommandError

from chat import backups
from chat.schedule import CannotBeDone


class Command(BaseCommand):
    help = (
        "Make a backup, beside the server: one file with all that is in the database at that moment, and what is "
        "needed to know it by. It has no secrets of the environment or of var/ in it."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", type=Path, metavar="FILE|FOLDER", help="a new file; in a folder it has a name")

    def handle(self, *, target: Path, **options: object) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left lying
        try:
            made = backups.make(target)
        except CannotBeDone as error:
            raise CommandError(str(error)) from error
        self.stdout.write(made.sentence)
