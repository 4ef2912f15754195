"""The address where a view token is changed for a ticket, and the pages that take a token."""

import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient, Client
from django.utils import timezone

from chat import actions, governing, moderation, posting, programs, viewing
from chat.addresses import keyed
from chat.identity import new_guest
from chat.models import ViewToken

pytestmark = pytest.mark.django_db
URL = "/feeds/veranda/ticket"
NETWORK = "198.51.100.9"


@pytest.fixture
def secret(cast) -> str:
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    return viewing.create_view_token(cast.olga, cast.room.pk, "Page", timezone.now() + timedelta(days=1))[1]


def ask(secret: str | None, path: str = URL, method: str = "post", **more):
    headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
    return getattr(Client(enforce_csrf_checks=True), method)(path, headers=headers, **more)


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_token_makes_a_ticket(cast, secret, settings) -> None:
    answer = ask(secret)
    assert answer.status_code == 201
    made = answer.json()
    assert set(made) == {"ticket", "expires_in", "stream"}
    assert 298 <= made["expires_in"] <= settings.VIEW_TICKET_SECONDS
    address = urlsplit(made["stream"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{settings.PUBLIC_URL}/feeds/veranda/stream"
    assert parse_qs(address.query) == {"ticket": [made["ticket"]]}
    assert viewing.grant_of_ticket(made["ticket"]) == viewing.grant_of(secret)
    wanted = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "Access-Control-Allow-Origin": "*"}
    assert {name: answer[name] for name in wanted} == wanted
    assert "Set-Cookie" not in answer
    assert secret not in answer.content.decode()


def test_another_sites_page_may_ask_for_one(secret) -> None:
    answer = Client().options(URL, headers={"Origin": "https://example.org", "Access-Control-Request-Method": "POST"})
    assert (answer.status_code, answer["Access-Control-Allow-Methods"]) == (204, "POST")
    assert "authorization" in answer["Access-Control-Allow-Headers"]
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer


@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "patch"])
def test_it_is_posted_to(secret, method) -> None:
    answer = ask(secret, method=method)
    assert (answer.status_code, answer["Allow"]) == (405, "POST, OPTIONS")


def test_only_a_token_makes_one(cast, secret) -> None:
    ticket = ask(secret).json()["ticket"]
    _, program = programs.create_token(cast.olga, cast.room.pk, "Kestrel", ["read"])
    for wrong in (None, "", "x", ticket, program, secret + "x", secret[:-1], "é", "x" * 10_000):
        answer = ask(wrong)
        assert code(answer) == (401, "token.invalid"), wrong
        assert answer["WWW-Authenticate"] == 'Bearer realm="engawa"'
        assert answer["Cache-Control"] == "no-store"
    assert code(ask(None, f"{URL}?ticket={ticket}")) == (401, "token.invalid")
    basic = Client().post(URL, headers={"Authorization": f"Basic {secret}"})
    assert code(basic) == (401, "token.invalid")
    signed_in = Client()
    signed_in.force_login(cast.users.olga)
    assert code(signed_in.post(URL)) == (401, "token.invalid")


def test_another_rooms_token_finds_no_room_be_it_open(cast, secret) -> None:
    other, _ = actions.create_room(cast.olga, "Garden")
    answers = []
    for slug in ("garden", "no-such-room", "Bad Slug!"):
        answers.append(ask(secret, f"/feeds/{slug}/ticket"))
    governing.change_visibility(cast.olga, other.pk, "private")
    answers.append(ask(secret, "/feeds/garden/ticket"))
    governing.delete_room(cast.olga, other.pk)
    answers.append(ask(secret, "/feeds/garden/ticket"))
    assert {code(answer) for answer in answers} == {(404, "room.not_found")}
    assert len({answer.content for answer in answers}) == 1


def test_a_slug_is_understood_as_it_is_spelled(secret) -> None:
    assert ask(secret, "/feeds/VERANDA/ticket").json()["stream"].count("/feeds/veranda/stream") == 1


def test_a_token_that_is_over_or_revoked_makes_none(cast, secret) -> None:
    ViewToken.objects.update(expires_at=timezone.now())
    assert code(ask(secret)) == (401, "token.invalid")
    ViewToken.objects.update(expires_at=timezone.now() + timedelta(seconds=30))
    assert ask(secret).json()["expires_in"] <= 30
    viewing.revoke_view_token(cast.olga, cast.room.pk, ViewToken.objects.get().pk)
    assert code(ask(secret)) == (401, "token.invalid")


def test_a_banned_network_gets_none(cast, secret, settings) -> None:
    settings.TRUSTED_PROXIES = []
    said = posting.post(cast.olga, cast.room.pk, "x")
    cast.room.messages.filter(mid=said.mid).update(
        network=keyed(NETWORK), author_key=new_guest().key, author=None, author_kind="guest"
    )
    moderation.ban(cast.olga, cast.room.pk, said.mid, "network")
    assert code(ask(secret, REMOTE_ADDR=NETWORK)) == (403, "banned")
    assert ask(secret, REMOTE_ADDR="198.51.100.10").status_code == 201


@pytest.mark.django_db(transaction=True)
async def test_so_many_in_a_minute(cast, secret, settings) -> None:
    settings.VIEW_TICKETS_PER_MINUTE = 2
    client = AsyncClient()

    async def ask_again(secret: str):
        return await client.post(URL, headers={"Authorization": f"Bearer {secret}"})

    assert [(await ask_again(secret)).status_code for _ in range(3)] == [201, 201, 429]
    answer = await ask_again(secret)
    assert code(answer) == (429, "limit.tickets")
    assert 1 <= int(answer["Retry-After"]) <= 31
    soon = timezone.now() + timedelta(days=1)
    _, another = await sync_to_async(viewing.create_view_token)(cast.olga, cast.room.pk, "Other", soon)
    assert (await ask_again(another)).status_code == 201


def test_a_page_takes_a_token_and_no_ticket(cast, secret) -> None:
    posting.post(cast.olga, cast.room.pk, "the word xyzzy")
    ticket = ask(secret).json()["ticket"]
    answer = ask(secret, "/feeds/veranda/", "get")
    assert answer.status_code == 200
    assert "xyzzy" in answer.content.decode()
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex"
    assert "Authorization" in answer["Vary"]
    for refused in (
        ask(None, f"/feeds/veranda/?ticket={ticket}", "get"),
        ask(None, f"/embed/veranda/?ticket={ticket}", "get"),
        ask(ticket, "/feeds/veranda/", "get"),
    ):
        assert refused.status_code in (401, 404)
        assert "xyzzy" not in refused.content.decode()
        assert refused["Referrer-Policy"] == "no-referrer"


def test_a_token_reads_nowhere_else(cast, secret) -> None:
    """Not in the room itself, where people take part, nor by the programs' API."""
    said = posting.post(cast.olga, cast.room.pk, "the word xyzzy")
    json_body = {"data": json.dumps({"message": "hi"}), "content_type": "application/json"}
    tried = {
        ("get", "/chat/veranda/"): 404,
        ("get", "/chat/veranda/messages"): 404,
        ("get", "/chat/veranda/members"): 404,
        ("get", "/chat/veranda/audit"): 404,
        ("get", "/chat/veranda/view-tokens"): 404,
        ("get", "/api/v1/rooms/veranda/messages"): 401,
        ("post", "/api/v1/rooms/veranda/messages"): 401,
        ("delete", f"/api/v1/rooms/veranda/messages/{said.mid}"): 401,
        ("get", f"/feeds/veranda/report?mid={said.mid}"): 404,
        ("get", "/accounts/export/"): 302,
        ("get", "/admin/"): 302,
    }
    got = {}
    for method, path in tried:
        answer = ask(secret, path, method, **(json_body if method == "post" else {}))
        got[method, path] = answer.status_code
        assert "xyzzy" not in answer.content.decode()
    assert got == tried
