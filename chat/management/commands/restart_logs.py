"""``manage.py restart_logs``: to be run after a database was restored from a backup."""

from django.core.management import BaseCommand

from chat import log
from chat.models import Room


class Command(BaseCommand):
    help = (
        "After restoring a backup: number every room's events anew, beyond any number given out before, so that "
        "clients that saw what the backup does not have start over instead of skipping."
    )

    def handle(self, **options: object) -> None:
        rooms = list(Room.objects.values_list("pk", flat=True))
        for pk in rooms:
            log.restart(pk)
        self.stdout.write(f"The logs of {len(rooms)} rooms were restarted.")
