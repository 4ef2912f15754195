"""``manage.py start``: everything on one machine from nothing. What ``bin/start`` ends in."""

import shlex
import sys
from html import escape

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from django.db import OperationalError, connections
from django.urls import reverse

from chat.models import Room
from chat.upgrading import one_at_a_time
from config.serving import serve
from config.settings import env
from config.workers import NoWorkers, need_redis

FIRST_ROOM = "Lobby"


def number_of_workers(option: str) -> int:
    allowed = env.ranges["WORKERS"]
    if not option.isdecimal() or int(option) not in allowed:
        raise CommandError(f"--workers: {option!r} is not between {allowed[0]} and {allowed[-1]}")
    return int(option)


class Command(BaseCommand):
    help = "Bring the database up to date, make the first room if there is none, and serve on HOST:PORT."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workers", metavar="N", help="how many processes serve; instead of WORKERS")

    def handle(self, *args: object, workers: str | None, **options: object) -> None:
        count = settings.WORKERS if workers is None else number_of_workers(workers)
        if count > 1:
            need_redis()
        try:
            with one_at_a_time():
                call_command("migrate", interactive=False, verbosity=0)
                room = self.first_room()
        except OperationalError as error:
            raise CommandError(f"cannot use the database {settings.DATABASES['default']['NAME']}: {error}") from error
        connections.close_all()  # this thread serves from here on, and idle servers hold no connection
        try:
            failure = serve(count, lambda: self.welcome(room))
        except NoWorkers as error:
            raise CommandError("no worker came up; what it said stands above") from error
        if failure:
            raise CommandError(
                f"cannot listen on {settings.HOST}:{settings.PORT} ({failure}). "
                "Is something else running there? Choose another port: PORT=8001 bin/start"
            )

    def first_room(self) -> Room:
        room, _ = Room.objects.get_or_create(slug="lobby", defaults={"title": FIRST_ROOM})
        return room

    def welcome(self, room: Room) -> None:
        """Say what a newcomer needs: each second line can be used as it stands."""
        base = settings.PUBLIC_URL
        manage = shlex.join([sys.executable, str(settings.BASE_DIR / "manage.py")])
        embed = reverse("feeds:embed", args=[room.slug])
        for what, line in [
            ("Chat in a room:", base + reverse("chat:room", args=[room.slug])),
            ("Watch it, from any browser, without taking part:", base + reverse("feeds:watch", args=[room.slug])),
            (
                "Follow it in a terminal:",
                f"curl -N {shlex.quote(base + reverse('feeds:watch', args=[room.slug]) + 'stream.txt')}",
            ),
            (
                "Put it into a page of yours:",
                f'<iframe src="{base + embed}" title="{escape(room.title)}" width="400" height="600"></iframe>',
            ),
            (f"Make yourself an administrator, for {base}{reverse('admin:index')}:", f"{manage} createsuperuser"),
        ]:
            self.stdout.write(f"{self.style.MIGRATE_LABEL(what)}\n{line}\n")
        self.stdout.write("Ctrl-C stops it.")
        self.stdout.flush()
