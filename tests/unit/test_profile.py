"""An account's own page: another name, a colour."""

import pytest
from django.test import Client

from chat import actions, errors, governing, people, personal, posting
from chat.hues import HUES, NAMES
from chat.models import AuditEntry, Message, ReadMark, SiteEvent, User
from chat.visitors import account_of, signed_out

pytestmark = pytest.mark.django_db
PROFILE = "/accounts/profile/"


@pytest.fixture
def mio(cast) -> Client:
    client = Client()
    client.force_login(cast.users.mio)
    return client


def rename(client: Client, name: str) -> object:
    return client.post(PROFILE, {"part": "name", "username": name})


def test_another_name_and_what_was_said_keeps_the_old_one(cast, mio) -> None:
    posting.post(cast.mio, cast.room.pk, "before")
    assert rename(mio, "Ｍｉyu").status_code == 302
    user = User.objects.get(pk=cast.mio.user_id)
    assert user.username == "Miyu"
    posting.post(user.identity, cast.room.pk, "after")
    assert list(Message.objects.values_list("author_name", "author_key")) == [
        ("mio", cast.mio.key),
        ("Miyu", cast.mio.key),
    ]
    assert mio.get(PROFILE).status_code == 200  # still signed in
    people.rename(cast.users.sven, "mio")  # the old one is free
    assert AuditEntry.objects.filter(action="rename", actor_name="mio").exists()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("olga", "name.taken"),
        ("0LGA", "name.taken"),
        ("admin", "name.reserved"),
        ("guest-012abc", "name.reserved"),
        ("a b", None),
        ("", None),
        ("x" * 151, None),
        ("mi\u200bo", None),
    ],
)
def test_a_name_is_screened_as_at_signing_up(cast, mio, name: str, code: str | None) -> None:
    page = rename(mio, name)
    assert page.status_code >= 400
    assert 'role="alert"' in page.text
    assert User.objects.get(pk=cast.mio.user_id).username == "mio"
    if code:
        with pytest.raises(errors.ChatError) as refused:
            people.rename(cast.users.mio, name)
        assert refused.value.code == code


def test_ones_own_name_may_be_written_otherwise(cast, mio) -> None:
    assert rename(mio, "MIO").status_code == 302
    assert User.objects.get(pk=cast.mio.user_id).username == "MIO"


def test_connections_under_the_old_name_end(cast, mio) -> None:
    actor = account_of(mio.session.session_key)
    sessions = {actor.session_key: actor}
    assert not signed_out(sessions)
    rename(mio, "mio")
    assert not SiteEvent.objects.filter(kind="user", subject=cast.mio.user_id).exists()
    rename(mio, "miyu")
    assert SiteEvent.objects.filter(kind="user", subject=cast.mio.user_id).exists()
    assert signed_out(sessions) == set(sessions)


def test_a_colour_is_chosen_by_name_and_given_up(cast, mio) -> None:
    assert len(NAMES) == HUES == len(set(map(str, NAMES)))
    page = mio.get(PROFILE).text
    assert all(str(name) in page for name in NAMES)
    assert mio.post(PROFILE, {"part": "colour", "hue": "4"}).status_code == 302
    assert User.objects.get(pk=cast.mio.user_id).hue == 4
    assert 'name="hue" value="4" checked' in mio.get(PROFILE).text
    for wrong in ("12", "-1", "x", "1.5"):
        assert mio.post(PROFILE, {"part": "colour", "hue": wrong}).status_code == 400
    assert User.objects.get(pk=cast.mio.user_id).hue == 4
    mio.post(PROFILE, {"part": "colour", "hue": ""})
    assert User.objects.get(pk=cast.mio.user_id).hue is None


def test_what_is_kept_of_it_is_exported_and_erased(cast, mio) -> None:
    mid = posting.post(cast.gil, cast.room.pk, "hello").mid
    mio.post(PROFILE, {"part": "colour", "hue": "4"})
    mio.post("/chat/veranda/commands", {"type": "seen", "mid": mid})
    user = User.objects.get(pk=cast.mio.user_id)
    written = "".join(personal.export(user))
    assert '"colour": 4' in written
    assert f'"room": "veranda", "mid": "{mid}"' in written
    personal.erase(user, "delete")
    assert not ReadMark.objects.exists()
    assert actions.create_room(cast.olga, "Veranda")[1] is False


def test_names_that_an_account_had_before_are_erased_with_it(cast, mio) -> None:
    quiet, _ = actions.create_room(cast.olga, "Where mio says nothing")

    governing.set_role(cast.olga, quiet.pk, "mio", "member")
    rename(mio, "miyu")
    governing.set_role(cast.olga, quiet.pk, "miyu", "moderator")
    rename(mio, "mika")
    people.rename(cast.users.sven, "mio")  # whose name it is by now
    governing.set_role(cast.olga, quiet.pk, "mio", "member")
    assert list(AuditEntry.objects.filter(action="role").values_list("target", flat=True)) == ["mio", "miyu", "mio"]
    personal.erase(User.objects.get(pk=cast.mio.user_id), "delete")
    left = AuditEntry.objects.filter(action="role").values_list("target", flat=True)
    assert list(left) == ["mio", "deleted account", "deleted account"]
    assert not AuditEntry.objects.filter(actor_name__in=["miyu", "mika"]).exists()
