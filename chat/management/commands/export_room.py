"""``manage.py export_room``: write down what stands in a room."""

from argparse import ArgumentParser

from chat import export
from chat.management.administering import AdministrationCommand, room_of


class Command(AdministrationCommand):
    help = (
        "Write to standard output what stands in a room, private or not: a line of JSON for the room, and one for each "
        "message, as the protocol has them, oldest first. What was deleted or hidden is not among them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("room", metavar="ROOM", help="the room's address, as in /chat/ROOM/")
        parser.add_argument("--format", choices=["jsonl"], default="jsonl", help="lines of JSON")
        parser.add_argument("--audit", action="store_true", help="its audit log as well, after the messages")

    def act(self, *, room: str, audit: bool, **options: object) -> None:
        self.write_all(export.room_lines(room_of(room), with_audit=audit))
