"""The page on which order is kept."""

from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.utils import timezone

from chat import governing, moderation, posting, review
from chat.identity import Identity
from chat.models import AuditEntry, HeldMessage, Membership, Message, Report, Sanction
from chat.moderator_views import BANS, MUTES
from tests.unit.browsers import COMMANDS_URL as URL
from tests.unit.browsers import DESK_URL as DESK
from tests.unit.browsers import JSON, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga(cast) -> Client:
    return signed_in(cast.users.olga)


@pytest.fixture
def mid(cast) -> str:
    return posting.post(cast.gil, cast.room.pk, "the word xyzzy").mid


def test_the_page_is_for_those_who_keep_order(cast) -> None:
    for client in (Client(), signed_in(cast.users.sven), signed_in(cast.users.mio)):
        assert client.get(DESK).status_code == 404
        assert client.get(DESK).content == client.get("/chat/nowhere/moderation").content
    assert "Settings" in signed_in(cast.users.olga).get(DESK).text
    Membership.objects.filter(user=cast.users.mio).update(role="moderator")
    page = signed_in(cast.users.mio).get(DESK).text
    assert "No message waits." in page
    assert "/chat/veranda/settings" not in page


def forms_in(page: str) -> list[dict[str, str]]:
    """The fields of each form of commands in a page, as a browser sends them when nothing else is chosen."""
    reader = Reader()
    reader.feed(page)
    return reader.found


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.inside = False
        self.found: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        fields = dict(attrs)
        if tag == "form":
            self.inside = fields.get("action") == URL and fields.get("method") == "post"
            if self.inside:
                self.found.append({})
        elif self.inside and tag == "select":
            self.select = fields["name"]
        elif self.inside and tag == "option":
            self.found[-1].setdefault(self.select, fields["value"])
        elif self.inside and tag == "input" and (fields.get("type") != "radio" or "checked" in fields):
            self.found[-1][fields["name"]] = fields.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False


def send(client: Client, page: str, **wanted: str):
    """Send the one form of a page with these fields."""
    (form,) = [form for form in forms_in(page) if wanted.items() <= form.items()]
    return client.post(URL, form, follow=True)


@pytest.fixture
def held(cast) -> HeldMessage:
    governing.change_room(cast.olga, cast.room.pk, {"on_links": "hold"})
    posting.post(cast.gil, cast.room.pk, "see <https://example.org>\nnow")
    return HeldMessage.objects.get()


def test_held_messages_are_shown_as_typed_and_why(held, olga) -> None:
    page = olga.get(DESK)
    assert "see &lt;https://example.org&gt;\nnow" in page.text
    assert "It has a link." in page.text
    assert "Gil" in page.text
    assert page.context["waiting"] == 1


@pytest.mark.parametrize(("type", "state"), [("approve", "approved"), ("reject", "rejected")])
def test_a_held_message_is_settled_from_the_page(held, olga, type: str, state: str) -> None:
    after = send(olga, olga.get(DESK).text, type=type)
    held.refresh_from_db()
    assert held.state == state
    assert Message.objects.count() == (state == "approved")
    assert "No message waits." in after.text
    assert after.redirect_chain == [(f"{DESK}?show=held&page=1", 302)]


@pytest.mark.parametrize("type", ["mute", "ban"])
def test_somebody_is_held_to_a_measure_from_the_page(cast, held, olga, type: str) -> None:
    send(olga, olga.get(DESK).text, type=type)
    sanction = Sanction.objects.get()
    assert (sanction.kind, sanction.subject) == (type, cast.gil.key)
    page = olga.get(f"{DESK}?show=sanctions").text
    assert "By <bdi>olga</bdi>" in page
    send(olga, page, type="lift")
    assert Sanction.objects.get().lifted_at is not None


def test_what_the_page_offers_can_be_had(cast, olga, mid) -> None:
    for type, choices in (("mute", MUTES), ("ban", BANS)):
        for seconds, _ in choices:
            assert olga.post(URL, {"type": type, "mid": mid, "seconds": seconds}, headers=JSON).status_code == 200


def test_reports_come_with_what_stands_around(cast, olga) -> None:
    mids = [posting.post(cast.gil, cast.room.pk, f"line {number}").mid for number in range(12)]
    review.report(cast.mio, "", cast.room.pk, mids[5], "abuse", "he means <b>me</b>")
    review.report(None, "f" * 32, cast.room.pk, mids[5], "spam")
    review.report(cast.mio, "", cast.room.pk, mids[11], "other")
    page = olga.get(DESK)
    first, second = page.context["items"]
    assert [message.text for message in (*first.before, first.message, *first.after)] == [
        f"line {number}" for number in range(2, 9)
    ]
    assert [report.reason for report in first.reports] == ["abuse", "spam"]
    assert [message.text for message in second.after] == []
    assert "he means &lt;b&gt;me&lt;/b&gt;" in page.text
    assert "somebody who watches" in page.text
    assert "mio" in page.text
    # The links lead to pages that have the message.
    for reported in (first, second):
        where = f"/chat/veranda/{f'?before={reported.page_before}' if reported.page_before else ''}"
        assert f'href="{where}#m-{reported.mid}"' in page.text
        assert f'id="m-{reported.mid}"' in olga.get(where).text
    after = send(olga, page.text, type="handle_report", state="dismissed", report=str(first.reports[0].pk))
    assert [reported.mid for reported in after.context["items"]] == [mids[11]]
    assert list(Report.objects.filter(mid=mids[5]).values_list("state", flat=True)) == ["dismissed"] * 2


def test_a_reported_message_is_hidden_shown_again_and_deleted_from_the_page(cast, olga, mid) -> None:
    review.report(cast.mio, "", cast.room.pk, mid, "abuse")
    page = send(olga, olga.get(DESK).text, type="hide").text
    assert "It is hidden" in page
    page = send(olga, page, type="unhide").text
    page = send(olga, page, type="delete").text
    assert "This message was deleted." in page
    assert "xyzzy" not in page
    send(olga, page, type="ban")
    assert Sanction.objects.get().subject == cast.gil.key
    send(olga, page, type="handle_report", state="resolved")
    assert "No report is open." in olga.get(f"{DESK}?show=reports").text


def test_hidden_messages(cast, olga, mid) -> None:
    moderation.hide(cast.olga, cast.room.pk, mid)
    page = olga.get(f"{DESK}?show=hidden").text
    assert "xyzzy" in page
    send(olga, page, type="unhide")
    assert Message.objects.visible().exists()
    moderation.hide(cast.olga, cast.room.pk, mid)
    send(olga, page, type="delete_hidden")
    assert "No message is hidden." in olga.get(f"{DESK}?show=hidden").text


PROMISES = {
    "account": "This account, under whatever nickname, cookie or connection",
    "guest": "This guest (a signed cookie), under whatever nickname",
    "network": "Everybody from that network who is not a member",
}


def test_each_kind_of_ban_says_what_it_promises_where_it_is_chosen_and_shown(cast, olga) -> None:
    gil = Identity(key=cast.gil.key, name="Gil", kind="guest", since=cast.gil.since, network="f" * 32)
    mids = {
        "account": posting.post(cast.sven, cast.room.pk, "hello").mid,
        "guest": posting.post(gil, cast.room.pk, "hello").mid,
    }
    review.report(cast.mio, "", cast.room.pk, mids["account"], "spam")
    page = olga.get(DESK).text
    assert [target for target in PROMISES if PROMISES[target] in page] == ["account"]
    review.report(cast.mio, "", cast.room.pk, mids["guest"], "spam")
    page = olga.get(DESK).text
    assert [target for target in PROMISES if PROMISES[target] in page] == ["account", "guest", "network"]
    for target, mid in (("account", mids["account"]), ("guest", mids["guest"]), ("network", mids["guest"])):
        Sanction.objects.all().delete()
        moderation.ban(cast.olga, cast.room.pk, mid, target, 3600, "rude")
        page = olga.get(f"{DESK}?show=sanctions").text
        assert [each for each in PROMISES if PROMISES[each] in page] == [target]
        assert "rude" in page


def test_a_program_is_not_offered_to_be_banned(cast, olga, mid) -> None:
    Message.objects.update(author_kind="bot")
    review.report(cast.mio, "", cast.room.pk, mid, "spam")
    assert {form["type"] for form in forms_in(olga.get(DESK).text)} == {"hide", "delete", "handle_report"}


def test_only_measures_of_this_room_that_hold_are_shown(cast, olga, mid) -> None:
    moderation.ban(cast.olga, cast.room.pk, mid, None, 60)
    Sanction.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    Sanction.objects.create(kind="ban", target="guest", subject="gx", name="of the site", by_name="the site")
    assert "Nobody is muted or banned." in olga.get(f"{DESK}?show=sanctions").text


@pytest.mark.parametrize("show", ["held", "reports", "hidden", "sanctions"])
def test_each_queue_is_paged_at_the_same_cost(cast, olga, monkeypatch, django_assert_max_num_queries, show) -> None:
    monkeypatch.setattr("chat.moderator_views.ON_A_PAGE", 4)
    monkeypatch.setattr("chat.moderator_views.REPORTED_ON_A_PAGE", 4)
    if show == "held":
        governing.change_room(cast.olga, cast.room.pk, {"approval": "guests"})
    for number in range(9):
        guest = Identity(key=f"g{number}", name=f"Guest {number}", kind="guest")
        posted = posting.post(guest, cast.room.pk, f"line {number}")
        if show == "reports":
            review.report(cast.mio, "", cast.room.pk, posted.mid, "spam")
        elif show == "hidden":
            moderation.hide(cast.olga, cast.room.pk, posted.mid)
        elif show == "sanctions":
            moderation.mute(cast.olga, cast.room.pk, posted.mid, 60)
    with django_assert_max_num_queries(13 + (10 if show == "reports" else 0)):
        page = olga.get(f"{DESK}?show={show}")
    assert len(page.context["items"]) == 4
    assert "Page 1 of 3" in page.text
    assert len(olga.get(f"{DESK}?show={show}&page=3").context["items"]) == 1


def test_what_moderators_do_is_recorded_with_why(cast, olga, mid) -> None:
    olga.post(URL, {"type": "mute", "mid": mid, "seconds": "300", "reason": "too  loud"})
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target, entry.reason, entry.details["seconds"]) == ("mute", "Gil", "too loud", 300)
