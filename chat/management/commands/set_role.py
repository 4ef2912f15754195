"""``manage.py set_role``: say what somebody is in a room."""

from argparse import ArgumentParser

from chat import governing
from chat.management.administering import AdministrationCommand, room_of, user_of
from chat.models import Membership
from chat.standing import NO_ROLE


class Command(AdministrationCommand):
    help = "Make an account owner, moderator or member of a room, or none of these. A room keeps an owner."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("room", metavar="ROOM", help="the room's address, as in /chat/ROOM/")
        parser.add_argument("user", metavar="USER", help="the account")
        parser.add_argument("role", choices=[*Membership.Role.values, NO_ROLE])

    def act(self, *, room: str, user: str, role: str, **options: object) -> None:
        found = room_of(room)
        governing.set_role(None, found.pk, user_of(user).username, None if role == NO_ROLE else role)
        self.stdout.write(f"{user} in {found.slug}: {role}.")
