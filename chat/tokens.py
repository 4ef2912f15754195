"""The secrets of tokens: made, hashed, recognised. What a token is good for, ``programs`` and ``viewing`` say."""

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple

from django.utils import timezone

from chat.models.programs import Token

HINT_CHARS = 6
SECRET_BYTES = 32
USED = timedelta(minutes=1)  # how exactly it is known when a token was last used


class Secret(NamedTuple):
    """``text`` is for whom it is made, and is kept nowhere."""

    text: str
    hash: str
    hint: str


def new_secret(prefix: str) -> Secret:
    """A secret that begins with ``prefix``, by which it is recognised where it should not be."""
    random = secrets.token_urlsafe(SECRET_BYTES)
    return Secret(prefix + random, hash_of(prefix + random), random[:HINT_CHARS])


def hash_of(secret: str) -> str:
    # 256 random bits need no slow hash: nobody tries them all.
    return sha256(secret.encode(errors="replace")).hexdigest()


def used(token: Token) -> None:
    """Put down that ``token`` was used just now, where that is not known yet."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at >= USED:
        type(token).objects.filter(pk=token.pk).update(last_used_at=now)
