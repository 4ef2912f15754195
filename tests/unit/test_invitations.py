"""Links that make members, and the page of those who are."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient, Client
from django.utils import timezone

from chat import actions, errors, governing, invitations, moderation, posting
from chat.models import AuditEntry, Invitation, Membership, Room, User
from chat.standing import standing_in

pytestmark = pytest.mark.django_db


def role_of(cast, name: str) -> str:
    return standing_in(cast.room, getattr(cast, name)).role


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_link_makes_a_member(cast) -> None:
    made, token = invitations.invite(cast.olga, cast.room.pk)
    assert token not in str(Invitation.objects.values())
    assert invitations.look(token) == made
    assert invitations.accept(cast.sven, token) == cast.room
    assert role_of(cast, "sven") == "member"
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "target")) == [
        ("invite", "member"),
        ("join", "sven"),
    ]


def test_who_may_invite_to_what(cast) -> None:
    governing.set_role(cast.olga, cast.room.pk, "mio", "moderator")
    invitations.invite(cast.olga, cast.room.pk, "moderator")
    invitations.invite(cast.mio, cast.room.pk, "member")
    for actor, role in [(cast.mio, "moderator"), (cast.sven, "member"), (cast.gil, "member")]:
        with pytest.raises(errors.NotAllowed):
            invitations.invite(actor, cast.room.pk, role)
    for role in ("owner", "none", None, 7, ["member"]):
        with pytest.raises(errors.SettingInvalid):
            invitations.invite(cast.olga, cast.room.pk, role)


@pytest.mark.parametrize(
    "bad",
    [{"days": 0}, {"days": 31}, {"days": "x"}, {"days": True}, {"most_uses": 0}, {"most_uses": -1}, {"most_uses": 1e9}],
)
def test_links_have_bounds(cast, bad: dict) -> None:
    with pytest.raises(errors.SettingInvalid):
        invitations.invite(cast.olga, cast.room.pk, **bad)


def test_a_room_has_so_many_links_at_a_time(cast, settings) -> None:
    settings.MAX_INVITATIONS = 2
    first, _ = invitations.invite(cast.olga, cast.room.pk)
    invitations.invite(cast.olga, cast.room.pk)
    with pytest.raises(errors.TooManyItems):
        invitations.invite(cast.olga, cast.room.pk)
    invitations.revoke(cast.olga, cast.room.pk, first.pk)
    invitations.invite(cast.olga, cast.room.pk)


def test_a_link_is_for_so_many_people_each_once(cast) -> None:
    _, token = invitations.invite(cast.olga, cast.room.pk, most_uses=1)
    for _ in range(3):
        invitations.accept(cast.mio, token)  # a member already
    invitations.accept(cast.sven, token)
    assert Invitation.objects.get().uses == 1
    rita = User.objects.create_user("rita").identity
    with pytest.raises(errors.InvitationInvalid):
        invitations.accept(rita, token)
    with pytest.raises(errors.InvitationInvalid):
        invitations.look(token)


def test_a_role_is_raised_and_never_lowered(cast) -> None:
    _, for_moderators = invitations.invite(cast.olga, cast.room.pk, "moderator")
    _, for_members = invitations.invite(cast.olga, cast.room.pk, "member")
    invitations.accept(cast.olga, for_members)
    assert role_of(cast, "olga") == "owner"
    invitations.accept(cast.mio, for_moderators)
    invitations.accept(cast.mio, for_members)
    assert role_of(cast, "mio") == "moderator"
    assert list(Invitation.objects.order_by("pk").values_list("uses", flat=True)) == [1, 0]


def test_who_was_banned_stays_out(cast) -> None:
    mid = posting.post(cast.sven, cast.room.pk, "spam").mid
    moderation.ban(cast.olga, cast.room.pk, mid)
    _, token = invitations.invite(cast.olga, cast.room.pk)
    with pytest.raises(errors.Banned):
        invitations.accept(cast.sven, token)
    assert Invitation.objects.get().uses == 0


def test_a_guest_needs_an_account(cast) -> None:
    _, token = invitations.invite(cast.olga, cast.room.pk)
    with pytest.raises(errors.NotAllowed):
        invitations.accept(cast.gil, token)


def test_links_that_are_no_longer_good(cast) -> None:
    governing.set_role(cast.olga, cast.room.pk, "mio", "moderator")

    def fresh(actor=cast.olga) -> tuple[Invitation, str]:
        return invitations.invite(actor, cast.room.pk)

    over, over_token = fresh()
    Invitation.objects.filter(pk=over.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    revoked, revoked_token = fresh()
    invitations.revoke(cast.mio, cast.room.pk, revoked.pk)
    _, theirs = fresh(cast.mio)
    governing.set_role(cast.olga, cast.room.pk, "mio", "member")
    for token in (over_token, revoked_token, theirs, "", "x", "x" * 500, "é", None, 7):
        with pytest.raises(errors.InvitationInvalid):
            invitations.look(token)
        with pytest.raises(errors.InvitationInvalid):
            invitations.accept(cast.sven, token)
    _, last = fresh()
    governing.delete_room(cast.olga, cast.room.pk)
    with pytest.raises(errors.InvitationInvalid):
        invitations.look(last)


def test_only_who_could_make_a_link_revokes_it(cast) -> None:
    made, _ = invitations.invite(cast.olga, cast.room.pk, "moderator")
    governing.set_role(cast.olga, cast.room.pk, "mio", "moderator")
    for actor in (cast.mio, cast.sven):
        with pytest.raises(errors.NotAllowed):
            invitations.revoke(actor, cast.room.pk, made.pk)
    for pk in (0, "x", None, made.pk + 1, "9" * 30):
        with pytest.raises(errors.InvitationInvalid):
            invitations.revoke(cast.olga, cast.room.pk, pk)


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_no_more_than_the_link_is_for(cast) -> None:
    _, token = invitations.invite(cast.olga, cast.room.pk, most_uses=3)
    people = [User.objects.create_user(f"person{number}").identity for number in range(8)]

    def accept(actor) -> bool:
        try:
            invitations.accept(actor, token)
            return True
        except errors.InvitationInvalid:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        came_in = list(threads.map(accept, people))
    assert sum(came_in) == 3
    assert Invitation.objects.get().uses == 3
    assert Membership.objects.filter(room=cast.room, user__username__startswith="person").count() == 3


# The pages ------------------------------------------------------------------------------------------------


def test_the_page_of_a_link_leads_back_from_signing_in(cast) -> None:
    room, _ = actions.create_room(cast.olga, "hideaway", "private")
    _, token = invitations.invite(cast.olga, room.pk)
    here = f"/join/{token}/"
    page = Client().get(here)
    assert "hideaway" in page.text
    assert "olga" in page.text
    assert f"/accounts/signup/?next={here}" in page.text
    assert f"/accounts/login/?next={here}" in page.text
    assert page["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page["X-Robots-Tag"]
    assert "no-store" in page["Cache-Control"]
    assert Client().post(here).status_code == 403
    client = signed_in(cast.users.sven)
    assert client.get(f"/chat/{room.slug}/").status_code == 404
    assert client.get(here)["Referrer-Policy"] == "strict-origin", "or its form would be refused"
    assert client.post(here)["Location"] == f"/chat/{room.slug}/"
    assert client.get(f"/chat/{room.slug}/").status_code == 200


def test_a_link_that_is_not_good_tells_nothing(cast) -> None:
    made, token = invitations.invite(cast.olga, cast.room.pk)
    invitations.revoke(cast.olga, cast.room.pk, made.pk)
    revoked, unknown = Client().get(f"/join/{token}/"), Client().get("/join/never-was/")
    assert revoked.status_code == unknown.status_code == 404
    # The form that changes the language has a token of its own, and the address to come back to.
    told = [re.sub(r'name="(csrfmiddlewaretoken|next)" value="[^"]*"', "", page.text) for page in (revoked, unknown)]
    assert told[0] == told[1]
    assert str(errors.InvitationInvalid.detail) in revoked.text
    assert "no-store" in revoked["Cache-Control"]
    assert revoked["Referrer-Policy"] == "no-referrer"
    assert signed_in(cast.users.sven).post(f"/join/{token}/").status_code == 404


def test_who_sees_the_members(cast) -> None:
    private, _ = actions.create_room(cast.olga, "hideaway", "private")
    Membership.objects.create(room=private, user=cast.users.mio)
    for slug, name, sees in [
        ("veranda", "olga", True),
        ("veranda", "mio", False),
        ("veranda", "sven", None),
        (private.slug, "mio", True),
        (private.slug, "sven", None),
    ]:
        page = signed_in(getattr(cast.users, name)).get(f"/chat/{slug}/members")
        assert page.status_code == (404 if sees is None else 200)
        assert ('aria-label="Members"' in page.text) == bool(sees), (slug, name)
        if sees is not None:
            assert 'value="leave"' in page.text
            assert ('value="remove"' in page.text) == (name == "olga")
            assert ('value="invite"' in page.text) == (name == "olga")
    assert Client().get("/chat/veranda/members").status_code == 404


def test_a_moderator_removes_members_and_nobody_else(cast) -> None:
    governing.set_role(cast.olga, cast.room.pk, "mio", "moderator")
    Membership.objects.create(room=cast.room, user=cast.users.sven)
    other = User.objects.create_user("rita")
    Membership.objects.create(room=cast.room, user=other, role="moderator")
    client = signed_in(cast.users.mio)
    for form, status in [
        ({"action": "remove", "username": "rita"}, 403),
        ({"action": "remove", "username": "olga"}, 403),
        ({"action": "role", "username": "sven", "role": "moderator"}, 403),
        ({"action": "role", "username": "nobody", "role": "member"}, 403),
        ({"action": "remove", "username": "ri\0ta"}, 403),
        ({"action": "invite", "role": "moderator", "days": "7"}, 403),
        ({"action": "nonsense"}, 400),
        ({"action": "remove", "username": "sven"}, 302),
    ]:
        assert client.post("/chat/veranda/members", form).status_code == status, form
    assert set(Membership.objects.values_list("user__username", "role")) == {
        ("olga", "owner"),
        ("mio", "moderator"),
        ("rita", "moderator"),
    }


def test_an_owner_gives_roles_and_links_without_a_script(cast) -> None:
    client = signed_in(cast.users.olga)
    client.post("/chat/veranda/members", {"action": "role", "username": "mio", "role": "moderator"})
    assert role_of(cast, "mio") == "moderator"
    page = client.post("/chat/veranda/members", {"action": "invite", "role": "member", "days": "3", "most_uses": ""})
    token = re.search(r'value="http://[^"]*/join/([\w-]+)/"', page.text)[1]
    assert "used 0 times" in page.text
    assert invitations.look(token).most_uses is None
    assert token not in client.get("/chat/veranda/members").text
    made = Invitation.objects.get()
    client.post("/chat/veranda/members", {"action": "revoke", "invitation": made.pk})
    with pytest.raises(errors.InvitationInvalid):
        invitations.look(token)
    page = client.post("/chat/veranda/members", {"action": "leave"})
    assert page.status_code == 403
    assert "A room keeps an owner" in page.text


def test_leaving_a_private_room_leads_to_the_others(cast) -> None:
    assert signed_in(cast.users.mio).post("/chat/veranda/members", {"action": "leave"})["Location"] == "/chat/veranda/"
    room, _ = actions.create_room(cast.olga, "hideaway", "private")
    Membership.objects.create(room=room, user=cast.users.mio)
    assert signed_in(cast.users.mio).post(f"/chat/{room.slug}/members", {"action": "leave"})["Location"] == "/chat/"
    assert Room.objects.get(pk=room.pk).memberships.count() == 1


def test_a_suspended_account_invites_nobody(cast) -> None:
    _, token = invitations.invite(cast.olga, cast.room.pk)
    User.objects.filter(username="olga").update(is_active=False)
    with pytest.raises(errors.InvitationInvalid):
        invitations.accept(cast.sven, token)


@pytest.mark.django_db(transaction=True)
async def test_nobody_comes_and_goes_without_end(cast, settings) -> None:
    """Each time everybody in the room is asked about anew."""
    settings.POSTS_PER_MINUTE = 3
    _, token = await sync_to_async(invitations.invite)(cast.olga, cast.room.pk)
    sven = AsyncClient()
    await sven.aforce_login(cast.users.sven)
    answers = []
    for _ in range(2):
        answers.append(await sven.post(f"/join/{token}/"))
        answers.append(await sven.post("/chat/veranda/members", {"action": "leave"}))
    assert [answer.status_code for answer in answers] == [302, 302, 302, 429]


def test_a_link_by_somebody_banned_leads_nowhere(cast) -> None:
    """Also where they keep their role."""
    governing.set_role(cast.olga, cast.room.pk, "mio", "moderator")
    _, token = invitations.invite(cast.mio, cast.room.pk)
    mid = posting.post(cast.mio, cast.room.pk, "too much").mid
    moderation.ban(cast.olga, cast.room.pk, mid)
    with pytest.raises(errors.InvitationInvalid):
        invitations.accept(cast.sven, token)
