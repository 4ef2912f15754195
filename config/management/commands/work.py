"""``manage.py work``: one of several processes on one port. Started by ``manage.py start``, and by nobody else."""

import os

from django.core.management import BaseCommand, CommandError, CommandParser

from config.server import Server
from config.worker import leave_with
from config.workers import need_redis


class Command(BaseCommand):
    help = "Serve on a socket that was inherited. For `start --workers`, not for people."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--socket", type=int, required=True, metavar="FD", help="listens already")
        parser.add_argument("--parent", type=int, required=True, metavar="FD", help="hears when this process serves")

    def handle(self, *args: object, socket: int, parent: int, **options: object) -> None:
        leave_with(parent)
        need_redis()
        from config.asgi import application

        server = Server(application, f"fd:fileno={socket}", on_listening=lambda: os.write(parent, b"+"))
        server.run()
        if server.failure:
            raise CommandError(f"cannot listen on the socket that was inherited ({server.failure})")
