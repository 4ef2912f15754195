"""``manage.py create_room``: make a room, whoever may make rooms on the site."""

from argparse import ArgumentParser

from chat import administration
from chat.management.administering import AdministrationCommand, user_of
from chat.models import Room


class Command(AdministrationCommand):
    help = (
        "Make a room, and print its slug: its address is /chat/SLUG/. One that is there already stays as it is, and "
        "its slug is printed. A private one is always new, and its slug ends in a random part."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="its name, as one would enter it")
        parser.add_argument("--visibility", choices=Room.Visibility.values, default=Room.Visibility.PUBLIC)
        parser.add_argument("--posting", choices=Room.Posting.values, default=Room.Posting.EVERYONE)
        parser.add_argument("--owner", metavar="USER", help="an account; a private room needs one")

    def act(self, *, name: str, visibility: str, posting: str, owner: str | None, **options: object) -> None:
        user = user_of(owner) if owner is not None else None
        room, is_new = administration.create_room(name, visibility, user, posting)
        if not is_new:
            self.stderr.write("it was there already, and stays as it is")
        self.stdout.write(room.slug)
