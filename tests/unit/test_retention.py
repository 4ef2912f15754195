"""What is kept no longer than it has to be: gone from every row, page and replay, and nothing else with it."""

from datetime import datetime, timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from ulid import ULID

from chat import actions, events, governing, log, mids, moderation, posting, retention, review
from chat.identity import Identity, new_guest
from chat.models import (
    AuditEntry,
    Event,
    HeldMessage,
    Message,
    Participant,
    Reaction,
    Report,
    Room,
    Sanction,
    SiteEvent,
)
from chat.pages import message_page
from tests.unit.test_actions import every_row

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def months(cast) -> SimpleNamespace:
    """A room that keeps messages for 30 days, and a clock for what is said in it."""
    governing.change_room(None, cast.room.pk, {"retention_days": 30})
    Event.objects.all().delete()
    AuditEntry.objects.all().delete()
    now = timezone.now()

    def say(text: str, days_ago: float = 0, actor: Identity | None = None, room: Room | None = None) -> str:
        moment = now - days_ago * DAY
        with pytest.MonkeyPatch.context() as clock:
            clock.setattr(timezone, "now", lambda: moment)
            clock.setattr(mids, "time", moment.timestamp)
            return posting.post(actor or cast.gil, (room or cast.room).pk, text).mid

    return SimpleNamespace(**vars(cast), say=say, now=now)


def prune(*words: str) -> str:
    said = StringIO()
    call_command("prune", *words, stdout=said)
    return said.getvalue()


def room_of(months: SimpleNamespace) -> Room:
    return Room.objects.get(pk=months.room.pk)


def test_the_first_name_of_a_moment_divides_what_was_said_before_it(cast) -> None:
    moment = datetime.fromtimestamp(1_700_000_000.123, tz=timezone.get_default_timezone())
    first = mids.first_mid_at(moment)
    assert ULID.from_str(first).milliseconds == 1_700_000_000_123
    assert str(ULID.from_int((1_700_000_000_123 << 80) - 1)) < first <= str(ULID.from_int(1_700_000_000_123 << 80))


def test_what_is_older_than_a_room_keeps_it_is_gone_from_every_row_page_and_replay(months) -> None:
    old = [months.say(f"an old word {number}", 40 - number) for number in range(5)]
    new = [months.say(f"a new word {number}", number) for number in (3, 2, 1)]
    actions.react(months.sven, months.room.pk, old[0], "👍")
    actions.react(months.sven, months.room.pk, new[0], "👍")
    review.report(months.sven, "", months.room.pk, old[1], "spam")
    review.report(months.sven, "", months.room.pk, new[1], "spam")
    moderation.pin(months.olga, months.room.pk, old[2])
    assert "5 messages deleted" in prune()
    assert "an old word" not in every_row()
    assert "a new word" in every_row()
    assert [each.mid for each in message_page(room_of(months)).messages] == new
    assert [each.message_id for each in Reaction.objects.all()] == [new[0]]
    assert [each.mid for each in Report.objects.all()] == [new[1]]
    room = room_of(months)
    assert room.pinned_mid == ""
    # Five were said, and what came after them can be replayed without a gap; who comes from before starts over.
    assert room.floor == 5
    assert log.read(room.pk, 4).reset
    page = log.read(room.pk, 5)
    assert not page.reset
    assert [event.seq for event in page.events] == list(range(6, room.head + 1))
    assert [event.type for event in page.events][-1] == events.UNPINNED
    kinds = SiteEvent.objects.filter(subject=room.pk).order_by("-seq").values_list("kind", flat=True)
    assert set(kinds[:2]) == {"room", "queue"}


def test_pruning_again_changes_nothing(months) -> None:
    months.say("old", 40)
    months.say("new", 1)
    assert prune("-v0") == ""
    before = every_row()
    assert "0 messages deleted" in prune()
    assert every_row() == before


def test_who_has_read_everything_is_not_reset(months) -> None:
    months.say("old", 40)
    governing.change_room(None, months.room.pk, {"title": "Quiet since"})
    prune()
    room = room_of(months)
    assert (room.floor, room.head) == (1, 2)
    assert not log.read(room.pk, 1).reset


def test_an_edit_of_late_goes_with_its_message_and_processes_are_told(months, settings) -> None:
    settings.EDIT_MINUTES = 0
    mid = months.say("old", 40)
    new = months.say("new", 1)
    message = Message.objects.get(mid=mid)
    room = room_of(months)
    log.append(room, log.Entry(events.EDITED, events.message_fields(message, room.slug) | {"message": "edited"}, mid))
    prune()
    found = list(Event.objects.filter(room=months.room).values_list("type", "mid"))
    assert found == [("message", new), ("message.redacted", mid), ("message.deleted", mid)]
    assert "edited" not in "".join(Event.objects.values_list("json", flat=True))


def test_rooms_that_keep_everything_keep_everything(months) -> None:
    other = Room.objects.create(slug="other", title="Other")
    months.say("kept", 4000, room=other)
    months.say("old", 40)
    prune()
    assert list(Message.objects.values_list("text", flat=True)) == ["kept"]
    assert Room.objects.get(slug="other").floor == 0


def test_only_one_room_is_pruned_where_one_is_named(months) -> None:
    other = Room.objects.create(slug="other", title="Other", retention_days=30)
    months.say("elsewhere", 40, room=other)
    months.say("old", 40)
    assert "1 messages deleted" in prune("--room", "veranda")
    assert list(Message.objects.values_list("text", flat=True)) == ["elsewhere"]
    with pytest.raises(CommandError, match="there is no room nowhere"):
        prune("--room", "nowhere")


def test_old_events_are_forgotten_where_that_is_asked_for(months) -> None:
    for number in range(5):
        months.say(f"{number}", 1)
    prune()
    assert Event.objects.filter(room=months.room).count() == 5
    assert "3 events forgotten" in prune("--keep", "2")
    assert Event.objects.filter(room=months.room).count() == 2
    with pytest.raises(CommandError, match="0 or more"):
        prune("--keep", "-1")


def test_what_goes_is_taken_in_small_transactions(months, monkeypatch) -> None:
    for number in range(7):
        months.say(f"old {number}", 40)
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    with CaptureQueriesContext(connection) as queries:
        assert retention.prune_room(months.room.pk) == 7
    deletions = [query["sql"] for query in queries if query["sql"].startswith('DELETE FROM "chat_message"')]
    assert len(deletions) == 3


def test_held_messages_go_with_the_rest(months) -> None:
    governing.change_room(None, months.room.pk, {"approval": "guests"})
    for text in ("held long ago", "held of late"):
        posting.post(months.gil, months.room.pk, text)
    HeldMessage.objects.filter(text="held long ago").update(created_at=months.now - 40 * DAY)
    prune()
    assert [held.text for held in HeldMessage.objects.all()] == ["held of late"]


def test_networks_are_forgotten_after_their_time(months, settings) -> None:
    settings.NETWORK_DAYS = 30
    network = "0123456789abcdef" * 2
    gus = new_guest("Gus", network)
    room = Room.objects.create(slug="x", title="X")
    old, new = (months.say("said", days, gus, room) for days in (31, 29))
    for mid, days, name in ((old, 31, "old report"), (new, 1, "new report")):
        made = review.report(None, network, room.pk, mid, "spam", name)
        Report.objects.filter(pk=made.pk).update(created_at=months.now - days * DAY)
    sanctions = {}
    for name, ends, target in (
        ("over", months.now - 31 * DAY, "network"),
        ("over too", months.now - 32 * DAY, "network"),
        ("guest", months.now - 31 * DAY, "guest"),
        ("of late", months.now - DAY, "network"),
        ("in force", None, "network"),
    ):
        subject = f"n{network}" if target == "network" else gus.key
        sanctions[name] = Sanction.objects.create(
            kind="ban",
            target=target,
            subject=subject,
            network=network,
            name=name,
            ends_at=ends,
            created_at=months.now - 50 * DAY,
        )
    assert "5 networks forgotten" in prune()
    assert dict(Message.objects.values_list("mid", "network")) == {old: "", new: network}
    known = {name: Sanction.objects.get(pk=each.pk) for name, each in sanctions.items()}
    assert {name for name, each in known.items() if network in each.subject + each.network} == {"of late", "in force"}
    assert known["guest"].subject == gus.key
    assert dict(Report.objects.values_list("note", "reporter_key")) == {
        "old report": f"n-{Report.objects.get(note='old report').pk}",
        "new report": f"n{network}",
    }
    assert "0 networks forgotten" in prune()


def test_people_who_were_not_seen_for_long_are_forgotten(months) -> None:
    governing.change_room(None, months.room.pk, {"on_repeats": "refuse"})
    posting.post(months.gil, months.room.pk, "hello")
    posting.post(months.sven, months.room.pk, "hello you")
    assert Participant.objects.count() == 2
    prune()
    assert Participant.objects.count() == 2
    long_ago = months.now - 8 * DAY
    Participant.objects.filter(author_key=months.sven.key).update(posted_at=long_ago)
    Participant.objects.filter(author_key=months.gil.key).update(seen_at=long_ago)  # and has posted since
    assert "1 participants forgotten" in prune()
    assert [each.author_key for each in Participant.objects.all()] == [months.gil.key]


def test_records_are_kept_as_long_as_the_site_says(months, settings) -> None:
    mid = months.say("said")
    for days in (400, 300):
        then = months.now - days * DAY
        common = {"kind": "mute", "target": "account", "subject": "u1", "created_at": months.now - 500 * DAY}
        Sanction.objects.create(name=f"ended {days}", ends_at=then, **common)
        Sanction.objects.create(name=f"lifted {days}", lifted_at=then, **common)
        AuditEntry.objects.create(actor_name="x", action=f"a{days}", at=then)
        Report.objects.create(
            room=months.room, mid=mid, reason="spam", reporter_key=f"u{days}", state="resolved", handled_at=then
        )
    old = {"created_at": months.now - 500 * DAY}
    Sanction.objects.create(name="in force", kind="ban", target="account", subject="u2", **old)
    Report.objects.create(room=months.room, mid=mid, reason="spam", reporter_key="u1", **old)
    settings.RECORD_DAYS = 0
    assert "0 old records" in prune()
    settings.RECORD_DAYS = 365
    assert "4 old records" in prune()
    names = set(Sanction.objects.values_list("name", flat=True))
    assert names == {"ended 300", "lifted 300", "in force"}
    assert set(Report.objects.values_list("reporter_key", flat=True)) == {"u300", "u1"}
    assert [entry.action for entry in AuditEntry.objects.all()] == ["a300"]
