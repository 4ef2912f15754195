"""Every action, every role, every setting of a room: allowed, or the exact code of the refusal. No door is missing."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.utils import timezone

from chat import actions, doorway, governing, moderation, posting, review, viewing
from chat.answers import Held
from chat.commands import COMMANDS
from chat.errors import ChatError
from chat.identity import Grant, Identity, new_guest
from chat.models import ApiToken, HeldMessage, Membership, Message, Report, Room, Sanction, User
from tests.access import ACTORS, CHANGES, GRANTED, PUBLIC, ROLES, VIEWERS, expected

pytestmark = pytest.mark.django_db
WORD = "see https://example.org plugh"


def make_people(room: Room) -> dict[str, Identity | None]:
    names = ("olga", "mod", "mio", "sven", "otto", "bert", "nora")
    users = {name: User.objects.create_user(name) for name in names}
    who = {name: user.identity for name, user in users.items()}
    other, _ = actions.create_room(who["olga"], "Elsewhere")
    for place, name, role in [
        (room, "olga", "owner"),
        (room, "mod", "moderator"),
        (room, "mio", "member"),
        (other, "otto", "moderator"),
    ]:
        Membership.objects.create(room=place, user=users[name], role=role)

    def bot(place: Room, scopes: str) -> Identity:
        return ApiToken.objects.create(room=place, name="Bot", token_hash=uuid.uuid4().hex, scopes=scopes).identity

    return {
        "owner": who["olga"],
        "moderator": who["mod"],
        "member": who["mio"],
        "account": who["sven"],
        "guest": new_guest("Gil"),
        "other_moderator": who["otto"],
        "muted": new_guest("Mute"),
        "banned_account": who["bert"],
        "banned_guest": new_guest("Bea"),
        "banned_network": replace(who["nora"], network="b" * 32),
        "token": bot(room, "read post delete"),
        "reading_token": bot(room, "read"),
        "other_token": bot(other, "read post delete"),
        **dict.fromkeys((*VIEWERS, *GRANTED)),
    }


def make_world(setting: str, settings) -> SimpleNamespace:
    """A room in which everybody said something before anybody was muted, banned or kept out; then it is set up."""
    room = Room.objects.create(slug="veranda", title="Veranda")
    people = make_people(room)
    if setting == "sealed":
        Room.objects.filter(pk=room.pk).update(visibility="private")
        room.refresh_from_db()
    own = {role: said(room, people[role], role) for role in ACTORS}
    victim, hidden, pinned = new_guest("Victor", network="v" * 32), new_guest("Hidden"), new_guest("Pinned")
    world = SimpleNamespace(room=room, people=people, own=own, setting=setting)
    world.theirs, world.hidden, world.pinned = (said(room, each, "!").mid for each in (victim, hidden, pinned))
    moderation.hide(people["owner"], room.pk, world.hidden)
    if setting != "sealed":
        moderation.pin(people["owner"], room.pk, world.pinned)
    world.report = review.report(people["owner"], "", room.pk, world.theirs, "spam").pk
    world.held = HeldMessage.objects.create(
        room=room, author_key="gx", author_name="X", author_kind="guest", author_role="none", key=uuid.uuid4(),
        text="may I?", caught_by="links",
    ).pk  # fmt: skip
    world.sanction = moderation.mute(people["owner"], room.pk, said(room, new_guest("Noisy"), "x").mid, 60).pk
    moderation.mute(people["owner"], room.pk, own["muted"].mid, 600)
    moderation.ban(people["owner"], room.pk, own["banned_account"].mid)
    moderation.ban(people["owner"], room.pk, own["banned_guest"].mid)
    moderation.ban(people["owner"], room.pk, own["banned_network"].mid, "network")
    here, there = (granted(people["owner"], place) for place in (room, Room.objects.get(slug="elsewhere")))
    world.grants = {"token_viewer": here, "banned_token_viewer": here, "other_token_viewer": there}
    set_up(room, setting, settings)
    return world


def granted(owner: Identity, place: Room) -> Grant:
    return viewing.grant_of(viewing.create_view_token(owner, place.pk, "Page", timezone.now() + timedelta(days=1))[1])


def said(room: Room, actor: Identity, text: str) -> Message:
    """A message of theirs, whoever they are."""
    mid = posting.post(people_owner(room), room.pk, text).mid
    Message.objects.filter(mid=mid).update(
        author_id=actor.user_id, author_key=actor.key, author_name=actor.name, author_kind=actor.kind,
        network=actor.network,
    )  # fmt: skip
    return Message.objects.get(mid=mid)


def people_owner(room: Room) -> Identity:
    return Membership.objects.get(room=room, role="owner").user.identity


def set_up(room: Room, setting: str, settings) -> None:
    owner = people_owner(room)
    change = {
        "unlisted": {"visibility": "unlisted"},
        "private": {"visibility": "private"},
        "sealed": {"visibility": "public"},
        "posting_signed_in": {"posting": "signed-in"},
        "posting_members": {"posting": "members"},
        "posting_moderators": {"posting": "moderators"},
        "account_age": {"account_age_hours": 24},
        "slow_mode": {"slow_seconds": 60},
        "approval_guests": {"approval": "guests"},
        "approval_newcomers": {"approval": "newcomers"},
        "blocked_words": {"blocked_words": "plugh"},
        "held_words": {"blocked_words": "plugh", "on_words": "hold"},
        "links_held": {"on_links": "hold"},
        "shows_names": {"shows_names": True},
        "retention": {"retention_days": 30},
        "language": {"language": "ja"},
        "indexed": {"is_indexed": True},
        "embed_origins": {"embed_origins": "https://example.org"},
    }.get(setting)
    if change:
        governing.change_room(owner, room.pk, change)
    elif setting == "archived":
        governing.archive(owner, room.pk)
    elif setting == "deleted":
        governing.delete_room(owner, room.pk)
    elif setting == "edit_window":
        settings.EDIT_MINUTES = 60
        Message.objects.update(created_at=timezone.now() - timedelta(minutes=61))
    else:
        assert setting == "public"


def answer(act: Callable[[], object]) -> str:
    try:
        return "held" if isinstance(act(), Held) else "ok"
    except ChatError as error:
        return error.code


def act(world: SimpleNamespace, action: str, role: str) -> object:
    """Do it, as the domain does it for every transport."""
    room_id, actor = world.room.pk, world.people[role]
    network = "b" * 32 if role in ("banned_viewer", "banned_token_viewer") else ""
    grant = world.grants.get(role)
    own = world.own[role].mid if role in world.own else None
    frame = {
        "edit_own": ("edit", {"mid": own, "message": WORD}),
        "edit_others": ("edit", {"mid": world.theirs, "message": "mine now"}),
        "delete_own": ("delete", {"mid": own}),
        "delete_others": ("delete", {"mid": world.theirs}),
        "react": ("react", {"mid": world.theirs, "reaction": "👍"}),
        "unreact": ("unreact", {"mid": world.theirs, "reaction": "👍"}),
        "seen": ("seen", {"mid": world.theirs}),
        "pin": ("pin", {"mid": world.theirs}),
        "unpin": ("unpin", {"mid": world.pinned}),
        "hide": ("hide", {"mid": world.theirs}),
        "hide_owners": ("hide", {"mid": world.own["owner"].mid}),
        "delete_owners": ("delete", {"mid": world.own["owner"].mid}),
        "unhide": ("unhide", {"mid": world.hidden}),
        "delete_hidden": ("delete_hidden", {"mid": world.hidden}),
        "delete_recent": ("delete_recent", {"mid": world.theirs}),
        "mute": ("mute", {"mid": world.theirs, "seconds": 60}),
        "mute_member": ("mute", {"mid": world.own["member"].mid, "seconds": 60}),
        "mute_moderator": ("mute", {"mid": world.own["moderator"].mid, "seconds": 60}),
        "mute_owner": ("mute", {"mid": world.own["owner"].mid, "seconds": 60}),
        "ban": ("ban", {"mid": world.theirs}),
        "ban_network": ("ban", {"mid": world.theirs, "target": "network", "seconds": 3600}),
        "ban_moderator": ("ban", {"mid": world.own["moderator"].mid}),
        "lift": ("lift", {"sanction": world.sanction}),
        "approve": ("approve", {"held": world.held}),
        "reject": ("reject", {"held": world.held}),
        "handle_report": ("handle_report", {"report": world.report, "state": "resolved"}),
    }.get(action)
    if frame is not None:
        name, content = frame
        return COMMANDS[name].run(actor, room_id, content)
    match action:
        case "enter":
            return doorway.enter(room_id, actor, network, None, grant)
        case "read_history":
            return doorway.enter(room_id, actor, network, 10, grant)
        case "post" | "reply":
            # Slow mode is about the second one.
            if world.setting == "slow_mode":
                answer(lambda: posting.post(actor, room_id, WORD))
            return posting.post(actor, room_id, WORD, reply_to=world.pinned if action == "reply" else None)
        case "report":
            return review.report(actor, network, room_id, world.own["member"].mid, "abuse")
        case "change_room":
            return governing.change_room(actor, room_id, {"topic": "Tea"})
        case "archive":
            return governing.archive(actor, room_id)
        case "reopen":
            return governing.reopen(actor, room_id)
        case "delete_room":
            return governing.delete_room(actor, room_id)
        case "set_role":
            return governing.set_role(actor, room_id, "sven", "member")
        case "create_view_token":
            return viewing.create_view_token(actor, room_id, "Page", timezone.now() + timedelta(days=1))
        case "revoke_view_token":
            return viewing.revoke_view_token(actor, room_id, world.grants["token_viewer"].token_id)
    raise AssertionError(action)


@pytest.mark.parametrize("setting", CHANGES)
def test_everybody_may_do_what_the_table_says_and_nothing_else(setting: str, settings) -> None:
    world = make_world(setting, settings)
    wrong = []
    asked = 0
    for action in PUBLIC:
        for role in ROLES:
            wanted = expected(setting, action, role)
            if wanted is None:
                continue
            asked += 1
            with transaction.atomic():
                got = answer(lambda action=action, role=role: act(world, action, role))
                transaction.set_rollback(True)
            if got != wanted:
                wrong.append(f"{action} as {role}: {got}, not {wanted}")
    assert wrong == []
    assert asked > 400


def test_no_command_is_missing_from_the_table() -> None:
    tried = {"edit_own": "edit", "delete_own": "delete"}
    assert {tried.get(action, action) for action in PUBLIC} >= set(COMMANDS)


def test_no_setting_is_missing_from_the_table() -> None:
    """Each that decides something is in the table; the others are there to show that they decide nothing."""
    of_the_room = {
        "visibility": {"unlisted", "private", "sealed"},
        "posting": {"posting_signed_in", "posting_members", "posting_moderators"},
        "approval": {"approval_guests", "approval_newcomers"},
        "slow_seconds": {"slow_mode"},
        "account_age_hours": {"account_age"},
        "shows_names": {"shows_names"},
        "is_indexed": {"indexed"},
        "retention_days": {"retention"},
        "embed_origins": {"embed_origins"},
        "language": {"language"},
        "blocked_words": {"blocked_words"},
        "on_words": {"held_words"},
        "on_links": {"links_held"},
    }
    nothing_to_do_with_access = {
        "title",
        "topic",
        "shows_typing",
        "on_repeats",
        "on_shouting",
    }  # the last two: tests/unit/test_screening
    assert set(of_the_room) | nothing_to_do_with_access == set(governing.SETTINGS)
    assert set().union(*of_the_room.values()) <= set(CHANGES)


def test_every_value_that_decides_is_tried() -> None:
    for field, values in [
        ("visibility", {"public", "unlisted", "private"}),
        ("posting", {"everyone", "signed-in", "members", "moderators"}),
        ("approval", {"nobody", "guests", "newcomers"}),
    ]:
        assert {value for value, _ in Room._meta.get_field(field).choices} == values
    assert {value for value, _ in Sanction._meta.get_field("target").choices} == {"account", "guest", "network"}
    assert Report.State.values == ["open", "resolved", "dismissed"]
