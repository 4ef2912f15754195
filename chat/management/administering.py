"""What commands that act for the site's administration share."""

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management import BaseCommand, CommandError

from chat.errors import ChatError
from chat.models import Room, User
from chat.text import canonical_slug


class AdministrationCommand(BaseCommand):
    """A command whose ``act`` may raise a ``ChatError``: its sentence is what the operator reads, and the exit code
    is 1."""

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.act(**options)
        except ChatError as error:
            raise CommandError(str(error)) from error

    def act(self, **options: Any) -> None:
        raise NotImplementedError

    def write_all(self, pieces: Iterable[str], ending: str = "\n") -> None:
        """Write ``pieces`` as they come. Where nobody reads them any more, there is nothing left to do."""
        try:
            for piece in pieces:
                self.stdout.write(piece, ending=ending)
        except BrokenPipeError:
            raise CommandError("nobody reads what is written here") from None

    def confirm(self, question: str, *, is_sure: bool) -> None:
        """Ask, unless that was answered on the command line. Raises ``CommandError`` for anything but yes."""
        if is_sure:
            return
        try:
            answer = input(f"{question} Type yes to go on: ")
        except EOFError:
            answer = ""
        if answer.strip().lower() != "yes":
            raise CommandError("nothing was done; with --yes it is not asked")


def room_of(slug: str) -> Room:
    """The room at an address. Raises ``CommandError``."""
    canonical = canonical_slug(slug)
    room = Room.objects.there().filter(slug=canonical).first() if canonical else None
    if room is None:
        raise CommandError(f"there is no room {slug}")
    return room


def user_of(username: str) -> User:
    """The account of that name. Raises ``CommandError``."""
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(f"there is no account {username}")
    return user


def add_yes(parser: ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do it without asking")
