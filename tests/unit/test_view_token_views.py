"""The owner's page for view tokens."""

import pytest
from django.test import Client
from django.utils import timezone

from chat import errors, governing, viewing
from chat.models import AuditEntry, ViewToken
from tests.unit.browsers import as_guest, signed_in

pytestmark = pytest.mark.django_db
URL = "/chat/veranda/view-tokens"
FORM = {"action": "create", "name": "The school’s page", "term": "7d"}


@pytest.fixture
def olga(cast) -> Client:
    return signed_in(cast.users.olga)


def test_it_is_there_for_the_owner_only(cast, olga) -> None:
    assert olga.get(URL).status_code == 200
    governing.set_role(cast.olga, cast.room.pk, "sven", "moderator")
    for other in (signed_in(cast.users.mio), signed_in(cast.users.sven), as_guest(cast.gil), Client()):
        assert other.get(URL).status_code == 404
        assert other.post(URL, FORM).status_code == 404
    assert not ViewToken.objects.exists()


def test_it_needs_the_csrf_token(cast) -> None:
    assert signed_in(cast.users.olga, enforce_csrf_checks=True).post(URL, FORM).status_code == 403


def test_a_token_is_shown_once_and_revoked(cast, olga) -> None:
    answer = olga.post(URL, FORM)
    secret, page = answer.context["secret"], answer.content.decode()
    grant = viewing.grant_of(secret)
    assert grant.room_id == cast.room.pk
    assert f'value="{secret}"' in page
    assert f"curl -N -H 'Authorization: Bearer {secret}'" in page
    assert "/feeds/veranda/stream?history=10" in page
    assert "/feeds/veranda/ticket" in page
    assert '/feeds/veranda/" ticket="(the ticket)"&gt;' in page
    assert "no-store" in answer["Cache-Control"]
    token = ViewToken.objects.get()
    assert 6.9 < (token.expires_at - timezone.now()).total_seconds() / 86400 <= 7
    page = olga.get(URL).content.decode()
    assert secret not in page
    for part in (f"engawa_view_{token.hint}…", "The school’s page", "made by <bdi>olga</bdi>", "used <time"):
        assert part in page, part
    answer = olga.post(URL, {"action": "revoke", "token": token.pk}, follow=True)
    for part in ("That token is good for nothing now.", "Tokens that are over or were revoked", "revoked <time"):
        assert part in answer.content.decode(), part
    with pytest.raises(errors.TokenInvalid):
        viewing.grant_of(secret)
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"create_view_token", "revoke_view_token"}


@pytest.mark.parametrize(
    ("term", "other", "seconds"),
    [("1h", "", 3600), ("366d", "", 366 * 86400), ("7d", "2h", 7200), ("", " 6W ", 42 * 86400), ("1h", "90s", 90)],
)
def test_for_how_long(cast, olga, term, other, seconds) -> None:
    assert olga.post(URL, {**FORM, "term": term, "other_term": other}).status_code == 200
    left = (ViewToken.objects.get().expires_at - timezone.now()).total_seconds()
    assert seconds - 5 < left <= seconds


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"term": "", "other_term": ""},
        {"other_term": "0h"},
        {"other_term": "forever"},
        {"other_term": "367d"},
        {"other_term": "999999999w"},
        {"other_term": "soon"},
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(olga, wrong) -> None:
    form = {**FORM, "term": "30d", **wrong}
    answer = olga.post(URL, form)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert 'role="alert"' in page
    assert ('value="The school’s page"' in page) == bool(form["name"])
    assert ('value="30d" selected' in page) == bool(form["term"])
    if "other_term" in wrong:
        assert f'name="other_term" maxlength="12" autocomplete="off" value="{wrong["other_term"]}"' in page
    assert not ViewToken.objects.exists()


@pytest.mark.parametrize("form", [{"action": "revoke", "token": "x"}, {"action": "revoke"}, {"action": "dance"}, {}])
def test_what_there_is_not(olga, form) -> None:
    answer = olga.post(URL, form)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()


def test_a_name_and_an_address_are_written_as_text(cast, olga) -> None:
    page = olga.post(URL, {**FORM, "name": "<b>&'\""}).content.decode()
    assert "<b>&" not in page
    assert "&lt;b&gt;" in page


def test_the_other_pages_lead_there_and_an_open_room_says_that_none_is_needed(cast, olga) -> None:
    assert f'href="{URL}"' in olga.get("/chat/veranda/settings").content.decode()
    assert "nobody needs a token" in olga.get(URL).content.decode()
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    assert "nobody needs a token" not in olga.get(URL).content.decode()
