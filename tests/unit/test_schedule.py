"""What is done regularly: once, by whoever comes first, again after it failed, and never in anybody's way."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone

from chat import chores, schedule, scheduler
from chat.models import Headcount, Job, SiteEvent
from chat.schedule import Beat, CannotBeDone, Chore
from chat.scheduler import Scheduler

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def never() -> bool:
    return False


def hourly(do: Callable[[Beat], str], name: str = "sweep", at_once: bool = True) -> Chore:
    return Chore(name, do, chores._every(1), at_once)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], datetime]:
    """What puts the clock forward."""
    now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def pass_by(time: timedelta) -> datetime:
        nonlocal now
        now += time
        return now

    monkeypatch.setattr(timezone, "now", lambda: now)
    return pass_by


def test_what_is_due_is_done_once_until_it_is_due_again(clock) -> None:
    done: list[int] = []
    chore = hourly(lambda beat: f"swept {done.append(1) or len(done)}")
    assert schedule.run_due([chore], never) == ["sweep"]
    assert schedule.run_due([chore], never) == []
    clock(HOUR - timedelta(seconds=1))
    assert schedule.run_due([chore], never) == []
    clock(timedelta(seconds=1))
    assert schedule.run_due([chore], never) == ["sweep"]
    job = Job.objects.get()
    assert (job.outcome, job.said, job.holder, job.failures) == ("done", "swept 2", "", 0)


def test_what_was_missed_is_done_once_and_then_at_its_time(clock) -> None:
    chore = hourly(lambda beat: "swept")
    schedule.run_due([chore], never)
    now = clock(10 * HOUR + HOUR / 2)
    assert schedule.run_due([chore], never) == ["sweep"]
    assert Job.objects.get().due_at == now + HOUR / 2


def test_what_was_never_done_waits_for_its_time_unless_it_is_to_be_done_at_once(clock) -> None:
    assert schedule.run_due([hourly(lambda beat: "", at_once=False)], never) == []
    clock(HOUR)
    assert schedule.run_due([hourly(lambda beat: "", at_once=False)], never) == ["sweep"]


def test_a_site_that_wants_it_sooner_has_it_sooner(clock) -> None:
    Job.objects.create(name="sweep", due_at=timezone.now() + 100 * HOUR)
    schedule.enter([hourly(lambda beat: "")])
    assert Job.objects.get().due_at == timezone.now() + HOUR


def test_what_fails_stops_nothing_else_and_is_tried_again_after_growing_pauses(clock, caplog) -> None:
    def fail(beat: Beat) -> str:
        raise ValueError("a secret: engawa_1234567890")

    def give_up(beat: Beat) -> str:
        raise CannotBeDone("there is no folder")

    three = [hourly(fail, "one"), hourly(give_up, "two"), hourly(lambda beat: "", "three")]
    pauses = []
    for _ in range(12):
        schedule.run_due(three, never)
        job = Job.objects.get(name="one")
        pauses.append((job.due_at - timezone.now()).total_seconds())
        clock(timedelta(seconds=pauses[-1]))
    assert pauses[:4] == [60, 120, 240, 480]
    assert max(pauses) == pauses[-1] == schedule.MOST_RETRY_SECONDS
    assert (job.outcome, job.said, job.failures) == ("failed", "ValueError", 12)
    assert Job.objects.get(name="two").said == "there is no folder"
    assert Job.objects.get(name="three").outcome == "done"
    assert "Traceback" in caplog.text
    assert "two failed: there is no folder; it is tried again in 60 s" in caplog.text
    schedule.run_due([hourly(lambda beat: "", "one")], never)
    assert Job.objects.get(name="one").failures == 0


def test_what_nothing_is_heard_of_is_done_by_another_after_a_time(clock) -> None:
    class Killed(BaseException):
        pass

    def die(beat: Beat) -> str:
        raise Killed

    with pytest.raises(Killed):
        schedule.run_due([hourly(die)], never)
    assert Job.objects.get().holder
    clock(timedelta(seconds=schedule.LEASE_SECONDS - 1))
    assert schedule.run_due([hourly(lambda beat: "")], never) == []
    clock(timedelta(seconds=1))
    assert schedule.run_due([hourly(lambda beat: "")], never) == []  # it may be what kills
    assert Job.objects.get().outcome == "lost"
    clock(timedelta(seconds=schedule.RETRY_SECONDS))
    assert schedule.run_due([hourly(lambda beat: "")], never) == ["sweep"]


def test_who_goes_on_for_long_keeps_it_and_who_lost_it_ends(clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "RENEW_SECONDS", 0.0)
    steps: list[str] = []

    def sweep(beat: Beat) -> str:
        for _ in range(5):
            clock(timedelta(seconds=schedule.LEASE_SECONDS - 1))
            beat()
            schedule._take_back_lost()
        steps.append("kept")
        clock(timedelta(seconds=schedule.LEASE_SECONDS))
        schedule._take_back_lost()
        beat()
        steps.append("never")
        return ""

    schedule.run_due([hourly(sweep)], never)
    assert steps == ["kept"]
    assert Job.objects.get().outcome == "lost"


def test_who_is_told_to_stop_ends_between_steps_and_leaves_it_to_others(clock) -> None:
    steps: list[str] = []

    def sweep(beat: Beat) -> str:
        steps.append("one")
        beat()
        steps.append("two")
        return ""

    stops = iter([False, True])
    assert schedule.run_due([hourly(sweep), hourly(sweep, "other")], lambda: next(stops, True)) == ["sweep"]
    assert steps == ["one"]
    job = Job.objects.get(name="sweep")
    assert (job.holder, job.outcome, job.failures) == ("", "", 0)
    assert schedule.run_due([hourly(lambda beat: "")], never) == ["sweep"]


@pytest.mark.django_db(transaction=True)
def test_many_who_look_at_the_same_moment_do_it_once() -> None:
    done: list[int] = []
    chore = hourly(lambda beat: str(done.append(1)))
    schedule.enter([chore])
    together = threading.Barrier(8)

    def look() -> None:
        together.wait()
        try:
            schedule.run_due([chore], never)
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [1]


def test_daily_is_by_the_clocks_of_the_site(settings) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    settings.DAILY_HOUR = 4
    with timezone.override("Europe/Berlin"):
        for now, due in [
            (datetime(2026, 3, 28, 2, 59, tzinfo=UTC), datetime(2026, 3, 28, 3, 0, tzinfo=UTC)),
            (datetime(2026, 3, 28, 3, 0, tzinfo=UTC), datetime(2026, 3, 29, 2, 0, tzinfo=UTC)),  # summer begins
            (datetime(2026, 10, 24, 2, 0, tzinfo=UTC), datetime(2026, 10, 25, 3, 0, tzinfo=UTC)),
        ]:
            assert chores._daily(now, now) == due


def test_the_chores_let_go_of_what_is_over(clock, room) -> None:
    for key, days in [("a" * 32, -1), ("b" * 32, 2)]:
        Session.objects.create(session_key=key, session_data="", expire_date=timezone.now() + timedelta(days=days))
    Headcount.objects.create(room=room, process="killed", participants=1, until=timezone.now() - HOUR)
    SiteEvent.objects.create(seq=99, kind=SiteEvent.Kind.SITE, subject=0)
    here = chores.chores()
    assert [chore.name for chore in here] == ["prune", "sessions", "tidy"]
    schedule.enter(here)
    clock(24 * HOUR)
    assert schedule.run_due(here, never) == ["prune", "sessions", "tidy"]
    assert list(Session.objects.values_list("session_key", flat=True)) == ["b" * 32]
    assert not Headcount.objects.exists()
    assert not SiteEvent.objects.exists()
    assert Job.objects.get(name="sessions").said == "1 sessions forgotten that were over."


def test_backups_are_a_chore_where_there_is_a_folder_for_them(settings, tmp_path) -> None:
    settings.BACKUP_FOLDER = str(tmp_path / "away")
    backup = chores.chores()[-1]
    assert (backup.name, backup.at_once) == ("backup", True)
    with pytest.raises(CannotBeDone, match="there is no folder"):
        backup.do(never)


def test_whether_anybody_does_what_is_due_can_be_asked(clock) -> None:
    def said() -> str:
        out = StringIO()
        call_command("schedule", "--check", stdout=out)
        return out.getvalue()

    assert said() == "What is due is done.\n"
    schedule.enter(chores.chores())
    clock(HOUR + schedule.LATE)
    assert said() == "What is due is done.\n"
    clock(timedelta(seconds=1))
    with pytest.raises(CommandError, match=r"^nobody does what is due: tidy \(since 2026-11-22 13:00:00 UTC\)$"):
        said()
    someone = {"holder": "elsewhere:1:x", "expires_at": timezone.now() + timedelta(seconds=1)}
    Job.objects.filter(name="prune").update(**someone)
    assert said() == "What is due is done.\n", "it waits for what is done before it"
    clock(timedelta(seconds=2))
    with pytest.raises(CommandError, match="nobody does what is due: tidy"):
        said()


def test_the_list_says_what_was_and_what_will_be(clock) -> None:
    schedule.enter(chores.chores())
    Job.objects.filter(name="tidy").update(holder="host:1:secret", started_at=timezone.now())
    Job.objects.filter(name="prune").update(outcome="failed", said="ValueError", ended_at=timezone.now(), failures=3)
    said = StringIO()
    call_command("schedule", "--list", stdout=said)
    prune, sessions, tidy = sorted(said.getvalue().splitlines())
    assert prune.endswith("last: failed 2026-11-22 12:00:00 UTC: ValueError (3 times in a row)")
    assert sessions == "sessions: due 2026-11-23 04:00:00 UTC; last: never done"
    assert tidy == "tidy: being done since 2026-11-22 12:00:00 UTC by host:1; last: never done"


# In a thread of its own -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
async def test_a_server_does_what_is_due_until_it_ends(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    def sweep(beat: Beat) -> str:
        begun.set()
        while True:
            beat()

    monkeypatch.setattr(chores, "chores", lambda: [hourly(sweep)])
    monkeypatch.setattr(scheduler, "FIRST_SECONDS", 0.0)
    before = set(threading.enumerate())
    scheduler.start()
    assert await asyncio.to_thread(begun.wait, 10)
    await asyncio.wait_for(scheduler.stop(), 10)
    for thread in set(threading.enumerate()) - before:
        if thread.name == "scheduler":  # which has said so with its last breath
            await asyncio.to_thread(thread.join, 10)
            assert not thread.is_alive()
    assert await asyncio.to_thread(_holders) == [""]


def _holders() -> list[str]:
    try:
        return list(Job.objects.values_list("holder", flat=True))
    finally:
        connection.close()


async def test_none_runs_where_the_site_wants_none(settings) -> None:
    settings.SCHEDULER = False
    scheduler.start()
    assert scheduler._scheduler is None
    await scheduler.stop()


@pytest.mark.parametrize("error", [OperationalError("away"), ValueError("odd")])
def test_a_database_that_is_away_is_looked_for_again(monkeypatch: pytest.MonkeyPatch, caplog, error: Exception) -> None:
    def away(*_: object) -> None:
        raise error

    monkeypatch.setattr(schedule, "run_due", away)
    assert 50 < Scheduler().round() < 70
    assert type(error).__name__ in caplog.text


def test_it_looks_when_the_next_thing_is_due(clock) -> None:
    Job.objects.create(name="tidy", due_at=timezone.now() + timedelta(seconds=30))
    assert Scheduler().round() == 30
