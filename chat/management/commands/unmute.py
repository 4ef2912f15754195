"""``manage.py unmute``: let somebody write again."""

from chat.management.sanctioning import LiftingCommand
from chat.models import Sanction


class Command(LiftingCommand):
    help = "Let somebody write again who was muted in a room, or on the whole site. Again: nothing happens."
    kind = Sanction.Kind.MUTE
