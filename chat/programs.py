"""What a room's owner decides about programs: which may act in the room, and which are told of its messages.

Synchronous, like ``chat.governing``. Every action is one transaction, under the room's lock, and in the audit log. A
secret is returned once; nobody can read it again.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import errors, log, outbound, policies, webhooks
from chat.audit import record
from chat.events import timestamp
from chat.identity import Identity
from chat.lookalike import skeleton
from chat.models import ApiToken, Membership, Room, Webhook
from chat.screening import check_name, rules_in
from chat.sentences import counted, filled
from chat.text import clean_name
from chat.tokens import SECRET_BYTES, hash_of, new_secret, used

SCOPES = ("read", "post", "delete")
PREFIX = "engawa_"  # by which a token is recognised where it should not be


# Programs that call us --------------------------------------------------------------------------------------


def create_token(
    actor: Identity, room_id: int, name: object, scopes: Iterable[str], expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """Let a program act in a room as the bot ``name``. Returns the token and its secret.

    ``scopes`` are some of SCOPES: to read, to post (and change what it posted), to delete anybody's messages. Raises
    ``NameInvalid``, ``NameReserved``, ``NameTaken``, ``SettingInvalid``, ``TooManyItems`` (settings.MAX_TOKENS in
    force), ``RoomNotFound``, ``NotAllowed``.
    """
    name = clean_name(name)
    wanted = set(scopes)
    if not wanted or not wanted <= set(SCOPES):
        raise errors.SettingInvalid(filled(_("A program may do some of these: %(scopes)s."), scopes=", ".join(SCOPES)))
    if expires_at is not None and expires_at <= timezone.now():
        raise errors.SettingInvalid(_("A token is good until a moment to come."))
    with transaction.atomic():
        room = _owned(actor, room_id)
        check_name(name, rules_in(room))
        _require_own_look(room, name)
        if ApiToken.objects.in_force().filter(room=room).count() >= settings.MAX_TOKENS:
            raise errors.TooManyItems(
                counted(
                    "A room has at most %(count)s token; revoke it first.",
                    "A room has at most %(count)s tokens; revoke one first.",
                    settings.MAX_TOKENS,
                )
            )
        secret = new_secret(PREFIX)
        token = ApiToken.objects.create(
            room=room,
            name=name,
            token_hash=secret.hash,
            hint=secret.hint,
            scopes=" ".join(scope for scope in SCOPES if scope in wanted),
            created_by_id=actor.user_id,
            expires_at=expires_at,
        )
        until = expires_at and timestamp(expires_at)
        record(room, actor, "create_token", name, token=token.pk, scopes=token.scopes, until=until)
    return token, secret.text


def revoke_token(actor: Identity, room_id: int, token_id: int) -> None:
    """Have a token be good for nothing from now on. Twice is once. Raises ``TargetInvalid``."""
    with transaction.atomic():
        room = _owned(actor, room_id)
        token = ApiToken.objects.filter(room=room, pk=token_id).first()
        if token is None:
            raise errors.TargetInvalid(_("There is no such token here."))
        if token.revoked_at is None:
            token.revoked_at = timezone.now()
            token.save(update_fields=["revoked_at"])
            record(room, actor, "revoke_token", token.name, token=token.pk)


def bot_of(secret: str) -> Identity:
    """Who comes with this token. Raises ``TokenInvalid``."""
    token = ApiToken.objects.in_force().filter(token_hash=hash_of(secret)).first()
    if token is None:
        raise errors.TokenInvalid()
    used(token)
    return token.identity


def _require_own_look(room: Room, name: str) -> None:
    """Raise ``NameTaken`` where a program of that name would be taken for a member, or for another program."""
    look = skeleton(name)[:300]
    members = Membership.objects.filter(room=room, user__skeleton=look)
    programs = ApiToken.objects.in_force().filter(room=room).values_list("name", flat=True)
    if members.exists() or look in {skeleton(other)[:300] for other in programs}:
        raise errors.NameTaken()


# Programs that we call --------------------------------------------------------------------------------------


def create_webhook(actor: Identity, room_id: int, url: object) -> tuple[Webhook, str]:
    """Have the messages of a room told to ``url`` from now on. Returns the webhook and the secret that its requests
    are signed with. Raises ``WebhookInvalid``, ``TooManyItems`` (settings.MAX_WEBHOOKS)."""
    url = outbound.check_url(url)
    with transaction.atomic():
        room = _owned(actor, room_id)
        if Webhook.objects.filter(room=room).count() >= settings.MAX_WEBHOOKS:
            raise errors.TooManyItems(
                counted(
                    "A room has at most %(count)s webhook; remove it first.",
                    "A room has at most %(count)s webhooks; remove one first.",
                    settings.MAX_WEBHOOKS,
                )
            )
        secret = secrets.token_urlsafe(SECRET_BYTES)
        webhook = Webhook.objects.create(
            room=room, url=url, secret=secret, created_by_id=actor.user_id, position=room.head
        )
        _record_webhook(room, actor, "create_webhook", webhook)
    return webhook, secret


def remove_webhook(actor: Identity, room_id: int, webhook_id: int) -> None:
    """Raises ``TargetInvalid`` where there is none."""
    with transaction.atomic():
        room, webhook = _webhook(actor, room_id, webhook_id)
        _record_webhook(room, actor, "remove_webhook", webhook)
        webhook.delete()


def enable_webhook(actor: Identity, room_id: int, webhook_id: int) -> None:
    """Turn a webhook on again. It goes on where it was, if the log still can. Raises ``TargetInvalid``."""
    with transaction.atomic():
        room, webhook = _webhook(actor, room_id, webhook_id)
        if webhook.disabled_at is None:
            return
        now = timezone.now()
        Webhook.objects.filter(pk=webhook.pk).update(disabled_at=None, failures=0, next_at=now, claimed_until=None)
        _record_webhook(room, actor, "enable_webhook", webhook)


def _record_webhook(room: Room, actor: Identity, action: str, webhook: Webhook) -> None:
    record(room, actor, action, outbound.origin_of(webhook.url), webhook=webhook.pk)
    transaction.on_commit(webhooks.changed)


def _webhook(actor: Identity, room_id: int, webhook_id: int) -> tuple[Room, Webhook]:
    room = _owned(actor, room_id)
    webhook = Webhook.objects.filter(room=room, pk=webhook_id).first()
    if webhook is None:
        raise errors.TargetInvalid(_("There is no such webhook here."))
    return room, webhook


def _owned(actor: Identity, room_id: int) -> Room:
    room = log.lock_if_there(room_id)
    policies.require_owner(room, actor)
    return room
