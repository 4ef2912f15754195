"""``manage.py work``: one of several processes on one port, of its parent's role. Started by ``manage.py start`` and
``python -m config.serve``, and by nobody else."""

import os

from django.core.management import BaseCommand, CommandError, CommandParser

from config.server import Server
from config.serving import application
from config.worker import leave_with
from config.workers import need_redis


class Command(BaseCommand):
    help = "Serve on a socket that was inherited. For the parent of several, not for people."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--socket", type=int, required=True, metavar="FD", help="listens already")
        parser.add_argument("--parent", type=int, required=True, metavar="FD", help="hears when this process serves")
        parser.add_argument("--number", type=int, required=True, metavar="N", help="which of them it is, from 1")

    def handle(self, *args: object, socket: int, parent: int, number: int, **options: object) -> None:
        leave_with(parent)
        need_redis()
        endpoint = f"fd:fileno={socket}"
        server = Server(application(), endpoint, on_listening=lambda: os.write(parent, b"+"), number=number)
        server.run()
        if server.failure:
            raise CommandError(f"cannot listen on the socket that was inherited ({server.failure})")
