"""What ``ban``, ``mute``, ``unban`` and ``unmute`` share: where, and whom."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from chat import administration, durations
from chat.errors import ChatError
from chat.management.administering import AdministrationCommand, room_of, user_of
from chat.models import Sanction
from chat.moderation import Subject


def duration(text: str) -> int | None:
    try:
        return durations.seconds_of(text)
    except ChatError as error:
        raise ArgumentTypeError(str(error)) from error


class SanctioningCommand(AdministrationCommand):
    kind: str

    def add_arguments(self, parser: ArgumentParser) -> None:
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("room", nargs="?", metavar="ROOM", help="the room's address, as in /chat/ROOM/")
        where.add_argument("--everywhere", action="store_true", help="on the whole site")
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--user", metavar="NAME", help="an account")
        whom.add_argument(
            "--guest",
            metavar="KEY",
            help="a guest: the key of their messages; it holds for new guests, too, who come "
            "from where the last of these came from",
        )
        whom.add_argument(
            "--network",
            metavar="IP",
            help="everybody from an address (IPv6: its /64) who is not a member; only a keyed hash of it is kept",
        )
        parser.add_argument("--reason", default="", help="for the audit log")

    @staticmethod
    def whom(user: str | None, guest: str | None, network: str | None) -> Subject:
        if user is not None:
            return administration.account(user_of(user))
        return administration.guest(guest) if guest is not None else administration.network(network)


class ImposingCommand(SanctioningCommand):
    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--for",
            dest="seconds",
            type=duration,
            default=durations.FOREVER,
            metavar="TIME",
            help="90s, 15m, 2h, 3d, 2w or forever (default)",
        )

    def act(self, *, room: str | None, seconds: int | None, reason: str, **options: Any) -> None:
        room_id = room_of(room).pk if room is not None else None
        whom = self.whom(options["user"], options["guest"], options["network"])
        made = administration.impose(room_id, self.kind, whom, seconds, reason)
        until = f"until {made.ends_at:%Y-%m-%d %H:%M} UTC" if made.ends_at is not None else "for good"
        done = {Sanction.Kind.BAN: "banned", Sanction.Kind.MUTE: "muted"}[self.kind]
        self.stdout.write(f"{whom.name} is {done} {'everywhere' if room is None else f'in {room}'} {until}.")


class LiftingCommand(SanctioningCommand):
    def act(self, *, room: str | None, reason: str, **options: Any) -> None:
        found = Sanction.objects.filter(room=room_of(room) if room is not None else None, kind=self.kind)
        whom = self.whom(options["user"], options["guest"], options["network"])
        lifted = administration.lift(found.filter(subject=whom.subject), reason)
        self.stdout.write(f"{whom.name}: {lifted or 'nothing'} lifted.")
