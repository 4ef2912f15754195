"""``manage.py archive_room``: have nothing more said in a room."""

from argparse import ArgumentParser

from chat import governing
from chat.management.administering import AdministrationCommand, room_of


class Command(AdministrationCommand):
    help = "Have nothing more said in a room, which can still be read; or, with --reopen, let it go on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("room", metavar="ROOM", help="the room's address, as in /chat/ROOM/")
        parser.add_argument("--reopen", action="store_true", help="take it back")

    def act(self, *, room: str, reopen: bool, **options: object) -> None:
        found = room_of(room)
        (governing.reopen if reopen else governing.archive)(None, found.pk)
        self.stdout.write(f"{found.slug} is {'open' if reopen else 'archived'}.")
