"""The owner's page for programs."""

import pytest
from django.test import Client
from django.utils import timezone

from chat import programs
from chat.models import ApiToken, Webhook
from tests.unit.browsers import as_guest, signed_in

pytestmark = pytest.mark.django_db
URL = "/chat/veranda/programs"
HOOK = "https://hooks.example.org/engawa"


@pytest.fixture
def olga(cast) -> Client:
    return signed_in(cast.users.olga)


def test_it_is_there_for_the_owner_only(cast, olga) -> None:
    assert olga.get(URL).status_code == 200
    for other in (signed_in(cast.users.mio), signed_in(cast.users.sven), as_guest(cast.gil), Client()):
        assert other.get(URL).status_code == 404
        assert other.post(URL, {"action": "create_webhook", "url": HOOK}).status_code == 404
    assert not Webhook.objects.exists()


def test_it_needs_the_csrf_token(cast) -> None:
    olga = signed_in(cast.users.olga, enforce_csrf_checks=True)
    assert olga.post(URL, {"action": "create_webhook", "url": HOOK}).status_code == 403


def test_a_token_is_shown_once_and_revoked(cast, olga) -> None:
    form = {"action": "create_token", "name": "Kestrel", "scopes": ["read", "post"], "days": "7"}
    answer = olga.post(URL, form)
    secret = answer.context["secret"]
    assert programs.bot_of(secret).scopes == {"read", "post"}
    assert f'value="{secret}"' in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    page = olga.get(URL).content.decode()
    assert secret not in page
    token = ApiToken.objects.get()
    assert f"engawa_{token.hint}…" in page
    assert 6 < (token.expires_at - timezone.now()).total_seconds() / 86400 <= 7
    answer = olga.post(URL, {"action": "revoke_token", "token": token.pk}, follow=True)
    assert "That token is good for nothing now." in answer.content.decode()
    assert "Tokens that are over or were revoked" in answer.content.decode()
    with pytest.raises(programs.errors.TokenInvalid):
        programs.bot_of(secret)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "Admin"},
        {"scopes": []},
        {"scopes": ["x"]},
        {"days": "0"},
        {"days": "x"},
        {"days": "9999"},
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(olga, wrong) -> None:
    form = {"action": "create_token", "name": "Kestrel", "scopes": ["read"], "days": "7", **wrong}
    answer = olga.post(URL, form)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert 'role="alert"' in page
    assert ('value="Kestrel"' in page) == (form["name"] == "Kestrel")
    assert not ApiToken.objects.exists()


def test_webhooks(cast, olga) -> None:
    answer = olga.post(URL, {"action": "create_webhook", "url": HOOK})
    secret = answer.context["secret"]
    webhook = Webhook.objects.get()
    assert (webhook.secret, webhook.url) == (secret, HOOK)
    assert secret not in olga.get(URL).content.decode()
    now = timezone.now()
    Webhook.objects.update(disabled_at=now, failures=20, last_status="no answer within 10 seconds")
    page = olga.get(URL).content.decode()
    assert "after 20 failures in a row" in page
    assert "Last answer: no answer within 10 seconds." in page
    olga.post(URL, {"action": "enable_webhook", "webhook": webhook.pk})
    webhook.refresh_from_db()
    assert webhook.disabled_at is None
    olga.post(URL, {"action": "remove_webhook", "webhook": webhook.pk})
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    "form",
    [
        {"action": "create_webhook", "url": "http://127.0.0.1/"},
        {"action": "revoke_token", "token": "x"},
        {"action": "remove_webhook", "webhook": "9" * 30},
        {"action": "enable_webhook"},
        {"action": "dance"},
        {},
    ],
)
def test_what_there_is_not(olga, form) -> None:
    answer = olga.post(URL, form)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()


def test_the_other_pages_lead_there(olga) -> None:
    assert f'href="{URL}"' in olga.get("/chat/veranda/settings").content.decode()
