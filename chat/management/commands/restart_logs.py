"""``manage.py restart_logs``: to be run after a database was restored by other means than
``manage.py restore``."""

from django.core.management import BaseCommand

from chat import restoring


class Command(BaseCommand):
    help = (
        "After restoring a database by other means than `restore`: number every room's events anew, beyond any number "
        "given out before, so that clients that saw what the backup does not have start over instead of skipping."
    )

    def handle(self, **options: object) -> None:
        self.stdout.write(f"The logs of {restoring.restart_logs()} rooms were restarted.")
