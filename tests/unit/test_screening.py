"""Whose turn it is, what they may be called, what the filters catch, and what becomes of what is held."""

import json
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from chat import actions, errors, governing, moderation, posting, review
from chat.answers import Held, Posted
from chat.identity import guest_token, new_guest, read_guest_token
from chat.models import AuditEntry, HeldMessage, Membership, Message, Participant, Room, Sanction, SiteEvent, SiteRules
from chat.policies import is_sealed, may_embed, require_readable
from chat.posting import Post
from chat.standing import standing_in

pytestmark = pytest.mark.django_db


def set_up(cast, **changes: object) -> None:
    governing.change_room(cast.olga, cast.room.pk, changes)


def aged(guest, seconds: float):
    """The same guest, had they been there for so long."""
    return replace(guest, since=timezone.now().timestamp() - seconds)


def pass_time(seconds: float) -> None:
    """As if what is known of everybody's last message were older."""
    for participant in Participant.objects.all():
        for name in ("posted_at", "seen_at"):
            if getattr(participant, name):
                setattr(participant, name, getattr(participant, name) - timedelta(seconds=seconds))
        participant.save()


# Slow mode ------------------------------------------------------------------------------------------------


def test_slow_mode_makes_everybody_wait_but_those_who_keep_order(cast) -> None:
    set_up(cast, slow_seconds=30)
    for actor in (aged(cast.gil, 3600), cast.mio, cast.sven):
        posting.post(actor, cast.room.pk, "one")
        with pytest.raises(errors.SlowMode) as refusal:
            posting.post(actor, cast.room.pk, "two")
        assert 28 < refusal.value.retry_after <= 30
    posting.post(cast.olga, cast.room.pk, "one")
    posting.post(cast.olga, cast.room.pk, "two")
    pass_time(30)
    posting.post(cast.sven, cast.room.pk, "three")


def test_slow_mode_holds_for_messages_that_come_together(cast) -> None:
    set_up(cast, slow_seconds=30)
    answers = posting.post_together(cast.room.pk, [Post(cast.sven, "one"), Post(cast.sven, "two")])
    assert isinstance(answers[0], Posted)
    assert isinstance(answers[1], errors.SlowMode)


def test_a_new_guest_gains_nothing_in_slow_mode(cast) -> None:
    set_up(cast, slow_seconds=30)
    with pytest.raises(errors.SlowMode) as refusal:
        posting.post(new_guest(), cast.room.pk, "first")
    assert 28 < refusal.value.retry_after <= 30
    posting.post(aged(new_guest(), 31), cast.room.pk, "first")


def test_a_deleted_message_was_said_all_the_same(cast) -> None:
    set_up(cast, slow_seconds=30)
    mid = posting.post(cast.sven, cast.room.pk, "one").mid
    actions.delete(cast.sven, cast.room.pk, mid)
    with pytest.raises(errors.SlowMode):
        posting.post(cast.sven, cast.room.pk, "two")


def test_who_tries_the_same_post_again_gets_the_first_answer(cast) -> None:
    """Though it is not their turn, they are muted by now, or the words were forbidden since."""
    set_up(cast, slow_seconds=30)
    key = str(uuid.uuid4())
    first = posting.post(cast.sven, cast.room.pk, "the word xyzzy", key)
    assert posting.post(cast.sven, cast.room.pk, "the word xyzzy", key) == first
    set_up(cast, blocked_words="xyzzy")
    moderation.mute(cast.olga, cast.room.pk, first.mid, 60)
    assert posting.post(cast.sven, cast.room.pk, "the word xyzzy", key) == first


def test_a_guest_keeps_their_age_through_cookie_and_nickname() -> None:
    guest = aged(new_guest("Gil"), 500)
    again = read_guest_token(guest_token(guest), 3600)
    assert again == guest
    assert again.since == guest.since


# Nicknames ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Gil", "gil", "Ｇｉｌ", "G i l", "Gіl"])
def test_a_nickname_is_one_guests_at_a_time(cast, name: str) -> None:
    posting.post(cast.gil, cast.room.pk, "hello")
    with pytest.raises(errors.NameTaken):
        posting.post(new_guest(name), cast.room.pk, "hello, too")
    elsewhere, _ = actions.create_room(cast.sven, "Elsewhere")
    posting.post(new_guest(name), elsewhere.pk, "hello there")


def test_a_nickname_is_free_again_when_its_guest_was_away(cast, settings) -> None:
    posting.post(cast.gil, cast.room.pk, "hello")
    pass_time(60 * settings.NAME_MINUTES + 1)
    other = new_guest("Gil")
    posting.post(other, cast.room.pk, "hello")
    with pytest.raises(errors.NameTaken):
        posting.post(cast.gil, cast.room.pk, "it was mine")


def test_a_nickname_stays_whose_it_is_as_long_as_they_speak(cast, settings) -> None:
    for _ in range(4):
        posting.post(cast.gil, cast.room.pk, "hello")
        pass_time(60 * settings.NAME_MINUTES / 2)
    with pytest.raises(errors.NameTaken):
        posting.post(new_guest("Gil"), cast.room.pk, "hello")


def test_who_takes_another_name_frees_the_first(cast) -> None:
    posting.post(cast.gil, cast.room.pk, "hello")
    posting.post(replace(cast.gil, name="Gregor"), cast.room.pk, "hello")
    posting.post(new_guest("Gil"), cast.room.pk, "hello")


@pytest.mark.parametrize("name", ["mio", "Mio", "ｍｉｏ", "мiо", "m.i.o", "0lga"])
def test_a_guest_does_not_look_like_a_member(cast, name: str) -> None:
    with pytest.raises(errors.NameTaken):
        posting.post(new_guest(name), cast.room.pk, "send me your password")


def test_a_guest_may_look_like_somebody_who_is_not_here(cast) -> None:
    posting.post(new_guest("sven"), cast.room.pk, "hello")


@pytest.mark.parametrize("name", ["Admin", "moderator", "guest-0a1b2c"])
def test_some_names_are_nobodys(cast, name: str) -> None:
    with pytest.raises(errors.NameReserved):
        posting.post(new_guest(name), cast.room.pk, "hello")


def test_a_made_up_name_is_its_guests_and_costs_nothing(cast) -> None:
    guest = new_guest()
    assert guest.has_made_up_name
    posting.post(guest, cast.room.pk, "hello")
    assert not Participant.objects.exists()
    with pytest.raises(errors.NameReserved):
        posting.post(new_guest(guest.name), cast.room.pk, "it is me")


def test_blocked_words_are_blocked_in_nicknames(cast) -> None:
    set_up(cast, blocked_words="plugh*")
    with pytest.raises(errors.NameReserved):
        posting.post(new_guest("Plughster"), cast.room.pk, "hello")


# Filters --------------------------------------------------------------------------------------------------


def test_the_sites_rules_hold_in_every_room(cast) -> None:
    posting.post(cast.sven, cast.room.pk, "the word xyzzy")
    rules = SiteRules.objects.create(blocked_words="xyzzy")
    with pytest.raises(errors.TextRefused):
        posting.post(cast.sven, cast.room.pk, "the word XYZZY")
    rules.delete()
    posting.post(cast.sven, cast.room.pk, "the word xyzzy")


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ({"on_links": "refuse"}, "see https://example.org"),
        ({"on_shouting": "refuse"}, "THIS IS VERY IMPORTANT INDEED"),
        ({"on_repeats": "refuse"}, "a" * 100),
        ({"blocked_words": "ばか"}, "バカ"),
    ],
)
def test_what_is_caught_never_reaches_the_log(cast, setting: dict, text: str) -> None:
    posting.post(cast.sven, cast.room.pk, text)
    set_up(cast, **setting)
    before = Room.objects.get(pk=cast.room.pk).head
    with pytest.raises(errors.TextRefused):
        posting.post(cast.mio, cast.room.pk, text)
    assert Room.objects.get(pk=cast.room.pk).head == before
    assert Message.objects.count() == 1
    posting.post(cast.olga, cast.room.pk, text)


def test_the_same_again_is_a_repeat(cast) -> None:
    set_up(cast, on_repeats="refuse")
    posting.post(cast.sven, cast.room.pk, "Buy my tea!")
    with pytest.raises(errors.TextRefused):
        posting.post(cast.sven, cast.room.pk, "buy my TEA")
    posting.post(cast.mio, cast.room.pk, "Buy my tea!")
    for number in range(5):
        posting.post(cast.sven, cast.room.pk, f"something else, {'abcde'[number]}")
    posting.post(cast.sven, cast.room.pk, "Buy my tea!")
    assert "tea" not in str(list(Participant.objects.values())), "a fingerprint does not tell the text"


# What is held ---------------------------------------------------------------------------------------------


@pytest.fixture
def held(cast) -> HeldMessage:
    set_up(cast, approval="guests")
    answer = posting.post(cast.gil, cast.room.pk, "may I?", "0b9d1c7e-53f4-4c52-9a39-0d6e1f1f7c11")
    assert isinstance(answer, Held)
    return HeldMessage.objects.get()


def test_a_held_message_is_nowhere_to_be_read(cast, held) -> None:
    assert not Message.objects.exists()
    again = posting.post(cast.gil, cast.room.pk, "may I?", str(held.key))
    assert again == Held(str(held.key), "Your message waits until a moderator has seen it.")
    assert HeldMessage.objects.count() == 1


def test_only_so_many_wait(cast, settings) -> None:
    settings.MAX_HELD = 3
    set_up(cast, approval="guests")
    for text in ("one", "two", "three"):
        posting.post(cast.gil, cast.room.pk, text)
    with pytest.raises(errors.TooManyPosts):
        posting.post(cast.gil, cast.room.pk, "four")
    fresh = [new_guest(network="n" * 32) for _ in range(4)]
    answers = posting.post_together(cast.room.pk, [Post(guest, "hello") for guest in fresh])
    assert [type(answer) for answer in answers] == [Held, Held, Held, errors.TooManyPosts]
    assert HeldMessage.objects.count() == 6
    review.reject(cast.olga, cast.room.pk, HeldMessage.objects.first().pk)
    posting.post(cast.gil, cast.room.pk, "four")


def test_what_was_held_in_private_is_not_said_in_public(cast) -> None:
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    set_up(cast, on_links="hold")
    posting.post(cast.mio, cast.room.pk, "see https://example.org/xyzzy")
    governing.change_visibility(cast.olga, cast.room.pk, "public")
    assert [(held.state, held.text) for held in HeldMessage.objects.all()] == [("rejected", "")]


def test_an_approved_message_is_said_where_the_room_is(cast, held) -> None:
    later = posting.post(cast.sven, cast.room.pk, "meanwhile").mid
    message = review.approve(cast.olga, cast.room.pk, held.pk)
    assert message.mid > later
    assert (message.text, str(message.key), message.author_key) == ("may I?", str(held.key), cast.gil.key)
    again = posting.post(cast.gil, cast.room.pk, "may I?", str(held.key))
    assert (again.mid, Message.objects.count()) == (message.mid, 2)
    held.refresh_from_db()
    assert (held.state, held.text) == ("approved", "")
    with pytest.raises(errors.MessageNotFound):
        review.approve(cast.olga, cast.room.pk, held.pk)


def test_a_rejected_message_leaves_no_text(cast, held) -> None:
    review.reject(cast.olga, cast.room.pk, held.pk, "off topic")
    held.refresh_from_db()
    assert (held.state, held.text) == ("rejected", "")
    with pytest.raises(errors.TextRefused):
        posting.post(cast.gil, cast.room.pk, "may I?", str(held.key))
    entry = AuditEntry.objects.get(action="reject")
    assert (entry.reason, entry.target) == ("off topic", "Gil")
    assert "may I" not in str(list(AuditEntry.objects.values()))


# Sanctions ------------------------------------------------------------------------------------------------


def test_a_network_that_is_banned_does_not_shut_out_members(cast) -> None:
    spam = replace(cast.gil, network="n" * 32)
    mid = posting.post(spam, cast.room.pk, "spam").mid
    moderation.ban(cast.olga, cast.room.pk, mid, "network")
    from_there = (replace(cast.sven, network="n" * 32), new_guest(network="n" * 32))
    for actor, network in [*((actor, "") for actor in from_there), (None, "n" * 32)]:
        with pytest.raises(errors.Banned):
            require_readable(cast.room, actor, network)
    require_readable(cast.room, replace(cast.mio, network="n" * 32))
    require_readable(cast.room, replace(cast.gil, network="m" * 32))
    require_readable(cast.room, None, "m" * 32)


def test_a_banned_guest_is_banned_by_any_name_and_with_a_new_cookie(cast) -> None:
    spam = replace(cast.gil, network="n" * 32)
    mid = posting.post(spam, cast.room.pk, "spam").mid
    there_before = replace(new_guest("Gus"), network="n" * 32, since=1.0)
    moderation.ban(cast.olga, cast.room.pk, mid)
    after = replace(new_guest("Fresh", network="n" * 32), since=timezone.now().timestamp() + 1)
    for actor in (replace(spam, name="Other"), replace(spam, network="m" * 32), after):
        with pytest.raises(errors.Banned):
            require_readable(cast.room, actor)
    for actor in (there_before, cast.sven, replace(after, network="m" * 32)):
        require_readable(cast.room, actor)
    require_readable(cast.room, None, "n" * 32)


def test_a_banned_account_is_no_new_guest(cast) -> None:
    there = "n" * 32
    mid = posting.post(replace(cast.sven, network=there), cast.room.pk, "spam").mid
    before = replace(new_guest(network=there), since=1.0)
    moderation.ban(cast.olga, cast.room.pk, mid)
    signed_out = replace(new_guest(network=there), since=timezone.now().timestamp() + 1)
    for actor in (cast.sven, signed_out):
        with pytest.raises(errors.Banned):
            require_readable(cast.room, actor)
    for actor in (before, replace(cast.mio, network=there), new_guest(network="m" * 32)):
        require_readable(cast.room, actor)
    require_readable(cast.room, None, there)


def test_a_sanction_ends_by_itself(cast) -> None:
    mid = posting.post(cast.gil, cast.room.pk, "spam").mid
    sanction = moderation.mute(cast.olga, cast.room.pk, mid, 10)
    with pytest.raises(errors.Muted):
        posting.post(cast.gil, cast.room.pk, "more")
    sanction.ends_at = timezone.now() - timedelta(seconds=1)
    sanction.save()
    posting.post(cast.gil, cast.room.pk, "sorry")


def test_a_new_word_takes_the_place_of_an_older_one(cast) -> None:
    mid = posting.post(cast.gil, cast.room.pk, "spam").mid
    moderation.mute(cast.olga, cast.room.pk, mid, 3600)
    moderation.mute(cast.olga, cast.room.pk, mid, 10)
    with pytest.raises(errors.Muted) as refusal:
        posting.post(cast.gil, cast.room.pk, "more")
    assert refusal.value.retry_after <= 10


@pytest.mark.parametrize("seconds", [None, 9, 86401, -1, "x", 1.5, True, "9" * 30, [60]])
def test_a_mute_has_bounds(cast, seconds: object) -> None:
    mid = posting.post(cast.gil, cast.room.pk, "spam").mid
    with pytest.raises(errors.DurationInvalid):
        moderation.mute(cast.olga, cast.room.pk, mid, seconds)


def test_who_made_nobodys_acquaintance_cannot_be_held(cast) -> None:
    mid = posting.post(cast.gil, cast.room.pk, "from who knows where").mid
    with pytest.raises(errors.TargetInvalid):
        moderation.ban(cast.olga, cast.room.pk, mid, "network")
    with pytest.raises(errors.TargetInvalid):
        moderation.ban(cast.olga, cast.room.pk, mid, "account")


def test_deleting_all_recent_takes_every_text(cast) -> None:
    for number in range(5):
        posting.post(cast.gil, cast.room.pk, f"xyzzy {number}")
    kept = posting.post(cast.sven, cast.room.pk, "kept").mid
    hidden = Message.objects.filter(author_key=cast.gil.key).first().mid
    moderation.hide(cast.olga, cast.room.pk, hidden)
    assert moderation.delete_recent(cast.olga, cast.room.pk, hidden, "flood") == 5
    assert [message.mid for message in Message.objects.visible()] == [kept]
    assert not Message.objects.filter(text__contains="xyzzy").exists()
    assert AuditEntry.objects.get(action="delete_recent").details == {"count": 5}


def test_who_left_the_members_is_none(cast) -> None:
    set_up(cast, posting="members")
    posting.post(cast.mio, cast.room.pk, "mine")
    governing.leave(cast.mio, cast.room.pk)
    with pytest.raises(errors.PostingMembers):
        posting.post(cast.mio, cast.room.pk, "still?")
    with pytest.raises(errors.NotAllowed):
        governing.leave(cast.olga, cast.room.pk)
    assert Membership.objects.get().role == "owner"


def test_a_moderator_does_not_lift_what_holds_for_a_moderator(cast) -> None:
    """Not even for themselves."""
    mid = posting.post(cast.mio, cast.room.pk, "too much").mid
    governing.set_role(cast.olga, cast.room.pk, "mio", "moderator")
    sanction = moderation.mute(cast.olga, cast.room.pk, mid, 600)
    with pytest.raises(errors.NotAllowed):
        moderation.lift(cast.mio, cast.room.pk, sanction.pk)
    with pytest.raises(errors.Muted):
        posting.post(cast.mio, cast.room.pk, "here I am")
    moderation.lift(cast.olga, cast.room.pk, sanction.pk)
    posting.post(cast.mio, cast.room.pk, "here I am")


def test_an_owner_lifts_what_holds_for_an_owner(cast) -> None:
    """They were made one since."""
    mid = posting.post(cast.mio, cast.room.pk, "too much").mid
    sanction = moderation.mute(cast.olga, cast.room.pk, mid, 600)
    governing.set_role(cast.olga, cast.room.pk, "mio", "owner")
    moderation.lift(cast.mio, cast.room.pk, sanction.pk)


def test_the_longer_of_two_holds(cast) -> None:
    """In whatever order they were made."""
    for first, second in ((60, 600), (600, 60), (None, 60), (60, None)):
        Sanction.objects.all().delete()
        for room, seconds in ((cast.room, first), (None, second)):
            whom = moderation.Subject("account", f"u{cast.users.sven.pk}", "", "sven")
            moderation.impose(room, None, "ban", whom, seconds)
        ends_at = standing_in(cast.room, cast.sven).ban.ends_at
        assert (ends_at is None) is (None in (first, second))
        assert ends_at is None or ends_at > timezone.now() + timedelta(seconds=500)


def test_of_two_guests_who_come_together_with_one_name_one_has_it(cast) -> None:
    answers = posting.post_together(cast.room.pk, [Post(new_guest("Ida"), "one"), Post(new_guest("ida"), "two")])
    assert isinstance(answers[0], Posted)
    assert isinstance(answers[1], errors.NameTaken)


def test_what_is_held_is_told_to_the_moderators(cast) -> None:
    set_up(cast, approval="guests")
    posting.post(cast.gil, cast.room.pk, "first")
    assert SiteEvent.objects.filter(kind="queue", subject=cast.room.pk).count() == 1


def test_a_room_that_is_opened_is_unpinned_for_all_who_read(cast) -> None:
    set_up(cast, visibility="private")
    mid = posting.post(cast.olga, cast.room.pk, "inside").mid
    moderation.pin(cast.olga, cast.room.pk, mid)
    set_up(cast, visibility="public")
    cast.room.refresh_from_db()
    assert cast.room.pinned_mid == ""
    assert [json.loads(event.json)["type"] for event in cast.room.events.all()] == ["message.unpinned", "room.changed"]


def test_an_owner_who_opens_the_past_later_opens_all_of_it(cast) -> None:
    set_up(cast, visibility="private")
    set_up(cast, visibility="public")
    posting.post(cast.olga, cast.room.pk, "outside")
    set_up(cast, visibility="private")
    cast.room.refresh_from_db()
    cast.room.sealed_mid = cast.room.last_mid
    cast.room.save()
    governing.change_room(cast.olga, cast.room.pk, {"visibility": "public"}, opens_past=True)
    cast.room.refresh_from_db()
    assert cast.room.sealed_mid == ""


def test_each_message_begins_a_new_wait(cast) -> None:
    set_up(cast, slow_seconds=30)
    for text in ("one", "two"):
        posting.post(cast.sven, cast.room.pk, text)
        with pytest.raises(errors.SlowMode):
            posting.post(cast.sven, cast.room.pk, "too soon")
        pass_time(31)


def test_what_was_approved_in_private_stays_there_too(cast) -> None:
    set_up(cast, approval="guests")
    posting.post(cast.gil, cast.room.pk, "first")
    set_up(cast, visibility="private")
    message = review.approve(cast.olga, cast.room.pk, HeldMessage.objects.get().pk)
    set_up(cast, visibility="public")
    cast.room.refresh_from_db()
    assert is_sealed(cast.room, message.mid)
    assert not may_embed(Room(visibility="private", embed_origins="*"))
