"""``manage.py upgrade``: what is to be done once when new code comes, before it serves."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management import BaseCommand, CommandError

from chat import upgrading
from chat.schedule import CannotBeDone
from config import delivery

WAIT_SECONDS = 60
MOST_WAIT_SECONDS = 3600


class Command(BaseCommand):
    help = (
        "Bring the database up to date, beside code of the release before: wait for it, apply migrations, enter the "
        "search index where that is not finished. Of several that are started at once each does what is left. Doing it "
        "again changes nothing."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--static",
            type=Path,
            metavar="FOLDER",
            help="also copy what browsers get of static/ into this folder, for a proxy to serve; what lies there stays",
        )
        parser.add_argument(
            "--wait",
            type=int,
            default=WAIT_SECONDS,
            metavar="SECONDS",
            help=f"how long to wait for the database, and for tables in use (0 to {MOST_WAIT_SECONDS}, {WAIT_SECONDS})",
        )

    def handle(self, *, static: Path | None, wait: int, **options: object) -> None:
        if not 0 <= wait <= MOST_WAIT_SECONDS:
            raise CommandError(f"--wait is 0 to {MOST_WAIT_SECONDS} seconds")
        try:
            upgrading.wait_for_database(wait)
            with upgrading.one_at_a_time(self.stdout.write):
                count = upgrading.migrate(wait, options["verbosity"])
            self.stdout.write(f"The database is up to date; {count} migrations were applied.")
            if static is not None:
                copied = delivery.copy_to(static)
                self.stdout.write(f"{copied} static files were copied to {static}.")
        except CannotBeDone as error:
            raise CommandError(str(error)) from error
