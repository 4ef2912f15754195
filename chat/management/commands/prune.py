"""``manage.py prune``: let go of what is not kept any longer."""

from argparse import ArgumentParser

from django.core.management import BaseCommand, CommandError

from chat import chores, log, retention
from chat.models import Room


class Command(BaseCommand):
    help = (
        "Let go of what is not kept any longer: messages beyond their room's retention, hashes of networks beyond "
        "NETWORK_DAYS, records beyond RECORD_DAYS, what rooms remember of people who are long gone, what the "
        "search index has of deleted messages. With --keep, old events of the logs as well. The scheduler does "
        "so daily (`schedule`); it may run beside the server, and again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--keep",
            type=int,
            metavar="N",
            help="also forget all but the last N events of each room's log; who comes back with an older cursor is "
            "reset",
        )
        parser.add_argument("--room", metavar="SLUG", help="only this room's messages and events, and nothing else")

    def handle(self, *, keep: int | None, room: str | None, **options: object) -> None:
        if keep is not None and keep < 0:
            raise CommandError("--keep is 0 or more")
        rooms = Room.objects.filter(slug=room) if room else Room.objects.all()
        if room and not rooms:
            raise CommandError(f"there is no room {room}")
        done = []
        if keep is not None:
            removed = sum(log.prune(pk, keep) for pk in rooms.values_list("pk", flat=True))
            done.append(f"{removed} events forgotten.")
        done += [chores.expired(retention.prune_rooms(rooms))] if room else chores.prune(retention.go_on)
        if options["verbosity"]:
            self.stdout.write("\n".join(done))
