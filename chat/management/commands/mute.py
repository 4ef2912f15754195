"""``manage.py mute``: have somebody only read in a room, or in all of them."""

from chat.management.sanctioning import ImposingCommand
from chat.models import Sanction


class Command(ImposingCommand):
    help = "Have somebody only read in a room, or on the whole site. Again: a new term."
    kind = Sanction.Kind.MUTE
