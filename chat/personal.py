"""What is kept of one person: all of it for them to take along, and the end of it.

Synchronous, and knowing nothing of requests, like ``chat.actions``.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, Literal

from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from chat import errors, log, site
from chat.audit import record
from chat.erasing import NOBODY, Traces, erase_in, names_of
from chat.events import timestamp
from chat.models import (
    ApiToken,
    AuditEntry,
    FormerGuest,
    HeldMessage,
    Invitation,
    Membership,
    Message,
    OutsideIdentity,
    Reaction,
    ReadMark,
    Report,
    Room,
    Sanction,
    User,
    ViewToken,
)
from chat.people import rooms_of
from chat.sentences import filled

PAGE = 500
FORMAT = 1

_NOT_ABOUT_PEOPLE = ("change", "invite", "revoke_invitation", "delete_room")  # what is their target is no name

Messages = Literal["delete", "anonymise"]

# Export ---------------------------------------------------------------------------------------------------


def export(user: User) -> Iterator[str]:
    """All that is kept of ``user``, as one JSON object in pieces. Between two of them nothing is held: each piece is
    asked for by itself, from whatever thread."""
    yield f'{{"format":{FORMAT},"account":{_json(_account(user))}'
    for name, pages in _sections(user):
        yield f',\n"{name}":['
        is_first = True
        for page in pages:
            if page:
                yield ("" if is_first else ",") + "\n" + ",\n".join(map(_json, page))
                is_first = False
        yield "]"
    yield "}\n"


def _account(user: User) -> dict[str, Any]:
    return {
        "name": user.username,
        "email": user.email,
        "joined": _at(user.date_joined),
        "last_login": _at(user.last_login),
        "language": user.language or None,
        "colour": user.hue,
        "ids": user.identity.ids,
    }


def _sections(user: User) -> Iterator[tuple[str, Iterator[list[dict[str, Any]]]]]:
    keys = user.identity.ids
    written = Traces(keys, user.pk, deletes=False).written()
    rooms = rooms_of(keys, user.pk)

    def in_rooms(found: QuerySet, columns: Callable[[Any], dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
        for room_id in rooms:
            yield from _pages(found.filter(room=room_id), columns)

    yield (
        "signs_in_with",
        _pages(
            OutsideIdentity.objects.filter(user=user),
            lambda each: {"issuer": each.issuer, "subject": each.subject, "at": _at(each.at)},
        ),
    )
    yield "memberships", _pages(Membership.objects.filter(user=user), lambda each: {"role": each.role}, room=True)
    yield (
        "read",
        _pages(ReadMark.objects.filter(user=user), lambda each: {"mid": each.mid, "at": _at(each.at)}, room=True),
    )
    yield "messages", in_rooms(Message.objects.filter(written, deleted_at=None).select_related("room"), _message)
    yield "held_messages", in_rooms(HeldMessage.objects.filter(written).select_related("room"), _held_message)
    yield (
        "reactions",
        _pages(
            Reaction.objects.filter(author_key__in=keys).select_related("message__room"),
            lambda each: {
                "room": each.message.room.slug,
                "mid": each.message_id,
                "reaction": each.reaction,
                "at": _at(each.at),
            },
        ),
    )
    yield "reports", _pages(Report.objects.filter(reporter_key__in=keys), _report, room=True)
    yield "sanctions", _pages(Sanction.objects.filter(subject__in=keys).select_related("room"), _sanction)
    yield (
        "tokens",
        _pages(
            ApiToken.objects.filter(created_by=user),
            lambda each: {
                "name": each.name,
                "scopes": each.scopes.split(),
                "at": _at(each.created_at),
                "until": _at(each.expires_at),
                "revoked": _at(each.revoked_at),
            },
            room=True,
        ),
    )
    yield (
        "view_tokens",
        _pages(
            ViewToken.objects.filter(created_by=user),
            lambda each: {
                "name": each.name,
                "at": _at(each.created_at),
                "until": _at(each.expires_at),
                "revoked": _at(each.revoked_at),
            },
            room=True,
        ),
    )
    yield (
        "invitations",
        _pages(
            Invitation.objects.filter(created_by=user),
            lambda each: {
                "role": each.role,
                "at": _at(each.created_at),
                "until": _at(each.expires_at),
                "uses": each.uses,
                "most_uses": each.most_uses,
                "revoked": _at(each.revoked_at),
            },
            room=True,
        ),
    )


def _pages(
    found: QuerySet, columns: Callable[[Any], dict[str, Any]], *, room: bool = False
) -> Iterator[list[dict[str, Any]]]:
    """``found`` by its primary key, PAGE at a time, each row as ``columns`` has it, with its room before that."""
    found = found.order_by("pk")
    if room:
        found = found.select_related("room")
    page = list(found[:PAGE])
    while page:
        yield [({"room": each.room.slug} if room else {}) | columns(each) for each in page]
        page = list(found.filter(pk__gt=page[-1].pk)[:PAGE])


def _message(message: Message) -> dict[str, Any]:
    return {
        "room": message.room.slug,
        "mid": message.mid,
        "at": _at(message.created_at),
        "edited": _at(message.edited_at),
        "hidden": _at(message.hidden_at),
        "name": message.author_name,
        "text": message.text,
        "reply_to": message.reply_to or None,
    }


def _held_message(held: HeldMessage) -> dict[str, Any]:
    return {
        "room": held.room.slug,
        "at": _at(held.created_at),
        "name": held.author_name,
        "text": held.text,
        "state": held.state,
    }


def _report(report: Report) -> dict[str, Any]:
    return {
        "mid": report.mid,
        "reason": report.reason,
        "note": report.note,
        "state": report.state,
        "at": _at(report.created_at),
    }


def _sanction(sanction: Sanction) -> dict[str, Any]:
    return {
        "room": sanction.room.slug if sanction.room else None,
        "kind": sanction.kind,
        "reason": sanction.reason,
        "at": _at(sanction.created_at),
        "until": _at(sanction.ends_at),
        "lifted": _at(sanction.lifted_at),
    }


def _at(moment: Any) -> str | None:
    return timestamp(moment) if moment else None


def _json(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False)


# Erasure --------------------------------------------------------------------------------------------------


def erase(user: User, messages: Messages) -> None:
    """Delete an account, and what it said as well ("delete"), or leave that with nobody's name ("anonymise").

    Begun again after an interruption, it goes on. Raises ``AccountOwns`` where a room would be left without an owner;
    then nothing was done.
    """
    keys = user.identity.ids
    traces = Traces(keys, user.pk, deletes=messages == "delete")
    rooms = rooms_of(keys, user.pk)
    names = names_of(rooms, traces)
    _close(user)
    while True:
        for room_id in rooms_of(keys, user.pk):
            erase_in(room_id, traces)
        with transaction.atomic():
            # What came in by a connection that had not heard yet.
            if Message.objects.filter(author=user).exists() or HeldMessage.objects.filter(author=user).exists():
                continue
            _erase_beside(keys, names, rooms)
            _unname_account(user)
            Invitation.objects.filter(created_by=user).delete()
            Sanction.objects.filter(by=user).update(by_name=NOBODY)
            AuditEntry.objects.filter(actor=user).update(actor_name=NOBODY)
            account = ContentType.objects.get_for_model(User)
            LogEntry.objects.filter(Q(user=user) | Q(content_type=account, object_id=str(user.pk))).delete()
            record(None, None, "erase", messages=messages)
            site.one_at_a_time()  # before the account: who enters something about it holds the site log already
            user.delete()
            return


def erase_guest(key: str, messages: Messages) -> None:
    """The same for a guest who has no account, by their key. Raises ``TargetInvalid`` where the key is none of a
    guest's, or of one who has an account by now: then that is to be erased."""
    if not key.startswith("g"):
        raise errors.TargetInvalid(_("That is no guest's key."))
    if FormerGuest.objects.filter(key=key).exists():
        raise errors.TargetInvalid(_("That guest has an account by now: erase the account."))
    traces = Traces((key,), None, deletes=messages == "delete")
    rooms = rooms_of(traces.keys)
    names = names_of(rooms, traces)
    for room_id in rooms:
        erase_in(room_id, traces)
    with transaction.atomic():
        _erase_beside(traces.keys, names, rooms)
        record(None, None, "erase", messages=messages)


def rooms_owned_alone(user: User) -> list[Room]:
    """Those that would be left without an owner."""
    owned = Membership.objects.filter(role=Membership.Role.OWNER)
    others = owned.exclude(user=user).values("room_id")
    mine = owned.filter(user=user, room__deleted_at=None).exclude(room_id__in=others)
    return [membership.room for membership in mine.select_related("room").order_by("room_id")]


def _close(user: User) -> None:
    """Nobody can be this account any more, and it belongs to no room."""
    with transaction.atomic():
        log.lock_together(list(Membership.objects.filter(user=user).values_list("room_id", flat=True)))
        alone = rooms_owned_alone(user)
        if alone:
            sentence = _("Make somebody else the owner of these rooms, or delete them first: %(rooms)s.")
            raise errors.AccountOwns(filled(sentence, rooms=", ".join(str(room) for room in alone)))
        Membership.objects.filter(user=user).delete()
        user.is_active = False
        user.email = user.first_name = user.last_name = ""
        user.set_unusable_password()
        user.save()  # the signal of which ends connections
    # They say whose they are in a form that no query can ask for.
    sessions = Session.objects.iterator(chunk_size=500)
    theirs = [each.pk for each in sessions if each.get_decoded().get(SESSION_KEY) == str(user.pk)]
    Session.objects.filter(pk__in=theirs).delete()


def _erase_beside(keys: tuple[str, ...], names: set[str], rooms: list[int]) -> None:
    """What is in no room's hands: sanctions that hold stay by their key, others go; names leave the record, but that of
    rooms where they never were: whoever is called the same there is somebody else."""
    against = Sanction.objects.filter(subject__in=keys)
    against.in_force().update(name=NOBODY)
    against.exclude(pk__in=against.in_force().values("pk")).delete()
    _unname(AuditEntry.objects.filter(Q(room__in=rooms) | Q(room=None), target__in=names))


def _unname_account(user: User) -> None:
    """What it is called is its own in every room; what it was called was, until it took the next name."""
    _unname(AuditEntry.objects.filter(target=user.username))
    renamed = AuditEntry.objects.filter(actor=user, action="rename").order_by("at", "pk")
    since = user.date_joined
    for name, at in renamed.values_list("actor_name", "at"):
        _unname(AuditEntry.objects.filter(target=name, at__range=(since, at)))
        since = at


def _unname(entries: QuerySet[AuditEntry]) -> None:
    entries.filter(mid="").exclude(action__in=_NOT_ABOUT_PEOPLE).update(target=NOBODY)
