"""``manage.py prune``: forget old events. Messages stay; only how far back a cursor reaches changes."""

from argparse import ArgumentParser

from django.core.management import BaseCommand, CommandError

from chat import log, site
from chat.models import Room


class Command(BaseCommand):
    help = "Forget all but the last N events of each room's log. Who comes back with an older cursor is reset."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--keep", type=int, required=True, metavar="N", help="events to keep in each room")
        parser.add_argument("--room", metavar="SLUG", help="only this room")

    def handle(self, *, keep: int, room: str | None, **options: object) -> None:
        if keep < 0:
            raise CommandError("--keep is 0 or more")
        rooms = Room.objects.filter(slug=room) if room else Room.objects.all()
        if room and not rooms:
            raise CommandError(f"there is no room {room}")
        removed = sum(log.prune(pk, keep) for pk in rooms.values_list("pk", flat=True))
        removed += site.prune()
        self.stdout.write(f"{removed} events forgotten.")
