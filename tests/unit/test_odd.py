"""What nobody means to send: it is refused, or cleaned, and never an error of ours. On PostgreSQL, too, which takes no
NUL and no half of a pair.
"""

import json

import pytest
from django.test import Client

from chat import governing, moderation, posting, review
from chat.commands import COMMANDS
from chat.errors import ChatError
from tests.unit.browsers import COMMANDS_URL, JSON, signed_in

pytestmark = pytest.mark.django_db

ODD = (
    "\0",
    "a\0b",
    "\ud800",
    "a\udfff",
    "\u202e",
    "x" * 5000,
    "９",
    "0",
    "-1",
    "1e9",
    "9" * 18,
    "9" * 400,
    2**63,
    -1,
    1.5,
    float("inf"),
    True,
    None,
    [],
    ["ban"],
    {"a": "\0"},
)
FIELDS = ("mid", "reason", "note", "message", "reaction", "seconds", "target", "held", "sanction", "report", "state")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_no_field_of_a_command_breaks_it(cast, name: str) -> None:
    governing.change_room(cast.olga, cast.room.pk, {"approval": "guests"})
    posting.post(cast.gil, cast.room.pk, "held")
    mid = posting.post(cast.mio, cast.room.pk, "said").mid
    report = review.report(cast.sven, "", cast.room.pk, mid, "spam")
    sanction = moderation.mute(cast.olga, cast.room.pk, mid, 60)
    good = {
        "type": name,
        "mid": mid,
        "reason": "spam",
        "message": "other",
        "reaction": "👍",
        "seconds": 60,
        "held": cast.room.held_messages.get().pk,
        "sanction": sanction.pk,
        "report": report.pk,
        "state": "resolved",
    }
    if name in ("mute", "ban"):
        del good["held"]
    for field in FIELDS:
        for value in ODD:
            frame = json.loads(json.dumps({**good, field: value}))
            for actor in (cast.olga, cast.mio):
                try:
                    COMMANDS[name].run(actor, cast.room.pk, frame)
                except ChatError as error:
                    json.dumps(error.as_dict()).encode()


@pytest.mark.parametrize("as_json", [True, False])
def test_no_odd_command_is_an_error_of_ours(cast, as_json: bool) -> None:
    olga = signed_in(cast.users.olga)
    mid = posting.post(cast.mio, cast.room.pk, "said").mid
    for value in ("\0", "\ud800", "x" * 1000, "//evil.example", "/\\evil.example", "https://evil.example/"):
        for field in ("type", "mid", "reason", "next", "key"):
            frame = {"type": "mute", "mid": mid, "seconds": "60", field: value}
            if as_json:
                answer = olga.post(COMMANDS_URL, json.dumps(frame), content_type="application/json")
            else:
                form = {name: value.encode("utf-8", "surrogatepass") for name, value in frame.items()}
                answer = olga.post(COMMANDS_URL, form, headers={"accept": "text/html"})
                assert "evil" not in answer.get("Location", "")
            assert answer.status_code < 500


@pytest.mark.parametrize("name", governing.SETTINGS)
def test_no_setting_breaks_a_room(cast, name: str) -> None:
    for value in ODD:
        try:
            governing.change_room(cast.olga, cast.room.pk, {name: value})
        except ChatError as error:
            json.dumps(error.as_dict()).encode()
    cast.room.refresh_from_db()
    cast.room.full_clean()


PAGES = {
    "/chat/veranda/members": ("action", "username", "role", "days", "most_uses", "invitation"),
    "/chat/veranda/settings": ("do", "title", "topic", "language", "visibility", "slow_seconds", "blocked_words"),
    "/accounts/guest/": ("name", "next"),
    "/accounts/signup/": ("username", "email", "password1", "next"),
    "/chat/": ("name", "visibility"),
}


@pytest.mark.parametrize("path", sorted(PAGES))
def test_no_form_is_an_error_of_ours(cast, path: str) -> None:
    for client in (signed_in(cast.users.olga), Client()):
        for value in (b"\0", b"a\0b", b"\xed\xa0\x80", b"\xff", b"x" * 5000, "９".encode(), b"-1", b"9" * 30):
            for field in PAGES[path]:
                for action in ("role", "remove", "invite", "revoke") if path.endswith("members") else ("",):
                    form = {"action": action, "role": "member", "username": "sven", field: value}
                    assert client.post(path, form).status_code < 500, (path, field, value)


@pytest.mark.parametrize("query", ["%00", "%ED%A0%80", "%FF", "9" * 40, "-1", "%2F%2F"])
def test_no_query_is_an_error_of_ours(cast, query: str) -> None:
    for client in (signed_in(cast.users.olga), Client()):
        for path in ("", "members", "moderation", "audit", "audit.csv", "messages"):
            for name in ("before", "limit", "page", "show", "action", "person"):
                assert client.get(f"/chat/veranda/{path}?{name}={query}").status_code < 500, (path, name)
        for path in ("", "embed", "report"):
            for name in ("before", "mid", "page"):
                assert client.get(f"/feeds/veranda/{path}?{name}={query}", headers=JSON).status_code < 500
        assert client.get(f"/join/{query}/").status_code < 500
