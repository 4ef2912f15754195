"""``manage.py doctor``: what is wrong with a deployment, and how to mend it, in words."""

import ssl

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from config.doctor.findings import Finding, examine
from config.doctor.inside import FROM_INSIDE
from config.doctor.outside import FROM_OUTSIDE, FROM_OUTSIDE_KNOWING, Site

MARKS = {"ok": "ok   ", "look": "look ", "wrong": "WRONG"}


class Command(BaseCommand):
    help = (
        "Examine a deployment: from inside, its settings, database, Redis, disk and regular work; from outside, what "
        "strangers meet at its public address. Ends with 1 where something is wrong. Changes nothing."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        one = parser.add_mutually_exclusive_group()
        one.add_argument("--inside", action="store_true", help="only from inside")
        one.add_argument("--outside", action="store_true", help="only from outside: without database and Redis")
        parser.add_argument("--url", default=settings.PUBLIC_URL, help="the address from outside; default: PUBLIC_URL")
        parser.add_argument("--room", default="lobby", metavar="SLUG", help="a public room to try it with")
        parser.add_argument("--ca", metavar="FILE", help="a certificate of an authority of your own to trust as well")

    def handle(self, *, inside: bool, outside: bool, url: str, room: str, ca: str | None, **options: object) -> None:
        self.worst = "ok"
        if not outside:
            self.tell("Inside", examine(FROM_INSIDE))
        if not inside:
            trust = ssl.create_default_context()
            try:
                if ca:
                    trust.load_verify_locations(ca)
            except (OSError, ssl.SSLError) as error:
                raise CommandError(f"--ca: cannot read {ca}: {error}") from error
            url = url.rstrip("/")
            if not url.startswith(("http://", "https://")):
                raise CommandError("--url is like https://chat.example.org")
            examinations = FROM_OUTSIDE if outside else FROM_OUTSIDE_KNOWING
            self.tell(f"Outside, at {url}", examine(examinations, Site(url, room, trust)))
        if self.worst == "wrong":
            raise CommandError("Something is wrong: see above.")
        self.stdout.write("Nothing is wrong." if self.worst == "ok" else "Nothing is wrong; have a look at the above.")

    def tell(self, where: str, findings: object) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(where))
        for finding in findings:
            self.stdout.write(self.line(finding))
            self.worst = max(self.worst, finding.level, key=list(MARKS).index)

    def line(self, finding: Finding) -> str:
        style = {"ok": self.style.SUCCESS, "look": self.style.WARNING, "wrong": self.style.ERROR}[finding.level]
        mend = f"\n        {finding.mend}" if finding.mend else ""
        return f"{style(MARKS[finding.level])}  {finding.what}: {finding.says}{mend}"
