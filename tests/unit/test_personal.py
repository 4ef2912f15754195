"""What is kept of a person: all of it for them, and none of it once they are gone."""

import base64
import json
import zlib
from collections.abc import Iterator
from dataclasses import replace

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.db import connection
from django.test import AsyncClient, Client

from chat import (
    actions,
    database,
    errors,
    events,
    governing,
    invitations,
    log,
    moderation,
    people,
    personal,
    posting,
    review,
)
from chat.identity import guest_token, new_guest
from chat.models import (
    AuditEntry,
    Event,
    FormerGuest,
    HeldMessage,
    Membership,
    Message,
    Participant,
    Reaction,
    Report,
    Room,
    Sanction,
    SiteEvent,
    User,
)

pytestmark = pytest.mark.django_db
PASSWORD = "a long password"
# Words that nobody else says: who they are and were called, where they are written to, and what they said.
NAME, GUEST_NAME, EMAIL = "Quetzalcoatl", "Xolotlgast", "quetzal@nahua.example"
WORDS = ("xyzzy", "plugh", "frotz", "gnusto", "rezrov")
NETWORK = "5e" * 16


def every_value() -> Iterator[str]:
    """All that any table holds, sessions unpacked."""
    for model in apps.get_models():
        for row in model.objects.values():
            for value in row.values():
                yield f"{model.__name__}: {value}"
                if model.__name__ == "Session" and isinstance(value, str) and value.startswith("."):
                    packed = value[1:].partition(":")[0]
                    yield zlib.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))).decode()


def found(*words: str) -> list[str]:
    return [value for value in every_value() if any(word.casefold() in value.casefold() for word in words)]


@pytest.fixture
def person(cast) -> User:
    """Somebody who has left traces of every kind, before they signed up and after."""
    guest = replace(new_guest(GUEST_NAME), network=NETWORK)
    room = cast.room
    posting.post(guest, room.pk, "xyzzy")
    gone = posting.post(guest, room.pk, "gone already").mid
    actions.delete(guest, room.pk, gone)
    user = User(username=NAME, email=EMAIL)
    user.set_password(PASSWORD)
    people.sign_up(user, guest)
    me = replace(user.identity, network=NETWORK)
    said = posting.post(me, room.pk, "plugh").mid
    actions.edit(me, room.pk, said, "frotz")
    hidden = posting.post(me, room.pk, "gnusto").mid
    moderation.hide(cast.olga, room.pk, hidden, "off topic")
    mid = posting.post(cast.sven, room.pk, "what others said").mid
    actions.react(me, room.pk, mid, "👍")
    actions.react(cast.mio, room.pk, mid, "👍")
    review.report(me, NETWORK, room.pk, mid, "other", "rezrov")
    Room.objects.filter(pk=room.pk).update(approval="newcomers", slow_seconds=1)
    held = posting.post(replace(me, key=me.key), room.pk, "held: rezrov")
    assert held.detail
    moderation.mute(cast.olga, room.pk, said, 3600, "too loud")
    mute = moderation.ban(cast.olga, room.pk, said, seconds=3600)
    moderation.lift(cast.olga, room.pk, mute.pk)
    Room.objects.filter(pk=room.pk).update(approval="nobody", slow_seconds=0)
    own, _ = actions.create_room(me, "Den", "private")
    governing.set_role(me, own.pk, "mio", "owner")
    invitations.invite(me, own.pk)
    posting.post(me, own.pk, "frotz in the den")
    governing.set_role(cast.olga, room.pk, NAME, "member")
    client = Client()
    client.force_login(user)
    return User.objects.get(pk=user.pk)


def test_the_scan_finds_what_there_is(person) -> None:
    for word in (NAME, GUEST_NAME, EMAIL, *WORDS[:1], *WORDS[2:], NETWORK):
        assert found(word), word
    assert found(f'"_auth_user_id":"{person.pk}"')
    kinds = {value.partition(":")[0] for value in found(NAME, GUEST_NAME, *WORDS)}
    assert {"User", "Message", "HeldMessage", "Event", "Report", "Sanction", "AuditEntry"} <= kinds


@pytest.mark.parametrize("messages", ["delete", "anonymise"])
def test_nothing_of_somebody_is_left(cast, person, messages: str) -> None:
    pk, keys = person.pk, person.identity.ids
    others = Message.objects.get(text="what others said")
    personal.erase(person, messages)
    said = WORDS if messages == "delete" else ("rezrov",)
    assert found(NAME, GUEST_NAME, EMAIL, *said, f'"_auth_user_id":"{pk}"') == []
    # Their keys are where order needs them, and nowhere else.
    assert {value.partition(":")[0] for value in found(*(f": {key}" for key in keys))} <= {"Sanction"}
    assert not [value for value in found(*(f'"id":"{key}"' for key in keys))]
    assert {value.partition(":")[0] for value in found(NETWORK)} <= {"Sanction"}
    assert not User.objects.filter(pk=pk).exists()
    assert not FormerGuest.objects.exists()
    assert not Participant.objects.filter(author_key__in=keys).exists()
    assert not HeldMessage.objects.exists()
    # What is not theirs stays, and counts no more than there is.
    others.refresh_from_db()
    assert others.reaction_counts == {"👍": 1}
    assert Reaction.objects.get().author_key == cast.mio.key
    assert Report.objects.get().mid == others.mid
    standing = Sanction.objects.get()
    assert (standing.kind, standing.subject, standing.name) == ("mute", f"u{pk}", "deleted account")
    assert set(Membership.objects.values_list("user__username", flat=True)) == {"olga", "mio"}
    assert AuditEntry.objects.filter(action="erase", actor_name="the site").count() == 1
    for room in Room.objects.all():
        assert not log.read(room.pk, 0).reset, "its log has no hole"


def test_what_stays_is_nobody_s(cast, person) -> None:
    personal.erase(person, "anonymise")
    rows = Message.objects.filter(room=cast.room).exclude(author=cast.users.sven)
    assert {(row.author, row.author_name, row.author_role, row.network) for row in rows} == {
        (None, "deleted account", "none", "")
    }
    here = {row.author_key for row in rows}
    there = set(Message.objects.exclude(room=cast.room).values_list("author_key", flat=True))
    assert len(here) == len(there) == 1
    assert here != there, "nothing leads from one room to another"
    assert {row.text for row in rows.visible()} == {"xyzzy", "frotz"}


def test_open_screens_are_told_and_older_events_rewritten(cast, settings) -> None:
    settings.RING_EVENTS = 10
    mio = cast.mio
    mids = [posting.post(mio, cast.room.pk, f"text {number}").mid for number in range(25)]
    for number in range(4):
        posting.post(cast.sven, cast.room.pk, f"other {number}")
    personal.erase(cast.users.mio, "anonymise")
    logged = [json.loads(row) for row in Event.objects.filter(room=cast.room).values_list("json", flat=True)]
    assert [event["id"] for event in logged] == list(range(1, len(logged) + 1))
    told = [event["mid"] for event in logged if event["type"] == events.EDITED]
    assert told == mids[-6:], "what is among the last ten events"
    assert [event["mid"] for event in logged if event["type"] == events.REDACTED] == told
    for event in logged:
        if event.get("mid") in mids and event["type"] in events.WITH_TEXT:
            message = Message.objects.get(mid=event["mid"])
            assert {**event, "type": "message"} == {"id": event["id"], **events.message_fields(message, "veranda")}
            assert event["author"]["name"] == "deleted account"
    assert str(logged).count(mio.key) == 0


def test_what_was_said_in_private_is_not_told_to_others(cast) -> None:
    room, _ = actions.create_room(cast.olga, "Nook", "private")
    governing.set_role(cast.olga, room.pk, "mio", "member")
    posting.post(cast.mio, room.pk, "xyzzy")
    governing.change_visibility(cast.olga, room.pk, "public")
    personal.erase(cast.users.mio, "anonymise")
    assert not [row for row in Event.objects.filter(room=room).values_list("json", flat=True) if "xyzzy" in row]


def test_the_only_owner_hands_over_first(cast) -> None:
    posting.post(cast.olga, cast.room.pk, "mine")
    with pytest.raises(errors.AccountOwns, match="Veranda"):
        personal.erase(cast.users.olga, "delete")
    user = User.objects.get(username="olga")
    assert user.is_active
    assert Message.objects.visible().exists()
    governing.set_role(cast.olga, cast.room.pk, "mio", "owner")
    personal.erase(user, "delete")
    assert not User.objects.filter(username="olga").exists()


def test_an_interrupted_erasure_goes_on(cast, person, monkeypatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("chat.personal._erase_beside", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            personal.erase(person, "delete")
    half = User.objects.get(pk=person.pk)
    assert not half.is_active
    assert not half.has_usable_password()
    personal.erase(half, "delete")
    assert found(NAME, EMAIL, *WORDS) == []


@pytest.mark.parametrize("messages", ["delete", "anonymise"])
def test_a_guest_can_be_erased(cast, messages: str) -> None:
    guest = replace(new_guest(GUEST_NAME), network=NETWORK)
    mid = posting.post(guest, cast.room.pk, "xyzzy").mid
    actions.react(guest, cast.room.pk, mid, "👍")
    moderation.ban(cast.olga, cast.room.pk, mid, reason="spam")
    personal.erase_guest(guest.key, messages)
    assert found(GUEST_NAME, *(["xyzzy"] if messages == "delete" else [])) == []
    # The ban holds, and still for who comes back from there.
    ban = Sanction.objects.get()
    assert (ban.subject, ban.network, ban.name) == (guest.key, NETWORK, "deleted account")
    for key in ("u7", "", "x"):
        with pytest.raises(errors.TargetInvalid):
            personal.erase_guest(key, messages)


def test_a_guest_with_an_account_is_erased_with_it(person) -> None:
    with pytest.raises(errors.TargetInvalid):
        personal.erase_guest(FormerGuest.objects.get().key, "delete")


def test_all_that_is_kept_is_theirs_to_take(cast, person, settings) -> None:
    text = "".join(personal.export(person))
    data = json.loads(text)
    assert (data["account"]["name"], data["account"]["email"]) == (NAME, EMAIL)
    assert data["account"]["ids"] == list(person.identity.ids)
    assert [(each["name"], each["text"]) for each in data["messages"]] == [
        (GUEST_NAME, "xyzzy"),
        (NAME, "frotz"),
        (NAME, "gnusto"),
        (NAME, "frotz in the den"),
    ]
    assert data["messages"][0]["room"] == "veranda"
    assert [each["text"] for each in data["held_messages"]] == ["held: rezrov"]
    assert [each["reaction"] for each in data["reactions"]] == ["👍"]
    assert [each["note"] for each in data["reports"]] == ["rezrov"]
    assert {each["kind"] for each in data["sanctions"]} == {"mute", "ban"}
    assert len(data["invitations"]) == 1
    assert {each["role"] for each in data["memberships"]} == {"owner", "member"}
    assert data["tokens"] == []
    # Nothing of anybody else, and no secret.
    for word in ("olga", "sven", "what others said", "hash", "password", NETWORK):
        assert word not in text, word


def test_a_long_export_comes_in_pages(cast, monkeypatch) -> None:
    monkeypatch.setattr(personal, "PAGE", 2)
    for number in range(5):
        posting.post(cast.mio, cast.room.pk, f"text {number}")
    data = json.loads("".join(personal.export(cast.users.mio)))
    assert [each["text"] for each in data["messages"]] == [f"text {number}" for number in range(5)]


def hang_up() -> None:
    """The connections of the threads that were at work."""
    database.close()
    connection.close()


@pytest.mark.django_db(transaction=True)
async def test_the_export_is_a_file_that_nobody_keeps(cast) -> None:
    await sync_to_async(posting.post)(cast.mio, cast.room.pk, "xyzzy")
    client = AsyncClient()
    await client.aforce_login(cast.users.mio)
    answer = await client.get("/accounts/export/")
    assert answer["Content-Disposition"].startswith("attachment")
    assert "no-store" in answer["Cache-Control"]
    data = json.loads(b"".join([piece async for piece in answer.streaming_content]))
    assert data["messages"][0]["text"] == "xyzzy"
    await sync_to_async(hang_up)()


def test_the_page_asks_for_the_password_and_signs_out(cast, person) -> None:
    here, there = Client(), Client()
    for client in (here, there):
        client.post("/accounts/login/", {"username": NAME, "password": PASSWORD})
    here.cookies["guest"] = guest_token(new_guest())
    form = {"messages": "delete", "password": "wrong"}
    assert here.post("/accounts/delete/", form).status_code == 400
    assert here.post("/accounts/delete/", {"password": PASSWORD}).status_code == 400
    assert User.objects.filter(pk=person.pk).exists()
    page = here.post("/accounts/delete/", {**form, "password": PASSWORD}, follow=True)
    assert "Your account is deleted." in page.text
    assert NAME not in page.text
    assert there.get("/accounts/profile/").status_code == 302
    assert found(NAME, EMAIL) == []


def test_the_page_says_which_rooms_are_in_the_way(cast) -> None:
    cast.users.olga.set_password(PASSWORD)
    cast.users.olga.save()
    client = Client()
    client.force_login(cast.users.olga)
    assert "/chat/veranda/members" in client.get("/accounts/delete/").text
    page = client.post("/accounts/delete/", {"messages": "delete", "password": PASSWORD})
    assert page.status_code == 409
    assert "Veranda" in page.text
    assert client.get("/accounts/profile/").status_code == 200


def test_a_name_that_somebody_else_has_elsewhere_stays_in_the_record(cast) -> None:
    """Else whoever takes a name for a moment, anywhere, could have the record forget whom it is about."""
    governing.set_role(cast.olga, cast.room.pk, "sven", "member")
    governing.set_role(cast.olga, cast.room.pk, "sven", None)
    elsewhere, _ = actions.create_room(cast.olga, "Elsewhere")
    posting.post(new_guest("sven"), elsewhere.pk, "it is me")
    personal.erase_guest(Message.objects.get().author_key, "delete")
    assert set(AuditEntry.objects.filter(action="role").values_list("target", flat=True)) == {"sven"}
    personal.erase(cast.users.sven, "delete")
    assert set(AuditEntry.objects.filter(action="role").values_list("target", flat=True)) == {"deleted account"}


def test_the_queue_and_readers_hear_of_what_is_theirs_alone(cast) -> None:
    """That a held message is gone, moderators; that a hidden one has fewer reactions, nobody."""
    said = posting.post(cast.mio, cast.room.pk, "mine").mid
    actions.react(cast.gil, cast.room.pk, said, "👍")
    moderation.hide(cast.olga, cast.room.pk, said)
    governing.change_room(cast.olga, cast.room.pk, {"approval": "guests"})
    posting.post(cast.gil, cast.room.pk, "waits")
    head, queue = Room.objects.get().head, SiteEvent.objects.filter(kind="queue").count()
    personal.erase_guest(cast.gil.key, "delete")
    assert Room.objects.get().head == head
    assert SiteEvent.objects.filter(kind="queue").count() == queue + 1
    assert not Message.objects.get().reaction_counts
