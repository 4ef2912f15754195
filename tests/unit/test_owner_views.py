"""The pages of a room's owner."""

import csv
import io
import json

import pytest
from django.test import AsyncClient, Client

from chat import actions, governing, ledger, moderation, posting
from chat.audit import record
from chat.forms import SettingsForm
from chat.governing import SETTINGS
from chat.models import AuditEntry, Event, HeldMessage, Membership, Message, Room
from tests.unit.browsers import signed_in

pytestmark = pytest.mark.django_db
URL = "/chat/veranda/settings"


@pytest.fixture
def olga(cast) -> Client:
    return signed_in(cast.users.olga)


def as_shown(room: Room) -> dict[str, str]:
    """What a browser would post that changed nothing."""
    form = SettingsForm(None, room)
    posted = {}
    for field in form:
        value = field.value()
        posted[field.html_initial_name] = "" if value is None else str(value)
        if value is not None and value is not False:
            posted[field.html_name] = "on" if value is True else str(value)
    return posted


CHANGES = {
    "title": ("The  Veranda", "The Veranda"),
    "topic": ("What the garden says", "What the garden says"),
    "language": ("ja", "ja"),
    "visibility": ("unlisted", "unlisted"),
    "posting": ("members", "members"),
    "approval": ("guests", "guests"),
    "slow_seconds": ("30", 30),
    "account_age_hours": ("48", 48),
    "shows_names": ("on", True),
    "shows_typing": ("on", True),
    "is_indexed": ("on", True),
    "retention_days": ("90", 90),
    "embed_origins": ("https://example.org\r\nhttps://example.net", "https://example.org https://example.net"),
    "blocked_words": ("weed*\r\nthistle", "weed*\nthistle"),
    "on_words": ("hold", "hold"),
    "on_links": ("refuse", "refuse"),
    "on_repeats": ("hold", "hold"),
    "on_shouting": ("refuse", "refuse"),
}


def test_every_setting_is_tried_here() -> None:
    assert set(CHANGES) == set(SETTINGS)
    assert set(SettingsForm.base_fields) == set(SETTINGS)
    shown = [name for _, names in SettingsForm(None, Room()).fieldsets() for name in (field.name for field in names)]
    assert sorted(shown) == sorted(SETTINGS)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_goes_through_the_form_into_the_room_and_the_audit_log(cast, olga, name: str) -> None:
    typed, kept = CHANGES[name]
    answer = olga.post(URL, {**as_shown(cast.room), name: typed}, follow=True)
    assert answer.redirect_chain == [(URL, 302)]
    label = SettingsForm.base_fields[name].label
    assert f"Saved: {label}." in answer.text
    room = Room.objects.get()
    assert getattr(room, name) == kept
    for other in set(SETTINGS) - {name}:
        assert getattr(room, other) == getattr(cast.room, other), other
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target, entry.actor_name) == ("change", name, "olga")


def test_a_form_that_changes_nothing_says_so(cast, olga) -> None:
    answer = olga.post(URL, as_shown(cast.room), follow=True)
    assert "Nothing was changed." in answer.text
    assert not AuditEntry.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("name", "typed", "wrong"),
    [
        ("title", "  ", "This field is required"),
        ("title", "\u202e\u2060", "at least one visible character"),
        ("language", "klingon!", "Enter a valid value"),
        ("visibility", "secret", "Select a valid choice"),
        ("slow_seconds", "100000", "less than or equal to 21600"),
        ("slow_seconds", "often", "Enter a whole number"),
        ("account_age_hours", "-1", "greater than or equal to 0"),
        ("retention_days", "0", "greater than or equal to 1"),
        ("embed_origins", "https://example.org javascript:alert(1)", "is not an origin"),
        ("blocked_words", "\n".join(f"word{number}" for number in range(501)), "500"),
        ("on_links", "explode", "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_is_kept(cast, olga, name, typed, wrong) -> None:
    page = olga.post(URL, {**as_shown(cast.room), "topic": "kept as typed", name: typed})
    assert page.status_code == 400
    field = page.context["form"][name]
    assert wrong in " ".join(field.errors)
    assert f'id="id_{name}_error"' in page.text
    assert field.value() == typed
    assert page.context["form"]["topic"].value() == "kept as typed"
    assert "kept as typed" in page.text
    room = Room.objects.get()
    assert [getattr(room, each) for each in SETTINGS] == [getattr(cast.room, each) for each in SETTINGS]
    # The room is still called what it is called.
    assert "Settings of <bdi>Veranda</bdi>" in page.text


def test_only_what_is_posted_is_changed(cast, olga) -> None:
    Room.objects.update(shows_names=True, topic="stays")
    olga.post(URL, {"visibility": "unlisted"})
    room = Room.objects.get()
    assert (room.visibility, room.shows_names, room.topic) == ("unlisted", True, "stays")


def test_two_owners_do_not_take_back_what_the_other_changed(cast, olga) -> None:
    shown = as_shown(cast.room)
    governing.change_room(cast.olga, cast.room.pk, {"slow_seconds": 30, "shows_names": True})
    olga.post(URL, {**shown, "title": "Porch"})
    room = Room.objects.get()
    assert (room.title, room.slow_seconds, room.shows_names) == ("Porch", 30, True)


def test_the_page_says_what_framing_governs(olga) -> None:
    page = olga.get(URL).text
    assert "This governs framing only: who may read a public room, may read it, framed or not." in page


@pytest.mark.parametrize("path", ["/chat/veranda/", "/feeds/veranda/"])
def test_search_engines_list_what_the_owner_lets_them(cast, olga, path: str) -> None:
    assert olga.get(path)["X-Robots-Tag"] == "noindex"
    olga.post(URL, {"is_indexed": "on"})
    assert "X-Robots-Tag" not in olga.get(path)
    olga.post(URL, {"visibility": "unlisted"})
    assert olga.get(path)["X-Robots-Tag"] == "noindex"


@pytest.fixture
def hideaway(cast) -> Room:
    room, _ = actions.create_room(cast.olga, "Hideaway", "private")
    posting.post(cast.olga, room.pk, "the word xyzzy")
    return room


@pytest.mark.parametrize(("answer", "is_shown"), [("no", False), ("yes", True)])
def test_opening_a_private_room_asks_about_the_past(hideaway, olga, answer: str, is_shown: bool) -> None:
    url = f"/chat/{hideaway.slug}/settings"
    typed = {**as_shown(hideaway), "visibility": "public", "topic": "typed as well"}
    page = olga.post(url, typed)
    assert page.status_code == 200
    assert 'value="no" checked' in page.text
    assert 'value="yes"' in page.text
    hideaway.refresh_from_db()
    assert hideaway.visibility == "private"
    again = dict(page.context["typed"])
    assert again == typed
    olga.post(url, {**again, "opens_past": answer})
    hideaway.refresh_from_db()
    assert (hideaway.visibility, hideaway.topic) == ("public", "typed as well")
    assert ("xyzzy" in Client().get(f"/feeds/{hideaway.slug}/").text) is is_shown


def test_other_changes_of_a_private_room_ask_nothing(hideaway, olga) -> None:
    olga.post(f"/chat/{hideaway.slug}/settings", {**as_shown(hideaway), "title": "Den"})
    hideaway.refresh_from_db()
    assert (hideaway.title, hideaway.visibility) == ("Den", "private")


def test_archiving_and_reopening(cast, olga) -> None:
    assert "is archived" in olga.post(URL, {"do": "archive"}, follow=True).text
    assert Room.objects.get().archived_at is not None
    assert "Reopen the room" in olga.get(URL).text
    olga.post(URL, {"do": "reopen"})
    assert Room.objects.get().archived_at is None
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == ["archive", "reopen"]


@pytest.mark.parametrize("typed", ["", "veranda", "Veranda!"])
def test_deleting_needs_the_name(cast, olga, typed: str) -> None:
    page = olga.post(URL, {"do": "delete", "name": typed})
    assert page.status_code == 400
    assert 'id="id_name_error"' in page.text
    assert "<details open>" in page.text
    assert Room.objects.get().deleted_at is None


def test_deleting(cast, olga) -> None:
    posting.post(cast.gil, cast.room.pk, "hello")
    answer = olga.post(URL, {"do": "delete", "name": "  Veranda "}, follow=True)
    assert "Veranda is deleted" in answer.text
    assert Room.objects.get().deleted_at is not None
    assert not Message.objects.exists()
    assert olga.get(URL).status_code == 404


OWNERS_PAGES = ["settings", "audit", "audit.csv", "audit.jsonl"]


@pytest.mark.parametrize("page", OWNERS_PAGES)
@pytest.mark.parametrize("who", ["mio", "moderator", "sven", None])
def test_for_others_there_are_no_such_pages(cast, who: str | None, page: str) -> None:
    if who == "moderator":
        Membership.objects.filter(user=cast.users.mio).update(role="moderator")
        who = "mio"
    client = signed_in(getattr(cast.users, who)) if who else Client()
    url = f"/chat/veranda/{page}"
    nowhere = client.get(f"/chat/nowhere/{page}")
    assert client.get(url).status_code == 404
    assert client.get(url).content == nowhere.content
    if page == "settings":
        for form in ({"visibility": "private"}, {"do": "archive"}, {"do": "delete", "name": "Veranda"}):
            assert client.post(url, form).status_code == 404
        room = Room.objects.get()
        assert (room.visibility, room.archived_at, room.deleted_at) == ("public", None, None)


def test_forms_need_the_token(cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.users.olga)
    client.get(URL)
    for form in ({"visibility": "private"}, {"do": "archive"}):
        assert client.post(URL, form).status_code == 403
    token = client.cookies["csrftoken"].value
    assert client.post(URL, {"do": "archive", "csrfmiddlewaretoken": token}).status_code == 302


# The audit log --------------------------------------------------------------------------------------------


def test_the_audit_log_is_filtered_and_paged(cast, olga, monkeypatch) -> None:
    monkeypatch.setattr("chat.owner_views.ENTRIES_ON_A_PAGE", 2)
    for number in range(3):
        record(cast.room, cast.olga, "hide", f"Person {number}")
    record(cast.room, cast.mio, "pin", "Gil")
    record(None, None, "ban", "not of this room")
    page = olga.get("/chat/veranda/audit")
    assert "Page 1 of 2" in page.text
    assert "Gil" in page.text
    assert "not of this room" not in page.text
    assert "Person 0" not in page.text
    assert "Person 0" in olga.get("/chat/veranda/audit?page=2").text
    assert [entry.target for entry in olga.get("/chat/veranda/audit?action=pin").context["entries"]] == ["Gil"]
    assert [entry.action for entry in olga.get("/chat/veranda/audit?person=MIO").context["entries"]] == ["pin"]
    page = olga.get("/chat/veranda/audit?person=person&page=9")
    assert [entry.target for entry in page.context["entries"]] == ["Person 0"]
    assert 'href="?person=person&amp;page=1"' in page.text
    assert "There is no such entry." in olga.get("/chat/veranda/audit?action=nothing%00").text


def test_the_audit_page_costs_few_queries(cast, olga, django_assert_max_num_queries) -> None:
    for number in range(40):
        record(cast.room, cast.olga, "hide", f"Person {number}")
    with django_assert_max_num_queries(10):
        olga.get("/chat/veranda/audit")


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_no_cell_is_a_formula(first: str) -> None:
    assert ledger.safe_cell(f"{first}cmd|'/c calc'!A1") == f"'{first}cmd|'/c calc'!A1"


def test_other_cells_are_as_they_are() -> None:
    for cell in ("", "Gil", "a=b", "1-2", "'quoted'"):
        assert ledger.safe_cell(cell) == cell


async def exported(user, path: str) -> str:
    client = AsyncClient()
    await client.aforce_login(user)
    response = await client.get(path)
    assert response.status_code == 200
    assert response.streaming
    assert response["Content-Disposition"].startswith("attachment;")
    return b"".join([part async for part in response.streaming_content]).decode()


@pytest.mark.django_db(transaction=True)
async def test_the_audit_log_as_files(cast, monkeypatch) -> None:
    from asgiref.sync import sync_to_async

    from chat.database import close

    monkeypatch.setattr(ledger, "AT_ONCE", 3)

    def prepare() -> None:
        for number in range(6):
            record(cast.room, cast.olga, "hide", f"Person {number}", reason='a "reason", with\ncommas')
        record(cast.room, cast.mio, "ban", '=HYPERLINK("https://evil.example")', reason="@SUM(1)", against="guest")

    await sync_to_async(prepare)()
    try:
        rows = list(csv.DictReader(io.StringIO(await exported(cast.users.olga, "/chat/veranda/audit.csv"), newline="")))
        assert [row["target"] for row in rows] == [
            '\'=HYPERLINK("https://evil.example")',
            *(f"Person {number}" for number in reversed(range(6))),
        ]
        assert rows[0]["reason"] == "'@SUM(1)"
        assert json.loads(rows[0]["details"]) == {"against": "guest"}
        assert rows[1]["reason"] == 'a "reason", with\ncommas'
        lines = (await exported(cast.users.olga, "/chat/veranda/audit.jsonl?action=ban")).splitlines()
        (entry,) = map(json.loads, lines)
        assert list(entry) == list(ledger.COLUMNS)
        assert (entry["target"], entry["actor"]) == ('=HYPERLINK("https://evil.example")', "mio")
        filtered = await exported(cast.users.olga, "/chat/veranda/audit.csv?person=Person+3")
        assert len(list(csv.reader(io.StringIO(filtered)))) == 2
    finally:
        close()


def test_the_audit_log_holds_no_text(cast, olga) -> None:
    governing.change_room(cast.olga, cast.room.pk, {"approval": "guests", "blocked_words": "xyzzy"})
    posting.post(cast.gil, cast.room.pk, "the word plugh")
    held = HeldMessage.objects.get()
    olga.post("/chat/veranda/commands", {"type": "approve", "held": held.pk})
    mid = Message.objects.get().mid
    moderation.hide(cast.olga, cast.room.pk, mid, "rude")
    olga.post("/chat/veranda/commands", {"type": "ban", "mid": mid, "reason": "rude"})
    olga.post("/chat/veranda/commands", {"type": "delete_hidden", "mid": mid})
    found = list(AuditEntry.objects.values())
    assert [entry["action"] for entry in found] == ["delete", "ban", "hide", "approve", "change", "change"]
    assert "plugh" not in str(found)
    assert "xyzzy" not in str(found)
