"""``manage.py delete_room``: delete a room and all that was said in it."""

from argparse import ArgumentParser

from chat import governing
from chat.management.administering import AdministrationCommand, add_yes, room_of


class Command(AdministrationCommand):
    help = (
        "Delete a room for good, with all that was said in it, its members and its programs. Its address leads nowhere "
        "again. export_room writes down before what is in it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("room", metavar="ROOM", help="the room's address, as in /chat/ROOM/")
        add_yes(parser)

    def act(self, *, room: str, yes: bool, **options: object) -> None:
        found = room_of(room)
        self.confirm(f"All of {found.slug} goes, for good.", is_sure=yes)
        governing.delete_room(None, found.pk)
        self.stdout.write(f"{found.slug} is deleted.")
