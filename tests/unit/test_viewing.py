"""View tokens and tickets: what they are good for, for how long, and what they are not."""

import hashlib
from datetime import timedelta
from time import time

import pytest
from django.core import signing
from django.utils import timezone

from chat import actions, doorway, errors, governing, moderation, policies, posting, programs, viewing
from chat.addresses import keyed
from chat.identity import Grant, new_guest
from chat.models import AuditEntry, SiteEvent, ViewToken

pytestmark = pytest.mark.django_db
NETWORK = keyed("198.51.100.9")
DAY = timedelta(days=1)


@pytest.fixture
def private(cast):
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    cast.room.refresh_from_db()
    return cast.room


def made(cast, room=None, *, name: str = "The school’s page", term: timedelta = DAY) -> tuple[ViewToken, str]:
    return viewing.create_view_token(cast.olga, (room or cast.room).pk, name, timezone.now() + term)


def enter(room, grant: Grant | None, network: str = "", history: int | None = None) -> doorway.Entry:
    return doorway.enter(room.pk, None, network, history, grant)


# The token ------------------------------------------------------------------------------------------------


def test_it_is_shown_once_and_kept_as_a_hash(cast) -> None:
    token, secret = made(cast, name="  The school’s page ")
    kept = ViewToken.objects.get()
    assert (kept, kept.name, kept.created_by_id) == (token, "The school’s page", cast.olga.user_id)
    assert secret.startswith(f"engawa_view_{kept.hint}")
    assert len(secret) == len("engawa_view_") + 43
    assert kept.token_hash == hashlib.sha256(secret.encode()).hexdigest()
    entry = AuditEntry.objects.get(action="create_view_token")
    assert (entry.actor_name, entry.target, set(entry.details)) == ("olga", "The school’s page", {"token", "until"})
    for row in (kept, entry):
        assert secret not in str(vars(row))


def test_it_opens_a_private_room_to_a_viewer_and_no_other_room(cast, private) -> None:
    other, _ = actions.create_room(cast.olga, "Garden")
    governing.change_visibility(cast.olga, other.pk, "private")
    grant = viewing.grant_of(made(cast)[1])
    entry = enter(private, grant)
    assert (entry.slug, entry.rights) == ("veranda", None)
    for room, with_grant in ((other, grant), (private, None), (private, viewing.grant_of(made(cast, other)[1]))):
        with pytest.raises(errors.RoomNotFound):
            enter(room, with_grant)


@pytest.mark.parametrize(
    "wrong", ["", "engawa_view_", "engawa_view_" + "x" * 43, "x" * 100_000, "a\nb", "é\ud800", "\0", "🏡"]
)
def test_what_is_no_token_is_none(cast, wrong) -> None:
    secret = made(cast)[1]
    for text in (wrong, f"{secret}{wrong}x", secret[:-1], secret.upper()):
        with pytest.raises(errors.TokenInvalid):
            viewing.grant_of(text)


def test_a_programs_token_is_none_and_programs_cannot_use_it(cast) -> None:
    _, program = programs.create_token(cast.olga, cast.room.pk, "Kestrel", ["read"])
    _, secret = made(cast)
    with pytest.raises(errors.TokenInvalid):
        viewing.grant_of(program)
    with pytest.raises(errors.TokenInvalid):
        programs.bot_of(secret)


def test_one_that_is_over_or_revoked_is_none(cast, private) -> None:
    token, secret = made(cast)
    grant = viewing.grant_of(secret)
    ViewToken.objects.update(expires_at=timezone.now())
    for ask in (lambda: viewing.grant_of(secret), lambda: enter(private, grant)):
        with pytest.raises(errors.TokenInvalid):
            ask()
    ViewToken.objects.update(expires_at=timezone.now() + DAY)
    before = SiteEvent.objects.count()
    for _ in range(2):
        viewing.revoke_view_token(cast.olga, private.pk, token.pk)
    assert AuditEntry.objects.filter(action="revoke_view_token").count() == 1
    assert SiteEvent.objects.count() == before + 1, "by which every process hears of it"
    for ask in (lambda: viewing.grant_of(secret), lambda: enter(private, grant)):
        with pytest.raises(errors.TokenInvalid):
            ask()


@pytest.mark.parametrize("term", [timedelta(0), timedelta(seconds=-1), timedelta(days=366, seconds=5)])
def test_it_ends_within_a_year(cast, term) -> None:
    with pytest.raises(errors.SettingInvalid):
        made(cast, term=term)
    assert made(cast, term=timedelta(days=366))


@pytest.mark.parametrize("name", ["", " ", None, "x" * 33, 7])
def test_it_says_whom_it_is_for(cast, name) -> None:
    with pytest.raises(errors.NameInvalid):
        made(cast, name=name)


def test_a_room_has_so_many(cast, settings) -> None:
    settings.MAX_VIEW_TOKENS = 1
    token, _ = made(cast)
    with pytest.raises(errors.TooManyItems):
        made(cast)
    viewing.revoke_view_token(cast.olga, cast.room.pk, token.pk)
    made(cast)


def test_only_the_owner_decides_about_this_room_alone(cast) -> None:
    token, _ = made(cast)
    governing.set_role(cast.olga, cast.room.pk, "sven", "moderator")
    for actor in (cast.mio, cast.sven, cast.gil):
        with pytest.raises(errors.NotAllowed):
            viewing.create_view_token(actor, cast.room.pk, "x", timezone.now() + DAY)
        with pytest.raises(errors.NotAllowed):
            viewing.revoke_view_token(actor, cast.room.pk, token.pk)
    other, _ = actions.create_room(cast.olga, "Garden")
    with pytest.raises(errors.TargetInvalid):
        viewing.revoke_view_token(cast.olga, other.pk, token.pk)
    assert ViewToken.objects.in_force().count() == 1


def test_when_it_was_used_is_written_once_a_minute(cast, django_assert_num_queries) -> None:
    _, secret = made(cast)
    with django_assert_num_queries(2):
        viewing.grant_of(secret)
    with django_assert_num_queries(1):
        viewing.grant_of(secret)
    assert ViewToken.objects.get().last_used_at is not None


def test_a_deleted_room_has_none(cast) -> None:
    _, secret = made(cast)
    governing.delete_room(cast.olga, cast.room.pk)
    assert not ViewToken.objects.exists()
    with pytest.raises(errors.TokenInvalid):
        viewing.grant_of(secret)


# What whoever comes with it may read ------------------------------------------------------------------------


def test_a_banned_network_is_banned_with_a_token_too(cast, private) -> None:
    grant = viewing.grant_of(made(cast)[1])
    governing.change_visibility(cast.olga, private.pk, "public")
    said = posting.post(new_guest("Gus", network=NETWORK), private.pk, "spam")
    moderation.ban(cast.olga, private.pk, said.mid, "network")
    governing.change_visibility(cast.olga, private.pk, "private")
    with pytest.raises(errors.Banned):
        enter(private, grant, NETWORK)
    with pytest.raises(errors.RoomNotFound):
        enter(private, None, NETWORK)
    assert enter(private, grant, keyed("198.51.100.10"))


def test_what_was_sealed_stays_sealed(cast, private) -> None:
    grant = viewing.grant_of(made(cast)[1])
    posting.post(cast.olga, private.pk, "among us")
    assert [each["message"] for each in enter(private, grant, history=9).history] == ["among us"]
    governing.change_visibility(cast.olga, private.pk, "public")
    posting.post(cast.olga, private.pk, "to all")
    for visibility in ("public", "private"):
        governing.change_visibility(cast.olga, private.pk, visibility)
        private.refresh_from_db()
        assert [each["message"] for each in enter(private, grant, history=9).history] == ["to all"]


def test_it_is_for_reading_only(cast, private) -> None:
    """A viewer has no identity, and every action asks for one; a report is none of theirs either."""
    grant = viewing.grant_of(made(cast)[1])
    said = posting.post(cast.olga, private.pk, "hello")
    from chat import review

    with pytest.raises(errors.RoomNotFound):
        review.report(None, "", private.pk, said.mid, "abuse")
    assert enter(private, grant).rights is None


# Tickets ---------------------------------------------------------------------------------------------------


def test_a_ticket_gives_what_its_token_gives(cast, private) -> None:
    token, secret = made(cast)
    grant = viewing.grant_of(secret)
    ticket, seconds = viewing.ticket_of(grant)
    assert 299 <= seconds <= 300
    assert viewing.grant_of_ticket(ticket) == grant
    assert secret not in ticket
    assert viewing.hash_of(secret) not in ticket
    viewing.revoke_view_token(cast.olga, private.pk, token.pk)
    with pytest.raises(errors.TokenInvalid):
        enter(private, viewing.grant_of_ticket(ticket))


def test_a_ticket_is_over_after_its_time_and_not_after_its_token(cast, settings, monkeypatch) -> None:
    grant = viewing.grant_of(made(cast)[1])
    now = time()
    ticket, _ = viewing.ticket_of(grant)
    short, seconds = viewing.ticket_of(Grant(grant.token_id, grant.room_id, now + 7.5))
    assert seconds in (6, 7)
    monkeypatch.setattr(viewing, "time", lambda: now + 7.6)
    assert viewing.grant_of_ticket(ticket) == grant
    with pytest.raises(errors.TokenInvalid):
        viewing.grant_of_ticket(short)
    monkeypatch.setattr(viewing, "time", lambda: now + 301)
    with pytest.raises(errors.TokenInvalid):
        viewing.grant_of_ticket(ticket)


def test_a_ticket_is_signed(cast, settings) -> None:
    grant = viewing.grant_of(made(cast)[1])
    ticket, _ = viewing.ticket_of(grant)
    payload, _, rest = ticket.partition(":")
    other, _ = viewing.ticket_of(Grant(grant.token_id + 1, grant.room_id, grant.ends_at))
    forged = [
        *(ticket[:place] + ("A" if ticket[place] != "A" else "B") + ticket[place + 1 :] for place in range(0, 60, 7)),
        other.partition(":")[0] + ":" + rest,
        signing.dumps([1, 2, 3.0, time() + 60], salt="engawa.guest"),
        signing.dumps([1, 2, 3.0, time() + 60], key="another key", salt="engawa.view"),
        payload,
        "",
        ":",
        "::",
        "é:é:é",
        "." + "A" * 100_000,
        "\n",
        "\ud800:\ud800:\ud800",
    ]
    for wrong in forged:
        with pytest.raises(errors.TokenInvalid):
            viewing.grant_of_ticket(wrong)
    settings.SECRET_KEY = "another secret, as after it was changed because it leaked"
    with pytest.raises(errors.TokenInvalid):
        viewing.grant_of_ticket(ticket)


def test_a_ticket_is_no_token_and_a_token_no_ticket(cast) -> None:
    _, secret = made(cast)
    ticket, _ = viewing.ticket_of(viewing.grant_of(secret))
    with pytest.raises(errors.TokenInvalid):
        viewing.grant_of(ticket)
    with pytest.raises(errors.TokenInvalid):
        viewing.grant_of_ticket(secret)


def test_the_policy_asks_of_which_room_a_grant_is(cast, private) -> None:
    ends_at = time() + 60
    assert policies.require_readable(private, None, "", Grant(1, private.pk, ends_at))
    with pytest.raises(errors.RoomNotFound):
        policies.require_readable(private, None, "", Grant(1, private.pk + 1, ends_at))
