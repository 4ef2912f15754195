"""``manage.py reindex``: make the search index anew."""

from argparse import ArgumentParser

from django.core.management import BaseCommand
from tqdm import tqdm

from chat import reindexing
from chat.models import Message


class Command(BaseCommand):
    help = (
        "Enter all messages into the search index: after SECRET_KEY was changed, or messages were brought in past "
        "Engawa. It may run beside the server. Interrupted, it goes on where it was."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--restart", action="store_true", help="from the beginning, whatever was done")

    def handle(self, *, restart: bool, **options: object) -> None:
        with tqdm(total=Message.objects.count(), unit=" messages", disable=options["verbosity"] == 0) as progress:
            reindexing.reindex(restart=restart, tell=progress.update)
        reindexing.compact()
        if options["verbosity"]:
            self.stdout.write(f"{progress.n} messages were entered; the index is complete.")
