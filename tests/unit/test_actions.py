import json
import uuid

import pytest
from django.apps import apps
from django.db import transaction

from chat import actions, errors, events, governing, log, posting
from chat.models import Event, Membership, Message, Room
from chat.standing import NO_ROLE, standing_in

pytestmark = pytest.mark.django_db


def every_row() -> str:
    """All that any table of ours holds."""
    rows = [str(list(model.objects.values())) for app in ("chat",) for model in apps.get_app_config(app).get_models()]
    return "\n".join(rows)


def types(room: Room) -> list[str]:
    return list(Event.objects.filter(room=room).values_list("type", flat=True))


def test_post_is_one_message_and_one_event(cast) -> None:
    posted = posting.post(cast.gil, cast.room.pk, "see *this*")
    message = Message.objects.get(mid=posted.mid)
    event = json.loads(Event.objects.get(room=cast.room, seq=posted.seq).json)
    assert event == {
        "id": 1,
        "type": "message",
        "room": "veranda",
        "mid": posted.mid,
        "at": events.timestamp(message.created_at),
        "message": "see *this*",
        "html": "<p>see <em>this</em></p>",
        "key": posted.key,
        "author": {"name": "Gil", "kind": "guest", "role": "none", "id": cast.gil.key},
    }
    snapshot = events.message_fields(message, "veranda")
    assert snapshot == {name: value for name, value in event.items() if name != "id"}


def test_posting_twice_is_posting_once(cast) -> None:
    key = str(uuid.uuid4())
    first = posting.post(cast.gil, cast.room.pk, "once", key)
    assert posting.post(cast.gil, cast.room.pk, "twice", key.upper()) == first
    assert types(cast.room) == ["message"]
    # Another author may have chosen the same key.
    assert posting.post(cast.sven, cast.room.pk, "mine", key).mid != first.mid


def test_a_reply_asked_again_is_the_same_though_what_it_answers_is_gone(cast) -> None:
    answered = posting.post(cast.gil, cast.room.pk, "?")
    key = str(uuid.uuid4())
    reply = posting.post(cast.sven, cast.room.pk, "!", key, answered.mid)
    actions.delete(cast.gil, cast.room.pk, answered.mid)
    assert posting.post(cast.sven, cast.room.pk, "!", key, answered.mid) == reply
    with pytest.raises(errors.MessageNotFound):
        posting.post(cast.mio, cast.room.pk, "!", key, answered.mid)


def test_a_deleted_message_is_not_posted_again(cast) -> None:
    key = str(uuid.uuid4())
    first = posting.post(cast.gil, cast.room.pk, "gone", key)
    actions.delete(cast.gil, cast.room.pk, first.mid)
    assert posting.post(cast.gil, cast.room.pk, "gone", key).mid == first.mid
    assert not Message.objects.visible().exists()


@pytest.mark.parametrize("key", ["", "x", 7, "g" * 36, ["a"], str(uuid.uuid4()) * 3])
def test_a_key_is_a_uuid(cast, key: object) -> None:
    with pytest.raises(errors.InvalidKey):
        posting.post(cast.gil, cast.room.pk, "hello", key)
    assert types(cast.room) == []


def test_deleted_text_is_in_no_table(cast) -> None:
    posted = posting.post(cast.gil, cast.room.pk, "the word xyzzy")
    actions.edit(cast.gil, cast.room.pk, posted.mid, "the word plugh")
    assert "xyzzy" not in every_row()
    assert "plugh" in every_row()
    actions.delete(cast.gil, cast.room.pk, posted.mid)
    assert "plugh" not in every_row()
    assert types(cast.room) == ["message.redacted", "message.redacted", "message.deleted"]
    stub = json.loads(Event.objects.get(room=cast.room, seq=1).json)
    assert set(stub) == {"id", "type", "room", "mid", "at"}


def test_an_edit_carries_the_whole_message(cast) -> None:
    posted = posting.post(cast.gil, cast.room.pk, "first")
    actions.edit(cast.gil, cast.room.pk, posted.mid, "second")
    event = json.loads(Event.objects.get(room=cast.room, seq=2).json)
    snapshot = events.message_fields(Message.objects.get(mid=posted.mid), "veranda")
    assert {**event, "type": "message"} == {"id": 2, **snapshot}
    assert event["edited_at"]


def test_only_its_author_edits_and_its_author_or_a_moderator_deletes(cast) -> None:
    mine = posting.post(cast.gil, cast.room.pk, "mine").mid
    for actor in (cast.olga, cast.mio, cast.sven):
        with pytest.raises(errors.NotAllowed):
            actions.edit(actor, cast.room.pk, mine, "theirs")
    for actor in (cast.mio, cast.sven):
        with pytest.raises(errors.NotAllowed):
            actions.delete(actor, cast.room.pk, mine)
    actions.delete(cast.olga, cast.room.pk, mine)
    with pytest.raises(errors.MessageNotFound):
        actions.edit(cast.gil, cast.room.pk, mine, "again")


@pytest.mark.parametrize("mid", [None, 7, "x", "0" * 26, ["a"], "01M7YTV8AWP30REW96QCF6TD64"])
def test_there_is_no_such_message(cast, mid: object) -> None:
    with pytest.raises(errors.MessageNotFound):
        actions.delete(cast.olga, cast.room.pk, mid)


def test_a_message_of_another_room_is_none_of_this_one(cast) -> None:
    other, _ = actions.create_room(cast.gil, "elsewhere")
    there = posting.post(cast.gil, other.pk, "there").mid
    with pytest.raises(errors.MessageNotFound):
        actions.delete(cast.gil, cast.room.pk, there)
    with pytest.raises(errors.MessageNotFound):
        posting.post(cast.gil, cast.room.pk, "re", reply_to=there)


def test_replies_name_what_they_answer(cast) -> None:
    first = posting.post(cast.gil, cast.room.pk, "question").mid
    answer = posting.post(cast.sven, cast.room.pk, "answer", reply_to=first)
    assert json.loads(Event.objects.get(room=cast.room, seq=2).json)["reply_to"] == first
    assert Message.objects.get(mid=answer.mid).reply_to == first


def test_a_refused_post_takes_no_number(cast) -> None:
    for bad in ("", None, "x" * 5000):
        with pytest.raises(errors.ChatError):
            posting.post(cast.gil, cast.room.pk, bad)
    assert posting.post(cast.gil, cast.room.pk, "good").seq == 1


def test_a_failed_transaction_leaves_nothing_and_tells_nobody(cast, monkeypatch) -> None:
    told = []
    monkeypatch.setattr("chat.broadcast.announce", lambda *event: told.append(event))
    with pytest.raises(RuntimeError), transaction.atomic():
        posting.post(cast.gil, cast.room.pk, "half")
        raise RuntimeError
    assert not told
    assert log.read(cast.room.pk, 0).events == []
    assert Message.objects.count() == 0


@pytest.mark.parametrize("setting", ["everyone", "signed-in", "staff"])
def test_rooms_are_made_by_whom_the_setting_lets(cast, settings, setting: str) -> None:
    settings.ROOM_CREATION = setting
    cast.users.mio.is_staff = True
    allowed = {"everyone": 3, "signed-in": 2, "staff": 1}[setting]
    made = 0
    for actor in (cast.gil, cast.sven, cast.users.mio.identity):
        try:
            _, is_new = actions.create_room(actor, f"new {made}")
            made += is_new
        except errors.RoomCreationClosed:
            pass
    assert made == allowed


def test_a_room_is_made_once_and_owned(cast) -> None:
    room, is_new = actions.create_room(cast.sven, "Tea House")
    assert is_new
    assert standing_in(room, cast.sven).role == Membership.Role.OWNER
    again, is_new = actions.create_room(cast.mio, "tea-house")
    assert (again, is_new) == (room, False)
    assert standing_in(room, cast.mio).role == NO_ROLE


def test_a_guest_cannot_keep_a_private_room(cast) -> None:
    with pytest.raises(errors.NotAllowed):
        actions.create_room(cast.gil, "secret", "private")


def test_a_private_room_is_not_found_by_its_name(cast) -> None:
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    for actor in (cast.sven, cast.gil):
        with pytest.raises(errors.RoomNameReserved):
            actions.create_room(actor, "veranda")
        with pytest.raises(errors.RoomNotFound):
            posting.post(actor, cast.room.pk, "let me in")
    posting.post(cast.mio, cast.room.pk, "inside")


def test_only_the_owner_changes_who_may_see_the_room(cast) -> None:
    for actor in (cast.mio, cast.sven, cast.gil):
        with pytest.raises(errors.NotAllowed):
            governing.change_visibility(actor, cast.room.pk, "private")
    governing.change_visibility(cast.olga, cast.room.pk, "unlisted")
    event = json.loads(Event.objects.get(room=cast.room, seq=1).json)
    assert (event["type"], event["visibility"]) == ("room.changed", "unlisted")
    governing.change_visibility(cast.olga, cast.room.pk, "unlisted")
    assert types(cast.room) == ["room.changed"]


def test_mids_rise_even_where_the_clock_goes_back(cast) -> None:
    first = posting.post(cast.gil, cast.room.pk, "a").mid
    ahead = "7" + first[1:]
    Room.objects.filter(pk=cast.room.pk).update(last_mid=ahead)
    assert posting.post(cast.gil, cast.room.pk, "b").mid > ahead
