"""``manage.py build_static``: what a server that starts makes of ``static/``, made beforehand, for an image."""

from django.core.management import BaseCommand, CommandError

from config import delivery


class Command(BaseCommand):
    help = (
        "Make what browsers load of static/, where it is not there or of other sources: as a server does that starts."
    )
    requires_system_checks = []

    def handle(self, **options: object) -> None:
        try:
            delivery.make()
        except delivery.FAILURES as error:
            raise CommandError(f"the static files could not be made: {error}") from error
