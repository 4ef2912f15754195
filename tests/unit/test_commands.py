"""What operators script: each command does what it says, says what is wrong, and can be run again."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat import actions, addresses, errors, export, governing, moderation, posting
from chat.identity import new_guest
from chat.models import AuditEntry, Event, Membership, Message, Room, Sanction, SiteEvent, User
from chat.standing import standing_in

pytestmark = pytest.mark.django_db
OURS = sorted(name for name, app in get_commands().items() if app == "chat.apps.ChatConfig" or app == "chat")


def run(*words: str) -> str:
    said = StringIO()
    call_command(*words, stdout=said, stderr=StringIO())
    return said.getvalue().strip()


def test_every_command_says_what_it_is_for() -> None:
    assert {"ban", "create_room", "erase", "export_room", "prune", "set_role"} <= set(OURS)
    for name in OURS:
        assert len(load_command_class("chat", name).create_parser("manage.py", name).description) > 30, name


def test_a_room_is_made_once_and_has_an_owner(cast, settings) -> None:
    settings.ROOM_CREATION = "signed-in"  # which concerns people, not who runs the site
    words = ("create_room", "The Garden", "--visibility", "unlisted", "--posting", "members", "--owner", "sven")
    assert run(*words) == run(*words) == "the-garden"
    room = Room.objects.get(slug="the-garden")
    assert (room.title, room.visibility, room.posting) == ("The Garden", "unlisted", "members")
    assert standing_in(room, cast.sven).role == "owner"
    assert run("create_room", "Nobody's") == "nobody-s"
    assert AuditEntry.objects.filter(action="create_room", actor_name="the site").count() == 2


def test_a_private_room_has_an_owner_and_an_address_of_its_own(cast) -> None:
    with pytest.raises(CommandError, match="name one"):
        run("create_room", "Secret", "--visibility", "private")
    slugs = {run("create_room", "Secret", "--visibility", "private", "--owner", "sven") for _ in range(2)}
    assert len(slugs) == 2
    assert all(slug.startswith("secret-") and len(slug) > 15 for slug in slugs)


def test_a_deleted_room_is_not_made_again(cast) -> None:
    assert run("delete_room", "veranda", "--yes") == "veranda is deleted."
    with pytest.raises(CommandError):
        run("create_room", "Veranda")


def test_roles_are_given_and_taken(cast) -> None:
    run("set_role", "veranda", "sven", "moderator")
    assert standing_in(cast.room, cast.sven).role == "moderator"
    run("set_role", "VERANDA", "sven", "none")
    run("set_role", "veranda", "sven", "none")
    assert not Membership.objects.filter(user=cast.users.sven).exists()
    with pytest.raises(CommandError, match="keeps an owner"):
        run("set_role", "veranda", "olga", "none")
    assert AuditEntry.objects.filter(action="role", target="sven", actor_name="the site").count() == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("set_role", "nowhere", "sven", "member"), "there is no room nowhere"),
        (("set_role", "veranda", "nobody", "member"), "there is no account nobody"),
        (("set_role", "veranda", "sven", "king"), "invalid choice"),
        (("ban", "veranda"), "one of the arguments --user --guest --network is required"),
        (("ban", "--user", "sven"), "one of the arguments"),
        (("ban", "veranda", "--user", "sven", "--for", "ages"), "a number and a unit"),
        (("ban", "veranda", "--user", "sven", "--for", "999999w"), "ten years"),
        (("ban", "veranda", "--guest", "u7"), "begins with g"),
        (("ban", "veranda", "--network", "127.0.0.1"), "this machine"),
        (("mute", "veranda", "--network", "localhost"), "Nobody can be known"),
        (("export_room", "nowhere"), "there is no room nowhere"),
        (("archive_room", ""), "there is no room"),
        (("export_person", "nobody"), "there is no account nobody"),
        (("erase", "nobody", "--messages", "delete", "--yes"), "there is no account nobody"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(cast, words: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run(*words)
    assert not Sanction.objects.exists()


def test_an_account_is_banned_for_a_while_and_let_in_again(cast) -> None:
    assert run("ban", "veranda", "--user", "sven", "--for", "2h", "--reason", "spam").startswith("sven is banned in")
    standing = standing_in(cast.room, cast.sven)
    assert 7100 < (standing.ban.ends_at - Sanction.objects.get().created_at).total_seconds() <= 7200
    run("ban", "veranda", "--user", "sven")  # a new word takes the place of an older one
    assert standing_in(cast.room, cast.sven).ban.ends_at is None
    assert Sanction.objects.in_force().count() == 1
    assert run("unban", "veranda", "--user", "sven") == "sven: 1 lifted."
    assert run("unban", "veranda", "--user", "sven") == "sven: nothing lifted."
    assert standing_in(cast.room, cast.sven).ban is None
    said = AuditEntry.objects.order_by("pk").values_list("room__slug", "actor_name", "action", "reason")
    assert list(said) == [
        ("veranda", "the site", "ban", "spam"),
        ("veranda", "the site", "ban", ""),
        ("veranda", "the site", "unban", ""),
    ]
    assert SiteEvent.objects.filter(kind="room", subject=cast.room.pk).count() >= 3


def test_a_guest_is_muted_everywhere_and_who_comes_after_them_from_there(cast) -> None:
    network = addresses.network_of({"client": ("203.0.113.7", 1), "headers": []})
    gil = new_guest("Gil", network)
    posting.post(gil, cast.room.pk, "here I am")
    run("mute", "--everywhere", "--guest", gil.key)
    other = Room.objects.create(slug="other", title="Other")
    for room in (cast.room, other):
        for guest in (gil, new_guest("Gus", network)):
            with pytest.raises(errors.Muted):
                posting.post(guest, room.pk, "still here")
    assert run("unmute", "--everywhere", "--guest", gil.key) == "Gil: 1 lifted."
    posting.post(gil, other.pk, "again")


def test_a_network_is_banned_by_an_address_and_members_from_there_are_not(cast) -> None:
    run("ban", "--everywhere", "--network", "2001:db8:1:2::7", "--for", "3d")
    network = addresses.network_of({"client": ("2001:db8:1:2:ffff::1", 1), "headers": []})
    with pytest.raises(errors.Banned):
        posting.post(new_guest("Gus", network), cast.room.pk, "x")
    posting.post(cast.users.mio.identity, cast.room.pk, "a member")
    assert "2001" not in str(list(Sanction.objects.values()) + list(AuditEntry.objects.values()))
    assert run("unban", "--everywhere", "--network", "2001:db8:1:2::9") == "a network: 1 lifted."


def test_a_room_is_archived_reopened_and_deleted(cast, monkeypatch) -> None:
    for _ in range(2):
        run("archive_room", "veranda")
    with pytest.raises(errors.RoomArchived):
        posting.post(cast.gil, cast.room.pk, "late")
    run("archive_room", "veranda", "--reopen")
    posting.post(cast.gil, cast.room.pk, "in time")
    types = Event.objects.filter(room=cast.room).values_list("type", flat=True)
    assert list(types) == ["room.archived", "room.reopened", "message"]
    monkeypatch.setattr("builtins.input", lambda question: "no")
    with pytest.raises(CommandError, match="nothing was done"):
        run("delete_room", "veranda")
    monkeypatch.setattr("builtins.input", lambda question: "yes")
    run("delete_room", "veranda")
    assert not Message.objects.exists()
    with pytest.raises(CommandError, match="there is no room"):
        run("delete_room", "veranda", "--yes")


def test_an_export_has_what_stands_and_nothing_else(cast, monkeypatch) -> None:
    monkeypatch.setattr(export, "AT_ONCE", 2)
    for number in range(5):
        posting.post(cast.gil, cast.room.pk, f"stands {number}")
    deleted = posting.post(cast.gil, cast.room.pk, "deleted")
    hidden = posting.post(cast.gil, cast.room.pk, "hidden")
    actions.delete(cast.gil, cast.room.pk, deleted.mid)
    moderation.hide(cast.olga, cast.room.pk, hidden.mid)
    governing.change_room(None, cast.room.pk, {"approval": "guests"})
    posting.post(cast.gil, cast.room.pk, "held")
    run("archive_room", "veranda")
    lines = [json.loads(line) for line in run("export_room", "veranda").splitlines()]
    assert [line["type"] for line in lines] == ["room"] + ["message"] * 5
    assert lines[0]["archived"] is True
    assert [line["message"] for line in lines[1:]] == [f"stands {number}" for number in range(5)]
    audited = [json.loads(line) for line in run("export_room", "veranda", "--audit").splitlines()]
    assert audited[:6] == lines
    assert [line["action"] for line in audited[6:]] == ["hide", "change", "archive"]


def test_an_export_holds_a_page_at_a_time(cast, monkeypatch) -> None:
    monkeypatch.setattr(export, "AT_ONCE", 3)
    for number in range(9):
        posting.post(cast.gil, cast.room.pk, f"{number}")
    lines = export.room_lines(cast.room)
    with CaptureQueriesContext(connection) as queries:
        assert [next(lines) for _ in range(4)]
    assert len(queries) == 1  # nothing beyond what was asked for


def test_a_person_is_written_down(cast) -> None:
    posting.post(cast.sven, cast.room.pk, "mine")
    posting.post(cast.gil, cast.room.pk, "somebody else's")
    written = run("export_person", "sven")
    assert json.loads(written)["account"]["name"] == "sven"
    assert "mine" in written
    assert "somebody else" not in written


def test_a_person_is_erased_after_a_question(cast, monkeypatch) -> None:
    for author in (cast.sven, cast.gil, cast.mio):
        posting.post(author, cast.room.pk, f"said by {author.name}")
    monkeypatch.setattr("builtins.input", lambda question: "")
    with pytest.raises(CommandError, match="nothing was done"):
        run("erase", "sven", "--messages", "delete")
    assert User.objects.filter(username="sven").exists()
    run("erase", "sven", "--messages", "anonymise", "--yes")
    run("erase", "--guest", cast.gil.key, "--messages", "delete", "--yes")
    assert not User.objects.filter(username="sven").exists()
    left = dict(Message.objects.visible().values_list("text", "author_name"))
    assert set(left) == {"said by sven", "said by mio"}
    assert left["said by sven"] != "sven"
    with pytest.raises(CommandError, match="Make somebody else the owner"):
        run("erase", "olga", "--messages", "delete", "--yes")
    for wrong in (("erase", "mio", "--yes"), ("erase", "--messages", "delete"), ("erase", "mio", "--guest", "gabc")):
        with pytest.raises(CommandError):
            run(*wrong)
