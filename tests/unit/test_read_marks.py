"""How far somebody has read: forwards only, and what is unread is what stands after it and is not theirs."""

import random

import pytest
from django.test import Client
from django.utils import timezone

from chat import actions, errors, moderation, posting, read_marks
from chat.mids import first_mid_at
from chat.models import Message, ReadMark, Room, User
from chat.posting import Post, post_together
from chat.read_marks import MOST_UNREAD, unread_in

pytestmark = pytest.mark.django_db


def unread(cast, who: str = "mio", *, sees_sealed: bool = True) -> int:
    room = Room.objects.get(pk=cast.room.pk)
    return unread_in(getattr(cast, who).user_id, [(room, sees_sealed)])[room.pk]


def say(cast, *authors) -> list[str]:
    return [posting.post(author, cast.room.pk, f"from {author.name}").mid for author in authors]


@pytest.mark.parametrize("seed", range(5))
def test_unread_is_what_stands_after_the_mark_and_is_not_ones_own(cast, seed: int) -> None:
    chance = random.Random(seed)
    mids = say(cast, *(chance.choice([cast.gil, cast.sven, cast.mio]) for _ in range(30)))
    for _ in range(12):
        match chance.choice(["see", "delete", "hide", "post"]):
            case "see":
                read_marks.see(cast.mio, cast.room.pk, chance.choice(mids))
            case "delete":
                standing = list(Message.objects.visible().values_list("mid", flat=True))
                actions.delete(cast.olga, cast.room.pk, chance.choice(standing))
            case "hide":
                standing = list(Message.objects.visible().values_list("mid", flat=True))
                moderation.hide(cast.olga, cast.room.pk, chance.choice(standing))
            case "post":
                mids += say(cast, cast.gil)
        mark = ReadMark.objects.filter(user=cast.mio.user_id).values_list("mid", flat=True).first() or ""
        after = Message.objects.visible().filter(mid__gt=mark)
        assert unread(cast) == sum(message.author_id != cast.mio.user_id for message in after)


def test_a_mark_never_goes_back_whatever_tab_says_so(cast) -> None:
    first, second, third = say(cast, cast.gil, cast.gil, cast.gil)
    for mid in (second, first, third, second):
        read_marks.see(cast.mio, cast.room.pk, mid)
    mark = ReadMark.objects.get()
    assert (mark.mid, mark.number) == (third, 3)
    assert unread(cast) == 0
    say(cast, cast.gil)
    assert unread(cast) == 1


def test_nobody_reads_ahead_of_what_was_said(cast) -> None:
    (said,) = say(cast, cast.gil)
    read_marks.see(cast.mio, cast.room.pk, "7" + "Z" * 25)
    assert ReadMark.objects.get().mid == said
    say(cast, cast.gil)
    assert unread(cast) == 1


def test_a_mark_at_a_message_that_is_gone_stands_at_the_one_before(cast) -> None:
    first, second, third = say(cast, cast.gil, cast.gil, cast.gil)
    Message.objects.filter(mid=second).delete()  # it expired
    read_marks.see(cast.mio, cast.room.pk, second)
    assert ReadMark.objects.get().mid == first
    Message.objects.filter(mid=first).delete()
    assert unread(cast) == 1
    assert third in Message.objects.values_list("mid", flat=True)


def test_a_mid_of_another_room_marks_nothing_here_that_is_later(cast) -> None:
    say(cast, cast.gil)
    elsewhere = Room.objects.create(slug="elsewhere", title="Elsewhere")
    there = posting.post(cast.gil, elsewhere.pk, "x").mid
    say(cast, cast.gil)
    read_marks.see(cast.mio, cast.room.pk, there)
    assert unread(cast) == 1


def test_unread_is_counted_no_further_than_it_is_told(cast) -> None:
    post_together(cast.room.pk, [Post(cast.gil, f"{number}") for number in range(MOST_UNREAD + 20)])
    assert unread(cast) == MOST_UNREAD
    read_marks.all_read(cast.mio, list(Room.objects.all()))
    assert unread(cast) == 0


def test_what_was_said_in_private_is_unread_by_members_only(cast) -> None:
    sealed, _ = say(cast, cast.gil, cast.gil)
    Room.objects.update(sealed_mid=sealed)
    assert unread(cast) == 2
    assert unread(cast, "sven", sees_sealed=False) == 1


def test_guests_and_nonsense_are_refused(cast) -> None:
    (said,) = say(cast, cast.gil)
    with pytest.raises(errors.NotAllowed):
        read_marks.see(cast.gil, cast.room.pk, said)
    for nonsense in (None, 7, "", "x", said.lower()):
        with pytest.raises(errors.MessageNotFound):
            read_marks.see(cast.mio, cast.room.pk, nonsense)
    assert not ReadMark.objects.exists()


def test_many_marks_are_few_statements_and_one_who_is_gone_spoils_none(cast, django_assert_num_queries) -> None:
    mids = say(cast, *[cast.gil] * 20)
    users = [User.objects.create_user(f"reader-{number}").pk for number in range(20)]
    seen = {(user, cast.room.pk): mid for user, mid in zip(users, mids, strict=True)}
    with django_assert_num_queries(3):
        read_marks.write(seen | {(10**6, cast.room.pk): mids[0]})
    assert dict(ReadMark.objects.values_list("user_id", "mid")) == dict(zip(users, mids, strict=True))


def test_who_posts_without_a_socket_has_read(cast) -> None:
    say(cast, cast.gil)
    browser = Client()
    browser.force_login(cast.users.mio)
    assert unread(cast) == 1
    browser.post("/chat/veranda/messages", {"message": "me too"})
    assert unread(cast) == 0
    (late,) = say(cast, cast.gil)
    answer = browser.post(
        "/chat/veranda/commands", {"type": "seen", "mid": late}, headers={"accept": "application/json"}
    )
    assert answer.json() == {"done": True}
    assert unread(cast) == 0
    assert first_mid_at(timezone.now()) > ReadMark.objects.get().mid == late
