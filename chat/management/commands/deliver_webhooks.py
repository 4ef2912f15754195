"""``manage.py deliver_webhooks``: calls webhooks from a process of its own."""

import asyncio
from contextlib import suppress

from django.core.management import BaseCommand, CommandParser

from chat import courier


class Command(BaseCommand):
    help = (
        "Call the webhooks of all rooms, until stopped. The server does so by itself: this is for where it was started "
        "by a program that tells applications nothing of its beginning and end, and (--once) for maintenance."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="call what is due now, and end")

    def handle(self, *args: object, once: bool, **options: object) -> None:
        with suppress(KeyboardInterrupt):
            asyncio.run(courier.deliver_due() if once else courier.deliver_forever())
