"""Accounts of those who sign in with an account elsewhere (OpenID Connect).

Who somebody is there, the issuer and its ``sub`` say, and nothing else: an e-mail address or a name that they give
there opens no account here.
"""

import re
import unicodedata
from collections.abc import Iterator
from secrets import randbelow

from django.db import IntegrityError, transaction

from chat import errors, people
from chat.identity import Identity
from chat.models import OutsideIdentity, User
from chat.screening import MAX_USERNAME_CHARS

NAMELESS = "somebody"
MOST_NUMBERED = 9  # names with a small number are tried before one with a large one
TRIES = 20

_UNUSUAL = re.compile(r"[^\w.+-]+")  # what Django's usernames do not have


def account_of(issuer: str, subject: str) -> User | None:
    """Whose that is; None where they have not been here before."""
    known = OutsideIdentity.objects.filter(issuer=issuer, subject=subject).select_related("user").first()
    return None if known is None else known.user


def open_account(issuer: str, subject: str, wanted: object, guest: Identity | None, network: str = "") -> User:
    """A new account, or that which they have got a moment ago: called as they wish (``wanted``), or almost, where that
    is a name that they may have. ``guest`` is who they were before. Raises ``NameTaken`` where no name was found."""
    for name in names_like(wanted):
        user = User(username=name)
        user.set_unusable_password()
        try:
            with transaction.atomic():
                people.sign_up(user, guest, network)
                OutsideIdentity.objects.create(issuer=issuer, subject=subject, user=user)
            return user
        except (errors.NameInvalid, errors.NameReserved, errors.NameTaken):
            continue
        except IntegrityError:  # they came twice at one moment
            if (known := account_of(issuer, subject)) is not None:
                return known
    raise errors.NameTaken()


def names_like(wanted: object) -> Iterator[str]:
    """Names to try, the best first. Of an e-mail address, which many give as their name, only what stands before the
    @: it would be shown to everybody."""
    text = unicodedata.normalize("NFKC", wanted[:1000]) if isinstance(wanted, str) else ""
    stem = _UNUSUAL.sub("-", text.strip().partition("@")[0]).strip("-")[: MAX_USERNAME_CHARS - 7].strip("-")
    for like in filter(None, (stem, NAMELESS)):
        yield like
        for number in range(2, MOST_NUMBERED + 1):
            yield f"{like}-{number}"
    for _ in range(TRIES):
        yield f"{NAMELESS}-{randbelow(900_000) + 100_000}"
