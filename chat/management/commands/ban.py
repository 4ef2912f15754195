"""``manage.py ban``: keep somebody out of a room, or of all of them."""

from chat.management.sanctioning import ImposingCommand
from chat.models import Sanction


class Command(ImposingCommand):
    help = "Keep somebody out of a room, or of the whole site. Who is there is let go at once. Again: a new term."
    kind = Sanction.Kind.BAN
