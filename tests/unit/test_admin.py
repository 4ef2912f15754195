"""The site's administration in Django's admin: every page, in a bounded number of queries, and through the actions."""

import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from chat import addresses, administration, governing, posting, review, site
from chat.identity import new_guest
from chat.models import (
    ApiToken,
    AuditEntry,
    Event,
    HeldMessage,
    Invitation,
    Membership,
    Message,
    Report,
    Room,
    Sanction,
    SiteEvent,
    SiteRules,
    User,
    ViewToken,
    Webhook,
)

pytestmark = pytest.mark.django_db
MOST_QUERIES = 16
OURS = (Report, HeldMessage, Sanction, Room, User, Message, AuditEntry, Invitation, ApiToken, ViewToken, Webhook)
SECRETS = ("invitation-hash", "token-hash", "webhook-secret", "path-secret", f"{1:032}", "pbkdf2", "password-hash")


@pytest.fixture
def operator(cast) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="a password for tests"))
    return client


def list_of(model: type) -> str:
    return reverse(f"admin:chat_{model._meta.model_name}_changelist")


def page_of(thing: object) -> str:
    return reverse(f"admin:chat_{thing._meta.model_name}_change", args=[thing.pk])


def act(client: Client, action: str, *things: object) -> str:
    """Choose an action, and say yes where it asks. Returns the page that follows."""
    form = {"action": action, "_selected_action": [thing.pk for thing in things]}
    answer = client.post(list_of(type(things[0])), form, follow=True)
    if 'name="confirmed"' in answer.content.decode():
        answer = client.post(list_of(type(things[0])), {**form, "confirmed": "1"}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def fill(cast: SimpleNamespace, number: int) -> None:
    """One of everything more, in a room of its own."""
    user = User.objects.create_user(f"user{number}")
    room = Room.objects.create(slug=f"room-{number}", title=f"Room {number}")
    Membership.objects.create(room=room, user=user, role="owner")
    said = posting.post(cast.gil, room.pk, f"said {number}")
    review.report(user.identity, "", room.pk, said.mid, "spam")
    governing.change_room(None, room.pk, {"approval": "guests"})
    posting.post(cast.gil, room.pk, f"held {number}")
    later = timezone.now() + timedelta(days=1)
    Sanction.objects.create(
        room=room, kind="ban", target="network", subject=f"n{number:032}", network=f"{number:032}", name=f"x{number}"
    )
    Invitation.objects.create(room=room, token_hash=f"invitation-hash-{number}", created_by=user, expires_at=later)
    ApiToken.objects.create(room=room, name="bot", token_hash=f"token-hash-{number}", hint="abc", created_by=user)
    ViewToken.objects.create(room=room, name="site", token_hash=f"token-hash-v{number}", hint="abc", expires_at=later)
    Webhook.objects.create(
        room=room, url="https://example.org/hook/path-secret", secret=f"webhook-secret-{number}", created_by=user
    )


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_a_list_costs_as_many_queries_whatever_there_is(cast, operator: Client, model: type) -> None:
    fill(cast, 1)
    operator.get(list_of(model))
    with CaptureQueriesContext(
        connection,
    ) as few:
        assert operator.get(list_of(model)).status_code == 200
    for number in range(2, 12):
        fill(cast, number)
    with CaptureQueriesContext(connection) as many:
        page = operator.get(list_of(model))
    assert model.objects.count() >= 11
    assert len(page.context["cl"].result_list) >= 11
    assert len(many) <= max(len(few), MOST_QUERIES)
    assert len(many) <= len(few) + 1  # a date hierarchy asks once more where there are several days


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_a_page_shows_no_secret_and_no_hash(cast, operator: Client, model: type) -> None:
    fill(cast, 1)
    User.objects.filter(username="user1").update(password="pbkdf2_sha256$1$salt$password-hash-1")
    thing = User.objects.get(username="user1") if model is User else model.objects.first()
    for url in (list_of(model), list_of(model) + "?q=1", page_of(thing)):
        page = operator.get(url)
        assert page.status_code == 200
        for secret in (
            "invitation-hash",
            "token-hash",
            "webhook-secret",
            "path-secret",
            f"{1:032}",
            "pbkdf2",
            "password-hash",
        ):
            assert secret not in page.content.decode(), (url, secret)


def test_the_index_says_what_waits_and_begins_with_it(cast, operator: Client) -> None:
    fill(cast, 1)
    page = operator.get(reverse("admin:index"))
    text = page.content.decode()
    assert "1 open report<" in text
    assert "1 held message<" in text
    names = [model["object_name"] for model in page.context["app_list"][0]["models"]]
    assert names[:4] == ["Report", "HeldMessage", "Sanction", "Room"]
    assert {model.__name__ for model in admin.site._registry} >= {model.__name__ for model in OURS}


def test_room_settings_are_saved_as_the_owner_would_save_them(cast, operator: Client) -> None:
    before = cast.room.head
    form = room_form(cast, title="  New\u200b title ", posting="members")
    # What somebody else sets between the form and its answer stays.
    Room.objects.filter(pk=cast.room.pk).update(topic="set meanwhile")
    answer = operator.post(page_of(cast.room), form)
    assert answer.status_code == 302, answer.context["errors"]
    room = Room.objects.get(pk=cast.room.pk)
    assert (room.title, room.posting, room.topic, room.head) == ("New title", "members", "set meanwhile", before + 1)
    assert Event.objects.get(room=room, seq=room.head).type == "room.changed"
    assert set(AuditEntry.objects.values_list("actor_name", "action", "target")) == {
        ("the site", "change", "title"),
        ("the site", "change", "posting"),
    }
    refused = operator.post(page_of(cast.room), room_form(cast, title="\u200b"))
    assert refused.status_code == 200
    assert "at least one visible character" in refused.content.decode()


def room_form(cast: SimpleNamespace, roles: dict[str, str] | None = None, **changes: object) -> dict[str, object]:
    """A room's form as its page holds it, with these memberships: "" takes one away."""
    room = Room.objects.get(pk=cast.room.pk)
    shown = {name: getattr(room, name) for name in governing.SETTINGS}
    form = shown | changes | {f"initial-{name}": value for name, value in shown.items()}
    form = {name: value for name, value in form.items() if value is not None and value is not False}
    roles = roles or {}
    there = list(Membership.objects.filter(room=room).select_related("user").order_by("pk"))
    new = [name for name in roles if name not in {each.user.username for each in there}]
    form |= {"memberships-TOTAL_FORMS": len(there) + len(new), "memberships-INITIAL_FORMS": len(there)}
    for number, each in enumerate(there):
        role = roles.get(each.user.username, each.role)
        row = {"id": each.pk, "room": room.pk, "user": each.user_id, "role": role or each.role}
        form |= {f"memberships-{number}-{name}": value for name, value in row.items()}
        if role == "":
            form[f"memberships-{number}-DELETE"] = "on"
    for number, name in enumerate(new, len(there)):
        row = {"room": room.pk, "user": User.objects.get(username=name).pk, "role": roles[name]}
        form |= {f"memberships-{number}-{field}": value for field, value in row.items()}
    return form


def test_members_are_changed_so_that_every_process_and_the_audit_log_hear(cast, operator: Client) -> None:
    roles = {"olga": "member", "mio": "", "sven": "owner"}
    before = SiteEvent.objects.count()
    answer = operator.post(page_of(cast.room), room_form(cast, roles))
    assert answer.status_code == 302, answer.context["errors"]
    found = dict(Membership.objects.filter(room=cast.room).values_list("user__username", "role"))
    assert found == {"olga": "member", "sven": "owner"}
    assert SiteEvent.objects.filter(kind="room", subject=cast.room.pk).count() == before + 3
    said = AuditEntry.objects.filter(action="role").values_list("target", "details")
    assert dict(said) == {
        "sven": {"from": None, "to": "owner"},
        "olga": {"from": "owner", "to": "member"},
        "mio": {"from": "member", "to": None},
    }


def test_a_room_keeps_an_owner(cast, operator: Client) -> None:
    for role in ("member", ""):
        answer = operator.post(page_of(cast.room), room_form(cast, {"olga": role}))
        assert answer.status_code == 200
        assert "A room keeps an owner" in answer.content.decode()
    assert Membership.objects.get(room=cast.room, user__username="olga").role == "owner"


def test_rooms_are_archived_reopened_and_deleted_after_a_question(cast, operator: Client) -> None:
    asked = operator.post(list_of(Room), {"action": "archive", "_selected_action": [cast.room.pk]})
    assert "nothing more can be said" in asked.content.decode()
    assert Room.objects.get(pk=cast.room.pk).archived_at is None
    for action, types in (
        ("archive", ["room.archived"]),
        ("reopen", ["room.archived", "room.reopened"]),
        ("delete_rooms", ["room.changed"]),
    ):
        assert "1 room " in act(operator, action, cast.room)
        assert list(Event.objects.filter(room=cast.room).values_list("type", flat=True)) == types
    assert Room.objects.get(pk=cast.room.pk).deleted_at is not None
    assert operator.get(page_of(cast.room)).status_code == 200  # to be read, and not changed
    assert operator.post(page_of(cast.room), {"title": "again"}).status_code == 403
    assert LogEntry.objects.filter(user__username="ada").count() == 3


def ban_form(**given: str) -> dict[str, str]:
    return {"kind": "ban", "user": "", "guest": "", "address": "", "lasts": "2h", "reason": "spam"} | given


@pytest.mark.parametrize(
    ("given", "same"),
    [("203.0.113.7", "203.0.113.7"), ("::ffff:203.0.113.7", "203.0.113.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::9")],
)
def test_a_network_is_banned_by_its_address_which_is_not_kept(cast, operator: Client, given: str, same: str) -> None:
    answer = operator.post(reverse("admin:chat_sanction_add"), ban_form(address=given))
    assert answer.status_code == 302, answer.context["errors"]
    sanction = Sanction.objects.get()
    network = addresses.network_of({"client": (same, 1), "headers": []})
    assert (sanction.room, sanction.target, sanction.subject) == (None, "network", f"n{network}")
    assert timedelta(hours=1, minutes=59) < sanction.ends_at - timezone.now() <= timedelta(hours=2)
    assert SiteEvent.objects.filter(kind="site").count() == 1
    entry = AuditEntry.objects.get()
    assert (entry.room, entry.actor_name, entry.action, entry.reason) == (None, "the site", "ban", "spam")
    everything = "".join(
        str(list(model.objects.values())) for model in (Sanction, AuditEntry, LogEntry, Room, SiteEvent)
    )
    assert given not in everything
    assert "203.0.113" not in everything


def test_an_account_and_a_guest_are_banned_everywhere_and_let_in_again(cast, operator: Client) -> None:
    posting.post(cast.gil, cast.room.pk, "known by this")
    operator.post(reverse("admin:chat_sanction_add"), ban_form(user=str(cast.users.sven.pk), lasts="forever"))
    operator.post(reverse("admin:chat_sanction_add"), ban_form(guest=cast.gil.key, kind="mute"))
    found = Sanction.objects.order_by("pk")
    assert [(each.kind, each.subject, each.name, each.ends_at is None) for each in found] == [
        ("ban", cast.sven.key, "sven", True),
        ("mute", cast.gil.key, "Gil", False),
    ]
    assert "2 sanctions lifted" in act(operator, "lift", *found)
    assert not Sanction.objects.in_force().exists()
    assert SiteEvent.objects.filter(kind="site").count() == 4
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {"ban", "mute", "unban", "unmute"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "Name one"),
        ({"user": "1", "guest": "gabc"}, "Name one"),
        ({"guest": "u7"}, "begins with g"),
        ({"address": "127.0.0.1"}, "this machine"),
        ({"address": "example.org"}, "Nobody can be known"),
        ({"guest": "gabc", "lasts": "soon"}, "a number and a unit"),
    ],
)
def test_a_sanction_that_holds_nobody_is_refused(cast, operator: Client, given: dict[str, str], says: str) -> None:
    if "user" in given:
        given = {**given, "user": str(cast.users.sven.pk)}
    answer = operator.post(reverse("admin:chat_sanction_add"), ban_form(**given))
    assert answer.status_code == 200
    assert says in answer.content.decode()
    assert not Sanction.objects.exists()


def test_reports_are_closed_and_their_messages_deleted(cast, operator: Client) -> None:
    mids = [posting.post(cast.gil, cast.room.pk, f"bad {number}").mid for number in range(3)]
    reports = [review.report(cast.sven, "", cast.room.pk, mid, "abuse") for mid in mids]
    assert "bad 0" in operator.get(page_of(reports[1])).content.decode()  # what was said around it
    act(operator, "resolve", reports[0])
    act(operator, "dismiss", reports[1])
    act(operator, "delete_messages", reports[2])
    states = Report.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["resolved", "dismissed", "resolved"]
    assert [message.text for message in Message.objects.order_by("mid")] == ["bad 0", "bad 1", ""]
    assert Event.objects.filter(room=cast.room).last().type == "message.deleted"
    assert SiteEvent.objects.filter(kind="queue").count() >= 6


def test_held_messages_are_approved_and_rejected(cast, operator: Client) -> None:
    governing.change_room(None, cast.room.pk, {"approval": "guests"})
    for text in ("good", "bad"):
        posting.post(cast.gil, cast.room.pk, text)
    good, bad = HeldMessage.objects.order_by("pk")
    act(operator, "approve", good)
    act(operator, "reject", bad)
    assert [message.text for message in Message.objects.all()] == ["good"]
    assert set(HeldMessage.objects.values_list("state", "text")) == {("approved", ""), ("rejected", "")}


def test_there_is_one_set_of_site_rules(cast, operator: Client) -> None:
    add = reverse("admin:chat_siterules_add")
    rules = {"blocked_words": "spam\n", "on_words": "refuse"}
    rules |= {name: "allow" for name in ("on_links", "on_repeats", "on_shouting")}
    assert operator.post(add, rules).status_code == 302
    assert operator.get(add).status_code == 403
    found = SiteRules.objects.get()
    assert operator.get(list_of(SiteRules)).headers["Location"] == page_of(found)
    assert operator.post(page_of(found), {**rules, "on_links": "hold"}).status_code == 302
    assert SiteRules.objects.get().on_links == "hold"
    last = AuditEntry.objects.first()
    assert (last.room, last.action, last.target, last.details["to"]) == (None, "site_rules", "on_links", "hold")


def test_an_account_is_suspended_and_restored_and_not_ones_own(cast, operator: Client) -> None:
    sven, ada = cast.users.sven, User.objects.get(username="ada")
    act(operator, "suspend", sven, ada)
    assert list(User.objects.filter(is_active=False)) == [sven]
    assert SiteEvent.objects.filter(kind="user", subject=sven.pk).count() == 1
    act(operator, "restore", sven)
    assert User.objects.get(pk=sven.pk).is_active
    actions = AuditEntry.objects.order_by("pk").values_list("action", "target", "room")
    assert list(actions) == [("suspend", "sven", None), ("restore", "sven", None)]


def test_what_an_account_said_of_late_is_deleted_in_every_room(cast, operator: Client) -> None:
    other = Room.objects.create(slug="other", title="Other")
    old = posting.post(cast.sven, cast.room.pk, "long ago")
    Message.objects.filter(mid=old.mid).update(created_at=timezone.now() - timedelta(days=2))
    sven = new_guest("Sven")
    posting.post(sven, cast.room.pk, "just before I signed up")
    cast.users.sven.former_keys = sven.key
    cast.users.sven.save()
    for room in (cast.room, other):
        posting.post(cast.sven, room.pk, "just now")
        posting.post(cast.gil, room.pk, "somebody else")
    assert "3 messages deleted" in act(operator, "delete_recent", cast.users.sven)
    left = Message.objects.exclude(text="").values_list("text", flat=True)
    assert sorted(left) == ["long ago", "somebody else", "somebody else"]
    assert "just now" not in "".join(Event.objects.values_list("json", flat=True))


def test_messages_are_deleted_everywhere_be_they_hidden(cast, operator: Client) -> None:
    shown, hidden = (posting.post(cast.gil, cast.room.pk, text).mid for text in ("shown", "hidden"))
    Message.objects.filter(mid=hidden).update(hidden_at=timezone.now())
    there = [Message.objects.get(mid=mid) for mid in (shown, hidden)]
    assert "2 messages deleted" in act(operator, "delete_everywhere", *there)
    assert list(Message.objects.values_list("text", "html")) == [("", "")] * 2


def test_programs_and_invitations_are_ended(cast, operator: Client) -> None:
    fill(cast, 1)
    for action, model, field in (
        ("revoke", Invitation, "revoked_at"),
        ("revoke", ApiToken, "revoked_at"),
        ("revoke", ViewToken, "revoked_at"),
        ("disable", Webhook, "disabled_at"),
    ):
        thing = model.objects.get()
        act(operator, action, thing)
        assert getattr(model.objects.get(), field) is not None
        assert operator.post(page_of(thing), {field: ""}).status_code == 403
    assert {"revoke_invitation", "revoke_token", "revoke_view_token", "disable_webhook"} <= set(
        AuditEntry.objects.values_list("action", flat=True)
    )


def test_the_admins_own_history_names_nobody_else(cast, operator: Client) -> None:
    """It is kept for good: who is erased, and what they were called, must not stay in it."""
    said = posting.post(cast.gil, cast.room.pk, "bad")
    report = review.report(cast.sven, "", cast.room.pk, said.mid, "abuse")
    operator.post(reverse("admin:chat_sanction_add"), ban_form(user=str(cast.users.sven.pk)))
    act(operator, "lift", Sanction.objects.get())
    act(operator, "delete_messages", report)
    operator.post(page_of(cast.room), room_form(cast, {"sven": "member"}))
    entries = LogEntry.objects.values_list("object_repr", "change_message")
    assert len(entries) == 4
    assert not [entry for entry in entries if "sven" in str(entry) or "Gil" in str(entry)]


def test_who_may_only_look_can_do_nothing(cast) -> None:
    from django.contrib.auth.models import Permission

    fill(cast, 1)
    looker = User.objects.create_user("lou", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(looker)
    for model in OURS:
        page = client.get(list_of(model))
        assert page.status_code == 200
        assert 'name="action"' not in page.content.decode(), model
    report = Report.objects.get()
    client.post(list_of(Report), {"action": "resolve", "_selected_action": [report.pk], "confirmed": "1"})
    assert Report.objects.get().state == "open"
    assert client.get(reverse("admin:chat_sanction_add")).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_who_joins_a_room_and_is_suspended_waits_for_nobody(cast, monkeypatch) -> None:
    """Both lock the account and the site log, in no common order: neither may wait for the other's first lock."""
    if not connection.features.has_select_for_update:
        pytest.skip("one writer at a time")
    has_account, has_joined, order = threading.Event(), threading.Event(), []

    def user_changed(user_id: int) -> None:
        has_account.set()
        order.append(has_joined.wait(10))

    def suspend() -> None:
        administration.suspend(cast.users.sven.pk)
        connection.close()

    monkeypatch.setattr(site, "user_changed", user_changed)
    suspending = threading.Thread(target=suspend)
    with transaction.atomic():
        Membership.objects.create(room=cast.room, user=cast.users.sven)
        suspending.start()
        assert has_account.wait(10)
    has_joined.set()
    suspending.join()
    assert order == [True]
