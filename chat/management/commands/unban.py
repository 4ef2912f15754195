"""``manage.py unban``: let somebody in again."""

from chat.management.sanctioning import LiftingCommand
from chat.models import Sanction


class Command(LiftingCommand):
    help = "Let somebody in again whom ban keeps out of a room, or of the whole site. Again: nothing happens."
    kind = Sanction.Kind.BAN
