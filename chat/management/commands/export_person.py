"""``manage.py export_person``: write down what is kept of somebody."""

from argparse import ArgumentParser

from chat import personal
from chat.management.administering import AdministrationCommand, user_of


class Command(AdministrationCommand):
    help = "Write to standard output what is kept of an account, as JSON: what the person can ask for, too."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER", help="the account")

    def act(self, *, user: str, **options: object) -> None:
        self.write_all(personal.export(user_of(user)), ending="")
