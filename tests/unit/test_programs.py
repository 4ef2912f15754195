"""What owners decide about programs: tokens and webhooks."""

import hashlib
from datetime import timedelta

import pytest
from django.utils import timezone

from chat import actions, errors, governing, posting, programs
from chat.models import ApiToken, AuditEntry, Webhook

pytestmark = pytest.mark.django_db
HOOK = "https://hooks.example.org/engawa?key=1"


def test_a_token_is_shown_once_and_kept_as_a_hash(cast) -> None:
    token, secret = programs.create_token(cast.olga, cast.room.pk, "  Kestrel ", ["post", "read"])
    kept = ApiToken.objects.get()
    assert (kept, kept.name, kept.scopes, kept.created_by_id) == (token, "Kestrel", "read post", cast.olga.user_id)
    assert secret.startswith("engawa_")
    assert len(secret) == len("engawa_") + 43
    assert kept.token_hash == hashlib.sha256(secret.encode()).hexdigest()
    assert secret.startswith(f"engawa_{kept.hint}")
    assert secret not in str(vars(kept))
    entry = AuditEntry.objects.get(action="create_token")
    assert (entry.actor_name, entry.target) == ("olga", "Kestrel")
    assert secret not in str(vars(entry))


def test_a_token_makes_a_bot_of_its_room(cast) -> None:
    token, secret = programs.create_token(cast.olga, cast.room.pk, "Kestrel", ["read"])
    bot = programs.bot_of(secret)
    assert (bot.kind, bot.key, bot.name, bot.room_id) == ("bot", f"b{token.pk}", "Kestrel", cast.room.pk)
    assert bot.scopes == {"read"}
    assert bot.user_id is None


def test_when_it_was_used_is_written_once_a_minute(cast, django_assert_num_queries) -> None:
    token, secret = programs.create_token(cast.olga, cast.room.pk, "Kestrel", ["read"])
    with django_assert_num_queries(2):
        programs.bot_of(secret)
    with django_assert_num_queries(1):
        programs.bot_of(secret)
    before = timezone.now() - timedelta(minutes=1)
    ApiToken.objects.update(last_used_at=before)
    programs.bot_of(secret)
    token.refresh_from_db()
    assert token.last_used_at > before


def test_a_token_that_is_over_or_revoked_is_none(cast) -> None:
    soon = timezone.now() + timedelta(minutes=1)
    token, secret = programs.create_token(cast.olga, cast.room.pk, "Kestrel", ["read"], soon)
    programs.bot_of(secret)
    ApiToken.objects.update(expires_at=timezone.now())
    with pytest.raises(errors.TokenInvalid):
        programs.bot_of(secret)
    ApiToken.objects.update(expires_at=None)
    for _ in range(2):
        programs.revoke_token(cast.olga, cast.room.pk, token.pk)
    assert AuditEntry.objects.filter(action="revoke_token").count() == 1
    for wrong in (secret, "", "engawa_", "é\ud800"):
        with pytest.raises(errors.TokenInvalid):
            programs.bot_of(wrong)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        (" ", errors.NameInvalid),
        (None, errors.NameInvalid),
        ("x" * 33, errors.NameInvalid),
        ("Admin", errors.NameReserved),
        ("m0derator", errors.NameReserved),
        ("0lga", errors.NameTaken),
        ("Kestre1", errors.NameTaken),
    ],
)
def test_a_program_is_not_called_like_somebody_else(cast, name, error) -> None:
    programs.create_token(cast.olga, cast.room.pk, "Kestrel", ["read"])
    with pytest.raises(error):
        programs.create_token(cast.olga, cast.room.pk, name, ["read"])


def test_a_revoked_programs_name_is_free(cast) -> None:
    token, _ = programs.create_token(cast.olga, cast.room.pk, "Weather Bot", ["read"])
    programs.revoke_token(cast.olga, cast.room.pk, token.pk)
    programs.create_token(cast.olga, cast.room.pk, "Weather Bot", ["read"])


@pytest.mark.parametrize("scopes", [[], ["write"], ["read", "govern"]])
def test_a_token_is_for_something_that_there_is(cast, scopes) -> None:
    with pytest.raises(errors.SettingInvalid):
        programs.create_token(cast.olga, cast.room.pk, "Kestrel", scopes)


def test_a_token_is_not_over_before_it_begins(cast) -> None:
    with pytest.raises(errors.SettingInvalid):
        programs.create_token(cast.olga, cast.room.pk, "Kestrel", ["read"], timezone.now())


def test_a_room_has_so_many_tokens_and_webhooks(cast, settings) -> None:
    settings.MAX_TOKENS = settings.MAX_WEBHOOKS = 1
    token, _ = programs.create_token(cast.olga, cast.room.pk, "Kestrel", ["read"])
    webhook, _ = programs.create_webhook(cast.olga, cast.room.pk, HOOK)
    with pytest.raises(errors.TooManyItems):
        programs.create_token(cast.olga, cast.room.pk, "Heron", ["read"])
    with pytest.raises(errors.TooManyItems):
        programs.create_webhook(cast.olga, cast.room.pk, HOOK)
    programs.revoke_token(cast.olga, cast.room.pk, token.pk)
    programs.remove_webhook(cast.olga, cast.room.pk, webhook.pk)
    programs.create_token(cast.olga, cast.room.pk, "Heron", ["read"])
    programs.create_webhook(cast.olga, cast.room.pk, HOOK)


def test_only_the_owner_decides(cast) -> None:
    token, _ = programs.create_token(cast.olga, cast.room.pk, "Kestrel", ["read"])
    webhook, _ = programs.create_webhook(cast.olga, cast.room.pk, HOOK)
    governing.set_role(cast.olga, cast.room.pk, "sven", "moderator")
    for actor in (cast.mio, cast.sven, cast.gil):
        for action in (
            lambda actor: programs.create_token(actor, cast.room.pk, "Heron", ["read"]),
            lambda actor: programs.revoke_token(actor, cast.room.pk, token.pk),
            lambda actor: programs.create_webhook(actor, cast.room.pk, HOOK),
            lambda actor: programs.remove_webhook(actor, cast.room.pk, webhook.pk),
            lambda actor: programs.enable_webhook(actor, cast.room.pk, webhook.pk),
        ):
            with pytest.raises(errors.NotAllowed):
                action(actor)
    assert ApiToken.objects.in_force().count() == Webhook.objects.count() == 1


def test_what_is_another_rooms_is_not_there(cast) -> None:

    other, _ = actions.create_room(cast.olga, "Garden")
    token, _ = programs.create_token(cast.olga, other.pk, "Kestrel", ["read"])
    webhook, _ = programs.create_webhook(cast.olga, other.pk, HOOK)
    for action, pk in [
        (programs.revoke_token, token.pk),
        (programs.remove_webhook, webhook.pk),
        (programs.enable_webhook, webhook.pk),
    ]:
        with pytest.raises(errors.TargetInvalid):
            action(cast.olga, cast.room.pk, pk)


def test_a_webhook_begins_where_the_room_is(cast) -> None:
    posting.post(cast.olga, cast.room.pk, "before")
    webhook, secret = programs.create_webhook(cast.olga, cast.room.pk, HOOK)
    assert (webhook.position, webhook.secret, len(secret)) == (1, secret, 43)
    entry = AuditEntry.objects.get(action="create_webhook")
    assert entry.target == "https://hooks.example.org"
    assert secret not in str(vars(entry))
    programs.enable_webhook(cast.olga, cast.room.pk, webhook.pk)
    assert not AuditEntry.objects.filter(action="enable_webhook").exists()
    Webhook.objects.update(disabled_at=timezone.now(), failures=20)
    programs.enable_webhook(cast.olga, cast.room.pk, webhook.pk)
    webhook.refresh_from_db()
    assert (webhook.disabled_at, webhook.failures, webhook.position) == (None, 0, 1)
    programs.remove_webhook(cast.olga, cast.room.pk, webhook.pk)
    assert {entry.action for entry in AuditEntry.objects.filter(target="https://hooks.example.org")} == {
        "create_webhook",
        "enable_webhook",
        "remove_webhook",
    }


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "x",
        "ftp://example.org/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://example.org:99999/",
        "https://example.org:0/",
        "https://olga:secret@example.org/",
        "https://evil.example\\@example.org/",
        "https://example.org/#part",
        "https://example.org/a b",
        "https://é.example/",
        "https://example.org/" + "x" * 500,
        "http://127.0.0.1/",
        "http://localhost:8000/",
        "http://x.localhost/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
    ],
)
def test_what_could_never_be_called_is_refused(cast, url) -> None:
    with pytest.raises(errors.WebhookInvalid):
        programs.create_webhook(cast.olga, cast.room.pk, url)


def test_a_site_may_call_its_own_network(cast, settings) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    assert programs.create_webhook(cast.olga, cast.room.pk, "http://127.0.0.1:9000/hook")[0].url


def test_a_deleted_room_has_none(cast) -> None:
    programs.create_webhook(cast.olga, cast.room.pk, HOOK)
    governing.delete_room(cast.olga, cast.room.pk)
    assert not Webhook.objects.exists()
