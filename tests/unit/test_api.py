"""The API for programs, answer by answer."""

import json
import uuid
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from chat import actions, governing, moderation, posting, programs
from chat.models import ApiToken, AuditEntry, Message, Room, Sanction, User

pytestmark = pytest.mark.django_db
MESSAGES = "/api/v1/rooms/veranda/messages"


@pytest.fixture
def client() -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def secret(cast: SimpleNamespace) -> str:
    return make(cast)


def make(cast: SimpleNamespace, name: str = "Kestrel", scopes: str = "read post delete", **more: object) -> str:
    return programs.create_token(cast.olga, cast.room.pk, name, scopes.split(), **more)[1]


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def post(client: Client, secret: str, path: str = MESSAGES, **body: object):
    return client.post(path, json.dumps(body), content_type="application/json", headers=bearer(secret))


def code(answer) -> str:
    assert answer["Content-Type"] == "application/json"
    error = answer.json()["error"]
    assert error["detail"]
    return error["code"]


# What a program may -----------------------------------------------------------------------------------------


def test_a_program_posts_reads_and_deletes(client, cast, secret) -> None:
    said = posting.post(cast.gil, cast.room.pk, "hello")
    key = str(uuid.uuid4())
    answers = [post(client, secret, message="I am a program", key=key, reply_to=said.mid) for _ in range(2)]
    message = Message.objects.get(author_kind="bot")
    assert [answer.status_code for answer in answers] == [201, 201]
    assert [answer.json() for answer in answers] == [{"mid": message.mid, "key": key, "id": 2}] * 2
    assert (message.author_name, message.author_role, message.reply_to) == ("Kestrel", "none", said.mid)
    page = client.get(MESSAGES, headers=bearer(secret)).json()
    assert page == Client().get("/chat/veranda/messages", headers={"accept": "application/json"}).json()
    assert page["messages"][1]["author"] == {
        "name": "Kestrel",
        "kind": "bot",
        "role": "none",
        "id": f"b{ApiToken.objects.get().pk}",
    }
    answer = client.delete(f"{MESSAGES}/{said.mid}", headers=bearer(secret))
    assert (answer.status_code, answer.content) == (204, b"")
    assert code(client.delete(f"{MESSAGES}/{said.mid}", headers=bearer(secret))) == "message.not_found"
    entry = AuditEntry.objects.get(action="delete")
    assert (entry.actor_name, entry.target, entry.mid) == ("Kestrel", "Gil", said.mid)


def test_history_in_pages(client, cast, secret) -> None:
    mids = [posting.post(cast.olga, cast.room.pk, str(number)).mid for number in range(3)]
    page = client.get(f"{MESSAGES}?limit=2", headers=bearer(secret)).json()
    assert ([each["mid"] for each in page["messages"]], page["earlier"]) == (mids[1:], mids[1])
    page = client.get(f"{MESSAGES}?before={mids[1]}", headers=bearer(secret)).json()
    assert ([each["mid"] for each in page["messages"]], page["earlier"]) == (mids[:1], None)
    for wrong in ("limit=0", "limit=x", "limit=-1", "limit=100000", "before=x", "before=%00"):
        answer = client.get(f"{MESSAGES}?{wrong}", headers=bearer(secret))
        assert (answer.status_code, code(answer)) == (400, "query.invalid"), wrong


@pytest.mark.parametrize("scope", programs.SCOPES)
def test_each_scope_is_for_one_thing(client, cast, scope) -> None:
    theirs, own = make(cast, scopes=scope), None
    other = posting.post(cast.gil, cast.room.pk, "hello").mid
    read = client.get(MESSAGES, headers=bearer(theirs))
    posted = post(client, theirs, message="hi")
    deleted = client.delete(f"{MESSAGES}/{other}", headers=bearer(theirs))
    assert {"read": read.status_code, "post": posted.status_code, "delete": deleted.status_code} == {
        "read": 403,
        "post": 403,
        "delete": 403,
    } | {scope: {"read": 200, "post": 201, "delete": 204}[scope]}
    for answer in (read, posted, deleted):
        if answer.status_code == 403:
            assert code(answer) == "token.scope"
            assert answer["WWW-Authenticate"] == 'Bearer realm="engawa", error="insufficient_scope"'
    if scope == "post":
        own = posted.json()["mid"]
        assert client.delete(f"{MESSAGES}/{own}", headers=bearer(theirs)).status_code == 204


def test_a_program_changes_what_it_said_and_nothing_else_of_others(cast) -> None:
    bot = programs.bot_of(make(cast, scopes="post"))
    own = posting.post(bot, cast.room.pk, "hi").mid
    other = posting.post(cast.gil, cast.room.pk, "hello").mid
    actions.edit(bot, cast.room.pk, own, "hi!")
    assert Message.objects.get(mid=own).text == "hi!"
    full = programs.bot_of(make(cast, name="Heron"))
    for action, expected in [
        (lambda: actions.edit(full, cast.room.pk, other, "x"), "not_allowed"),
        (lambda: actions.edit(full, cast.room.pk, own, "x"), "not_allowed"),
        (lambda: actions.delete(bot, cast.room.pk, other), "token.scope"),
        (lambda: moderation.mute(bot, cast.room.pk, other, 60), "not_allowed"),
        (lambda: moderation.ban(full, cast.room.pk, other), "not_allowed"),
        (lambda: moderation.hide(full, cast.room.pk, other), "not_allowed"),
        (lambda: moderation.pin(full, cast.room.pk, other), "not_allowed"),
        (lambda: governing.archive(full, cast.room.pk), "not_allowed"),
        (lambda: governing.change_room(full, cast.room.pk, {"title": "Mine"}), "not_allowed"),
        (lambda: programs.create_token(full, cast.room.pk, "Owl", ["read"]), "not_allowed"),
        (lambda: actions.create_room(full, "Another"), "room.creation_closed"),
        (lambda: actions.create_room(full, "Another", Room.Visibility.PRIVATE), "room.creation_closed"),
    ]:
        with pytest.raises(programs.errors.ChatError) as caught:
            action()
        assert caught.value.code == expected


def test_filters_and_slow_mode_do_not_concern_the_rooms_own_programs(client, cast, secret) -> None:
    changes = {"slow_seconds": 600, "blocked_words": "heron", "on_links": "refuse", "approval": "newcomers"}
    governing.change_room(cast.olga, cast.room.pk, {**changes, "posting": "moderators", "on_repeats": "refuse"})
    for _ in range(2):
        assert post(client, secret, message="a heron: https://example.org").status_code == 201


def test_a_program_reads_and_writes_in_a_private_room(client, cast, secret) -> None:
    governing.change_visibility(cast.olga, cast.room.pk, Room.Visibility.PRIVATE)
    assert post(client, secret, message="hi").status_code == 201
    assert client.get(MESSAGES, headers=bearer(secret)).status_code == 200


# What a program may not ---------------------------------------------------------------------------------------


def test_who_brings_no_good_token_is_told_so(client, cast, secret) -> None:
    good = post(client, secret, message="hi").json()["mid"]
    over = make(cast, name="Owl", expires_at=timezone.now() + timedelta(hours=1))
    ApiToken.objects.filter(name="Owl").update(expires_at=timezone.now())
    revoked = make(cast, name="Heron")
    programs.revoke_token(cast.olga, cast.room.pk, ApiToken.objects.get(name="Heron").pk)
    for value in (None, "", "Bearer", "Bearer x", f"Basic {secret}", secret, f"Bearer {over}", f"Bearer {revoked}"):
        headers = {} if value is None else {"Authorization": value}
        for answer in (
            client.get(MESSAGES, headers=headers),
            client.post(MESSAGES, '{"message": "x"}', content_type="application/json", headers=headers),
            client.delete(f"{MESSAGES}/{good}", headers=headers),
            client.get("/api/v1/rooms/nowhere/messages", headers=headers),
        ):
            assert (answer.status_code, code(answer)) == (401, "token.invalid"), value
            assert answer["WWW-Authenticate"].startswith('Bearer realm="engawa"')
    assert Message.objects.visible().count() == 1


def test_a_token_is_good_in_its_own_room_only(client, cast, secret) -> None:
    room, _ = actions.create_room(cast.olga, "Garden")
    other = posting.post(cast.olga, room.pk, "hello").mid
    garden = "/api/v1/rooms/garden/messages"
    for answer in (
        client.get(garden, headers=bearer(secret)),
        post(client, secret, garden, message="x"),
        client.delete(f"{garden}/{other}", headers=bearer(secret)),
        client.get("/api/v1/rooms/nowhere/messages", headers=bearer(secret)),
        client.get("/api/v1/rooms/%00/messages", headers=bearer(secret)),
    ):
        assert (answer.status_code, code(answer)) == (404, "room.not_found")
    answer = client.delete(f"{MESSAGES}/{other}", headers=bearer(secret))
    assert (answer.status_code, code(answer)) == (404, "message.not_found")


def test_an_archived_room_is_read(client, cast, secret) -> None:
    governing.archive(cast.olga, cast.room.pk)
    answer = post(client, secret, message="x")
    assert (answer.status_code, code(answer)) == (403, "room.archived")
    assert client.get(MESSAGES, headers=bearer(secret)).status_code == 200


def test_a_deleted_room_takes_its_tokens_along(client, cast, secret) -> None:
    governing.delete_room(cast.olga, cast.room.pk)
    answer = client.get(MESSAGES, headers=bearer(secret))
    assert (answer.status_code, code(answer)) == (401, "token.invalid")


def test_who_was_muted_on_the_whole_site_is_told_so(client, cast, secret) -> None:
    bot = programs.bot_of(secret)
    for kind, expected in (("mute", "muted"), ("ban", "banned")):
        Sanction.objects.create(kind=kind, target="account", subject=bot.key, name=bot.name, by_name="x")
        answer = post(client, secret, message="x")
        assert (answer.status_code, code(answer)) == (403, expected)


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({}, 400, "text.invalid"),
        ({"message": 1}, 400, "text.invalid"),
        ({"message": None}, 400, "text.invalid"),
        ({"message": " "}, 400, "text.empty"),
        ({"message": "x" * 4001}, 400, "text.too_long"),
        ({"message": "x", "key": "x"}, 400, "key.invalid"),
        ({"message": "x", "key": 1}, 400, "key.invalid"),
        ({"message": "x", "reply_to": "x"}, 404, "message.not_found"),
        ({"message": "x", "reply_to": "01M7YVVZ40TKBZ80JTWZYM85QX"}, 404, "message.not_found"),
        ([], 400, "payload.invalid"),
        ("x", 400, "payload.invalid"),
    ],
)
def test_what_cannot_be_posted(client, secret, body, status, expected) -> None:
    answer = client.post(MESSAGES, json.dumps(body), content_type="application/json", headers=bearer(secret))
    assert (answer.status_code, code(answer)) == (status, expected)
    assert not Message.objects.exists()


@pytest.mark.parametrize("body", [b" ", b"{", b"\xff", b"[" * 50_000, b'{"message": "\xff"}', b"NaN"])
def test_what_is_not_json(client, secret, body) -> None:
    answer = client.generic("POST", MESSAGES, body, content_type="application/json", headers=bearer(secret))
    assert (answer.status_code, code(answer)) == (400, "payload.invalid")


def test_other_kinds_of_body(client, secret, settings) -> None:
    for kind in ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = client.generic("POST", MESSAGES, b'{"message":"x"}', content_type=kind, headers=bearer(secret))
        assert (answer.status_code, code(answer)) == (415, "payload.type"), kind
    answer = client.generic(
        "POST", MESSAGES, b"{}", content_type="application/json; charset=shift_jis", headers=bearer(secret)
    )
    assert (answer.status_code, code(answer)) == (400, "payload.invalid")
    for size in (settings.MAX_FRAME_BYTES + 1, settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1):
        answer = client.generic("POST", MESSAGES, b" " * size, content_type="application/json", headers=bearer(secret))
        assert (answer.status_code, code(answer)) == (413, "payload.too_large")


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/x", "/api/v1/rooms/a/b/c", "/api/\n"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "BREW"])
def test_nothing_is_at_other_addresses(client, secret, path, method) -> None:
    answer = client.generic(method, path, headers={"accept": "text/html", **bearer(secret)})
    assert (answer.status_code, code(answer)) == (404, "address.not_found")


@pytest.mark.parametrize(
    ("path", "allowed"), [("", ["GET", "HEAD", "POST"]), ("/01M7YVVZ40TKBZ80JTWZYM85QX", ["DELETE"])]
)
def test_other_methods(client, secret, path, allowed) -> None:
    for method in {"PUT", "PATCH", "OPTIONS", "GET", "DELETE", "BREW"} - set(allowed):
        answer = client.generic(method, MESSAGES + path, headers=bearer(secret))
        assert (answer.status_code, code(answer)) == (405, "method.not_allowed")
        assert answer["Allow"] == ", ".join(allowed)


def test_head_is_get_without_a_body(client, secret) -> None:
    answer = client.head(MESSAGES, headers=bearer(secret))
    assert (answer.status_code, answer.content) == (200, b"")
    assert client.head(MESSAGES).status_code == 401


def test_the_database_is_away(client, secret, monkeypatch) -> None:
    def away(*args: object) -> None:
        raise OperationalError("away")

    for where in ("chat.posting.post", "chat.programs.bot_of"):
        monkeypatch.setattr(where, away)
        answer = post(client, secret, message="x")
        assert (answer.status_code, code(answer), answer["Retry-After"]) == (503, "server.busy", "1")


def test_what_we_did_not_foresee_is_told_in_the_same_form(cast, secret, monkeypatch) -> None:
    def fail(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("chat.posting.post", fail)
    answer = post(Client(raise_request_exception=False), secret, message="x")
    assert (answer.status_code, code(answer)) == (500, "server.error")


def test_another_host_is_told_in_the_same_form(client, secret) -> None:
    answer = client.get(MESSAGES, headers={"host": "evil.example", **bearer(secret)})
    assert (answer.status_code, code(answer)) == (400, "host.invalid")


def test_cookies_count_for_nothing(cast, secret) -> None:
    client = Client()
    client.force_login(cast.users.olga)
    answer = client.get(MESSAGES)
    assert answer.status_code == 401
    answer = client.get(MESSAGES, headers={"Origin": "https://evil.example", **bearer(secret)})
    assert answer.status_code == 200
    assert not answer.cookies
    assert "Cookie" not in answer.get("Vary", "")
    assert "Access-Control-Allow-Origin" not in answer
    assert "no-store" in answer["Cache-Control"]


# The document ---------------------------------------------------------------------------------------------------


def test_the_document_names_every_answer(client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.")
    found = {
        (method, status)
        for path in document["paths"].values()
        for method, operation in path.items()
        for status in operation["responses"]
    }
    assert {status for method, status in found if method == "post"} == set(
        "201 202 400 401 403 404 413 415 429 503".split()
    )
    assert {status for method, status in found if method == "get"} == set("200 400 401 403 404 429 503".split())
    assert {status for method, status in found if method == "delete"} == set("204 400 401 403 404 429 503".split())
    post_responses = document["paths"]["/api/v1/rooms/{slug}/messages"]["post"]["responses"]
    assert post_responses["429"]["headers"]["Retry-After"]["required"]


def test_the_document_knows_every_field(client, cast, secret) -> None:
    first = posting.post(cast.gil, cast.room.pk, "hello").mid
    User.objects.filter(pk=cast.mio.user_id).update(hue=3)
    second = posting.post(cast.mio, cast.room.pk, "you", reply_to=first).mid
    actions.edit(cast.mio, cast.room.pk, second, "you there")
    actions.react(cast.gil, cast.room.pk, second, "👍")
    page = client.get(MESSAGES, headers=bearer(secret)).json()
    known = client.get("/api/v1/openapi.json").json()["components"]["schemas"]
    assert set(page) == set(known["History"]["properties"])
    assert set(page["about"]) == set(known["About"]["properties"])
    assert set(page["messages"][1]) == set(known["Message"]["properties"])
    assert set(page["messages"][0]) == set(known["Message"]["required"])
    assert set(page["messages"][1]["author"]) == set(known["Author"]["properties"])
