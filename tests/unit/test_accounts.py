"""Signing up, taking a name, and a guest who becomes an account."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from chat import actions, errors, log, moderation, people, posting, screening
from chat.identity import guest_token, new_guest, read_guest_token
from chat.models import AuditEntry, FormerGuest, HeldMessage, Message, Reaction, Room, Sanction, SiteRules, User
from chat.standing import standing_in

pytestmark = pytest.mark.django_db
PASSWORD = "a long password"
NETWORK = "n" * 32


def sign_up(client: Client, name: str, **more: str) -> object:
    form = {"username": name, "password1": PASSWORD, "password2": PASSWORD, **more}
    return client.post("/accounts/signup/", form)


def as_guest(guest) -> Client:
    client = Client()
    client.cookies["guest"] = guest_token(guest)
    return client


# Names ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["olga", "OLGA", "ｏｌｇａ", "оlga", "olga.", "0lga", "ol\u1160ga"])
def test_an_account_is_not_called_what_looks_like_another(cast, name: str) -> None:
    page = sign_up(Client(), name)
    assert page.status_code == 200
    assert not User.objects.exclude(username__in=["olga", "mio", "sven"]).exists()


def test_kana_that_look_alike_are_one_name(cast) -> None:
    assert sign_up(Client(), "へいほー").status_code == 302
    for name in ("ヘイホー", "ﾍｲﾎｰ", "ヘィホー"):
        page = sign_up(Client(), name)
        assert str(errors.NameTaken.detail) in page.text.replace("&#x27;", "'")
    assert sign_up(Client(), "へいわ").status_code == 302


@pytest.mark.parametrize("name", ["admin", "Аdmin", "moderator_1", "ｓｙｓｔｅｍ", "管理人"])
def test_an_account_does_not_speak_for_the_site(cast, name: str) -> None:
    assert str(errors.NameReserved.detail) in sign_up(Client(), name).text


def test_what_the_site_does_not_want_said_is_nobody_s_name(cast) -> None:
    SiteRules.objects.create(blocked_words="xyzzy")
    assert str(errors.NameReserved.detail) in sign_up(Client(), "xyzzy").text


def test_of_two_who_ask_at_one_moment_one_is_refused(cast) -> None:
    first, second = User(username="ana"), User(username="аna")
    screening.check_username(first.username)
    screening.check_username(second.username)  # both forms were in order
    people.sign_up(first, None)
    with pytest.raises(errors.NameTaken):
        people.sign_up(second, None)
    assert second.pk is None


@pytest.mark.django_db(transaction=True)
def test_of_many_who_ask_at_one_moment_one_is_let_in(cast) -> None:
    def sign_up(name: str) -> bool:
        try:
            people.sign_up(User(username=name), new_guest())
            return True
        except errors.NameTaken:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(sign_up, ["ana", "аna", "anа", "Ana", "АNА", "an.a"])) == 1
    assert User.objects.filter(skeleton="ana").count() == 1


def test_accounts_that_were_there_before_have_a_skeleton_after_the_migration(cast) -> None:
    User.objects.filter(username="olga").update(skeleton="")
    import_module("chat.migrations.0004_people").fill_skeletons(apps, None)
    with pytest.raises(errors.NameTaken):
        screening.check_username("ОLGA")


def name_of(client: Client) -> str:
    return read_guest_token(client.cookies["guest"].value, 60).name


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("admin", errors.NameReserved),
        ("Olga", errors.NameTaken),
        ("оlgа", errors.NameTaken),
        ("Ｇil", errors.NameTaken),
    ],
)
def test_a_guest_is_told_at_once_that_a_name_is_taken_in_the_room(cast, name: str, error: type) -> None:
    posting.post(cast.gil, cast.room.pk, "here I am")
    client = Client()
    client.get("/chat/veranda/")
    before = name_of(client)
    page = client.post("/accounts/guest/", {"name": name, "next": "/chat/veranda/"}, follow=True)
    assert str(error.detail) in page.text
    assert name_of(client) == before


def test_a_name_is_taken_in_its_room_only_and_for_a_while(cast) -> None:
    posting.post(cast.gil, cast.room.pk, "here I am")
    actions.create_room(cast.olga, "elsewhere")
    client = Client()
    client.get("/chat/veranda/")
    client.post("/accounts/guest/", {"name": "Gil", "next": "/chat/elsewhere/"})
    assert name_of(client) == "Gil"
    cast.room.participants.update(seen_at=timezone.now() - timedelta(minutes=django_settings.NAME_MINUTES + 1))
    screening.check_name_in(cast.room, new_guest(), "Gil")


def test_what_a_private_room_s_members_are_called_is_not_told(cast) -> None:
    room, _ = actions.create_room(cast.olga, "hideaway", "private")
    client = Client()
    client.get("/chat/veranda/")
    client.post("/accounts/guest/", {"name": "Olga", "next": f"/chat/{room.slug}/"})
    assert name_of(client) == "Olga"


def test_keeping_one_s_name_is_no_change(cast) -> None:
    client = Client()
    client.get("/chat/veranda/")
    name = name_of(client)
    page = client.post("/accounts/guest/", {"name": name, "next": "/chat/veranda/"}, follow=True)
    assert str(errors.NameReserved.detail) not in page.text
    assert name_of(client) == name


# A guest who signs up ---------------------------------------------------------------------------------------


def test_what_a_guest_said_is_the_account_s(cast) -> None:
    mid = posting.post(cast.gil, cast.room.pk, "mine").mid
    actions.react(cast.gil, cast.room.pk, mid, "👍")
    Room.objects.filter(pk=cast.room.pk).update(approval="guests")
    posting.post(cast.gil, cast.room.pk, "waiting")
    client = as_guest(cast.gil)
    assert sign_up(client, "gilbert", next="/chat/veranda/")["Location"] == "/chat/veranda/"
    assert client.cookies["guest"].value == ""
    user = User.objects.get(username="gilbert")
    assert user.identity.ids == (f"u{user.pk}", cast.gil.key)
    message = Message.objects.get(mid=mid)
    assert (message.author, message.author_key, message.author_name) == (user, cast.gil.key, "Gil")
    assert HeldMessage.objects.get().author == user
    assert FormerGuest.objects.get().user == user
    actions.edit(user.identity, cast.room.pk, mid, "still mine")
    assert f'data-my-ids="u{user.pk} {cast.gil.key}"' in client.get("/chat/veranda/").text
    # Their reaction is theirs as well: a second of the same is the first.
    actions.react(user.identity, cast.room.pk, mid, "👍")
    assert Reaction.objects.count() == 1
    actions.react(user.identity, cast.room.pk, mid, "👍", wanted=False)
    assert Message.objects.get(mid=mid).reaction_counts == {}


def test_what_an_open_connection_says_after_it_is_theirs_too(cast) -> None:
    sign_up(as_guest(cast.gil), "gilbert")
    mid = posting.post(cast.gil, cast.room.pk, "from a tab that was left open").mid
    actions.delete(User.objects.get(username="gilbert").identity, cast.room.pk, mid)


def test_a_guest_is_adopted_once(cast) -> None:
    mid = posting.post(cast.gil, cast.room.pk, "mine").mid
    sign_up(as_guest(cast.gil), "gilbert")
    sign_up(as_guest(cast.gil), "bertil")
    assert Message.objects.get(mid=mid).author.username == "gilbert"
    with pytest.raises(errors.NotAllowed):
        actions.edit(User.objects.get(username="bertil").identity, cast.room.pk, mid, "not mine")


def test_a_session_is_over_before_connections_are_asked_about_it(client: Client, monkeypatch) -> None:
    sign_up(client, "plover")
    left: list[int] = []
    monkeypatch.setattr("chat.site.user_changed", lambda user_id: left.append(Session.objects.count()))
    client.post("/accounts/logout/")
    assert left == [0]


def test_logging_in_mixes_nobody(cast) -> None:
    mid = posting.post(cast.gil, cast.room.pk, "a guest said so").mid
    cast.users.sven.set_password(PASSWORD)
    cast.users.sven.save()
    client = as_guest(cast.gil)
    client.post("/accounts/login/", {"username": "sven", "password": PASSWORD})
    assert f'data-my-ids="u{cast.users.sven.pk}"' in client.get("/chat/veranda/").text
    assert Message.objects.get(mid=mid).author is None
    assert not FormerGuest.objects.exists()
    with pytest.raises(errors.NotAllowed):
        actions.edit(User.objects.get(username="sven").identity, cast.room.pk, mid, "not mine")
    client.post("/accounts/logout/")
    assert f'data-my-ids="{cast.gil.key}"' in client.get("/chat/veranda/").text


def test_who_is_signed_in_does_not_sign_up(cast) -> None:
    client = as_guest(cast.gil)
    client.force_login(cast.users.sven)
    assert client.get("/accounts/signup/").status_code == 302
    assert sign_up(client, "gilbert").status_code == 302
    assert not User.objects.filter(username="gilbert").exists()


def test_a_ban_is_not_washed_off(cast) -> None:
    mid = posting.post(cast.gil, cast.room.pk, "spam").mid
    moderation.ban(cast.olga, cast.room.pk, mid, seconds=3600, reason="spam")
    moderation.mute(cast.olga, cast.room.pk, mid, 60)
    old = Sanction.objects.get(kind="mute")
    moderation.lift(cast.olga, cast.room.pk, old.pk)
    client = as_guest(cast.gil)
    sign_up(client, "gilbert")
    user = User.objects.get(username="gilbert")
    standing = standing_in(cast.room, user.identity)
    assert standing.ban.ends_at == Sanction.objects.get(kind="ban", subject=cast.gil.key).ends_at
    assert standing.mute is None, "a lifted one stays lifted"
    assert client.get("/chat/veranda/").status_code == 403
    assert AuditEntry.objects.get(action="ban_carried").target == "gilbert"


@pytest.mark.parametrize("has_cookie", [True, False])
def test_a_ban_that_holds_newer_guests_of_a_network_holds_their_accounts(cast, has_cookie: bool) -> None:
    spammer = replace(cast.gil, network=NETWORK)
    mid = posting.post(spammer, cast.room.pk, "spam").mid
    older = new_guest("older", network=NETWORK)
    elsewhere = new_guest("elsewhere", network="e" * 32)
    moderation.ban(cast.olga, cast.room.pk, mid)
    newer = new_guest("newer", network=NETWORK) if has_cookie else None
    for name, guest, is_banned in [("neu", newer, True), ("old", older, False), ("far", elsewhere, False)]:
        user = User(username=name)
        people.sign_up(user, guest, NETWORK)
        assert (standing_in(cast.room, user.identity).ban is not None) == is_banned, name


def test_moderators_reach_all_that_somebody_said_before_and_after(cast) -> None:
    posting.post(cast.gil, cast.room.pk, "before")
    sign_up(as_guest(cast.gil), "gilbert")
    user = User.objects.get(username="gilbert")
    mid = posting.post(user.identity, cast.room.pk, "after").mid
    assert moderation.delete_recent(cast.olga, cast.room.pk, mid) == 2


def test_the_page_knows_nobody_without_an_account(cast) -> None:
    page = Client().get("/accounts/signup/?next=/chat/veranda/")
    assert 'name="next" value="/chat/veranda/"' in page.text
    assert "/accounts/login/?next=/chat/veranda/" in page.text
    # Nobody is sent to another site.
    assert sign_up(Client(), "rita", next="https://example.org/")["Location"] == "/chat/"


@pytest.mark.django_db(transaction=True)
def test_who_signs_up_waits_for_no_room_that_they_were_never_in(cast) -> None:
    """They hold the site log, which whoever has such a room locked may be about to ask for."""
    if not connection.features.has_select_for_update:
        pytest.skip("one writer at a time")
    spammer = new_guest("Spam", "5e" * 16)
    mid = posting.post(spammer, cast.room.pk, "buy").mid
    moderation.ban(cast.olga, cast.room.pk, mid)
    guest = new_guest("Newer", "5e" * 16)
    user = User(username="newer")

    def sign_up() -> None:
        people.sign_up(user, guest, guest.network)
        connection.close()

    signing_up = threading.Thread(target=sign_up)
    with transaction.atomic():
        log.lock(cast.room.pk)
        signing_up.start()
        signing_up.join(10)
        is_done = not signing_up.is_alive()
    signing_up.join()
    assert is_done
    assert Sanction.objects.filter(subject=f"u{user.pk}", room=cast.room).exists()
