"""``manage.py erase``: have nothing left of somebody."""

from argparse import ArgumentParser

from chat import personal
from chat.management.administering import AdministrationCommand, add_yes, user_of


class Command(AdministrationCommand):
    help = (
        "Delete an account, or a guest, and what they said in every room (delete), or who said it (anonymise). It "
        "cannot be taken back. export_person writes down before what there is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("user", nargs="?", metavar="USER", help="an account")
        whom.add_argument("--guest", metavar="KEY", help="a guest: the key of their messages")
        parser.add_argument("--messages", choices=["delete", "anonymise"], required=True, help="what they said")
        add_yes(parser)

    def act(self, *, user: str | None, guest: str | None, messages: str, yes: bool, **options: object) -> None:
        found = user_of(user) if user is not None else None
        what = "all they said" if messages == "delete" else "their name from all they said"
        self.confirm(f"{user or guest} goes, for good, and {what}.", is_sure=yes)
        if found is not None:
            personal.erase(found, messages)
        else:
            personal.erase_guest(guest, messages)
        self.stdout.write(f"{user or guest} is erased.")
