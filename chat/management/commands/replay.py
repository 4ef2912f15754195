"""``manage.py replay``: play an IRC log into a room, as if its people were there."""

import argparse
import hashlib
import time
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path

from django.core.management import BaseCommand, CommandError
from tqdm import tqdm

from chat import actions, errors, posting
from chat.identity import Identity, new_guest
from chat.irc import read_line
from chat.text import clean_name


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate <= 100_000:
        raise argparse.ArgumentTypeError("a rate is more than 0 and at most 100000 messages a second")
    return rate


class Command(BaseCommand):
    help = (
        "Play an IRC log ([hh:mm] <nick> text) into a room, through the same action as everybody's posts. "
        "Lines in which nobody says anything are counted and reported."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="the log")
        parser.add_argument("--room", required=True, metavar="SLUG", help="the room; made if there is none")
        parser.add_argument("--rate", type=_rate, default=10.0, metavar="N", help="messages a second (default: 10)")

    def handle(self, *, file: Path, room: str, rate: float, **options: object) -> None:
        try:
            lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
        except OSError as error:
            raise CommandError(f"cannot read {file}: {error.strerror}") from error
        try:
            found, _ = actions.create_room(Identity(key="replay", name="replay", kind="user", is_staff=True), room)
        except errors.ChatError as error:
            raise CommandError(f"cannot play into {room}: {error}") from error
        posted, unread, refused = 0, 0, 0
        began = time.monotonic()
        with tqdm(lines, unit=" lines", disable=options["verbosity"] == 0) as progress:
            for line in progress:
                said = read_line(line)
                if said is None:
                    unread += 1
                    continue
                _wait_until(began + (posted + refused) / rate)
                try:
                    _say(_guest(said.nick), found.pk, said.text)
                    posted += 1
                except errors.ChatError as error:
                    refused += 1
                    progress.write(f"refused ({error.code}): {line[:80]!r}")
        seconds = time.monotonic() - began
        self.stdout.write(
            f"{posted} messages posted to {found.slug} in {seconds:.1f} s ({posted / max(seconds, 0.001):.0f}/s), "
            f"{refused} refused, {unread} lines not understood, {len(lines)} lines in all."
        )


def _wait_until(moment: float) -> None:
    remaining = moment - time.monotonic()
    if remaining > 0:
        time.sleep(remaining)


def _say(guest: Identity, room_id: int, text: str) -> None:
    """Post as ``guest``; under another name where somebody else in the room looks like them, or is to look like."""
    try:
        posting.post(guest, room_id, text)
    except (errors.NameTaken, errors.NameReserved):
        posting.post(replace(guest, name=f"{guest.name[:24]} {guest.key[1:6]}"), room_id, text)


def _guest(nick: str) -> Identity:
    """The same guest for the same nick, in every replay."""
    try:
        name = clean_name(nick)
    except errors.NameInvalid:
        name = new_guest().name
    return Identity(key="i" + hashlib.sha256(nick.encode()).hexdigest()[:20], name=name, kind="guest")
