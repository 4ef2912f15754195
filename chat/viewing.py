"""View tokens: what lets somebody read a private room who is no member of it, from another page or a program.

Synchronous, like ``chat.programs``. A token is for one room and for reading, and it ends. Where no header can be sent,
as by a browser's ``EventSource``, a *ticket* made from it goes into the address: good for connecting only, and for
settings.VIEW_TICKET_SECONDS.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from time import time

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import errors, log, policies, site
from chat.audit import record
from chat.events import timestamp
from chat.identity import Grant, Identity
from chat.models import Room, ViewToken
from chat.sentences import Sentence, counted
from chat.text import clean_name
from chat.tokens import hash_of, new_secret, used

PREFIX = "engawa_view_"  # by which a token is recognised where it should not be
MAX_DAYS = 366
_SALT = "engawa.view"


def create_view_token(actor: Identity, room_id: int, name: object, expires_at: datetime) -> tuple[ViewToken, str]:
    """Let whoever has the secret read a room until ``expires_at``. Returns the token and its secret.

    ``name`` says to the room's owner whom it was given to. Raises ``NameInvalid``, ``SettingInvalid``,
    ``TooManyItems`` (settings.MAX_VIEW_TOKENS in force), ``RoomNotFound``, ``NotAllowed``.
    """
    name = clean_name(name)
    if not timezone.now() < expires_at <= timezone.now() + timedelta(days=MAX_DAYS):
        raise errors.SettingInvalid(too_long())
    with transaction.atomic():
        room = _owned(actor, room_id)
        if room.view_tokens.in_force().count() >= settings.MAX_VIEW_TOKENS:
            raise errors.TooManyItems(
                counted(
                    "A room has at most %(count)s view token; revoke it first.",
                    "A room has at most %(count)s view tokens; revoke one first.",
                    settings.MAX_VIEW_TOKENS,
                )
            )
        secret = new_secret(PREFIX)
        token = ViewToken.objects.create(
            room=room,
            name=name,
            token_hash=secret.hash,
            hint=secret.hint,
            created_by_id=actor.user_id,
            expires_at=expires_at,
        )
        record(room, actor, "create_view_token", name, token=token.pk, until=timestamp(expires_at))
    return token, secret.text


def revoke_view_token(actor: Identity, room_id: int, token_id: int) -> None:
    """Have a token be good for nothing from now on: who reads by it is let go. Twice is once. Raises
    ``TargetInvalid``."""
    with transaction.atomic():
        room = _owned(actor, room_id)
        token = room.view_tokens.filter(pk=token_id).first()
        if token is None:
            raise errors.TargetInvalid(_("There is no such token here."))
        if token.revoked_at is None:
            token.revoked_at = timezone.now()
            token.save(update_fields=["revoked_at"])
            record(room, actor, "revoke_view_token", token.name, token=token.pk)
            site.room_changed(room.pk)


def grant_of(secret: str) -> Grant:
    """What this token gives. Raises ``TokenInvalid``."""
    token = ViewToken.objects.in_force().filter(token_hash=hash_of(secret)).first()
    if token is None:
        raise errors.TokenInvalid()
    used(token)
    return Grant(token.pk, token.room_id, token.expires_at.timestamp())


def ticket_of(grant: Grant) -> tuple[str, int]:
    """A ticket made from a grant, and how many seconds it is good for connecting."""
    now = time()
    ends_at = min(now + settings.VIEW_TICKET_SECONDS, grant.ends_at)
    return signing.dumps([grant.token_id, grant.room_id, grant.ends_at, ends_at], salt=_SALT), int(ends_at - now)


def grant_of_ticket(ticket: str) -> Grant:
    """What the token gives that a ticket was made from. Without the database: whether the token is still in force is
    asked on entering. Raises ``TokenInvalid``."""
    try:
        token_id, room_id, ends_at, ticket_ends_at = signing.loads(ticket, salt=_SALT)
    except (signing.BadSignature, UnicodeEncodeError):
        raise errors.TokenInvalid(_("That ticket is not one of ours.")) from None
    if ticket_ends_at <= time():
        raise errors.TokenInvalid(_("That ticket is over: make another from the token."))
    return Grant(token_id, room_id, ends_at)


def in_force(grants: Collection[Grant]) -> set[Grant]:
    """Those of ``grants`` whose tokens are neither revoked nor over."""
    if not grants:
        return set()
    asked = {grant.token_id for grant in grants}
    found = set(ViewToken.objects.in_force().filter(pk__in=asked).values_list("pk", flat=True))
    return {grant for grant in grants if grant.token_id in found}


def require_in_force(grant: Grant | None) -> None:
    """Raise ``TokenInvalid`` where the token was revoked or is over that ``grant`` came from."""
    if grant is not None and not in_force({grant}):
        raise errors.TokenInvalid()


def too_long() -> Sentence:
    """What is wrong with a token that is to be good for longer than MAX_DAYS."""
    return counted(
        "A view token is good for %(count)s day at most.", "A view token is good for %(count)s days at most.", MAX_DAYS
    )


def _owned(actor: Identity, room_id: int) -> Room:
    room = log.lock_if_there(room_id)
    policies.require_owner(room, actor)
    return room
