"""Sanctions are found among many, whatever they name, without reading them all."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import standing
from chat.identity import Identity, new_guest
from chat.models import Room, Sanction
from chat.standing import NOTHING, sanctions_in

NOW = timezone.now()


def impose(room: Room | None, subject: str, **more: object) -> Sanction:
    more = {"kind": "mute", "target": "guest", "name": "Somebody", "by_name": "Olga", **more}
    return Sanction.objects.create(room=room, subject=subject, **more)


def is_muted(room: Room, actor: Identity) -> bool:
    return sanctions_in([room.pk], [actor])[room.pk].on(actor).mute is not None


@pytest.fixture
def other(db: None) -> Room:
    return Room.objects.create(slug="other", title="Other")


def test_who_is_named_in_the_room_or_on_the_whole_site_is_found(room: Room, other: Room) -> None:
    here, everywhere, elsewhere, lifted, over, bystander = (new_guest(network=f"net{n}") for n in range(6))
    impose(room, here.key)
    impose(None, everywhere.key)
    impose(other, elsewhere.key)
    impose(room, lifted.key, lifted_at=NOW)
    impose(room, over.key, ends_at=NOW - timedelta(seconds=1))
    everybody = [here, everywhere, elsewhere, lifted, over, bystander]
    assert [is_muted(room, each) for each in everybody] == [True, True, False, False, False, False]
    together = sanctions_in([room.pk, other.pk], everybody)
    assert [together[other.pk].on(each).mute is not None for each in everybody] == [False, True, True, *[False] * 3]


def test_a_network_is_found_and_who_is_newer_there_than_a_guest_who_was_muted(room: Room) -> None:
    impose(room, "nhome", target="network", network="home")
    impose(room, "gone", network="away", created_at=NOW)
    old, new = (
        Identity("g" + str(since), "x", "guest", network="away", since=NOW.timestamp() + since) for since in (-9, 9)
    )
    assert is_muted(room, new_guest(network="home"))
    assert [is_muted(room, each) for each in (old, new)] == [False, True]
    assert not is_muted(room, new_guest(network=""))


def test_more_sanctions_than_are_asked_for_by_name_are_asked_for_all_the_same(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "MOST_NAMED", 2)
    guest = new_guest(network="home")
    for number in range(3):
        impose(room, f"gone{number}", network="home", created_at=NOW - timedelta(days=1))
    assert is_muted(room, guest)
    impose(room, guest.key)
    assert is_muted(room, guest)


def test_nobody_has_nothing_against_them(room: Room) -> None:
    impose(room, "somebody", network="home")
    assert sanctions_in([room.pk], []) == sanctions_in([room.pk], [new_guest(network="away")]) == {room.pk: NOTHING}


def test_no_query_reads_the_whole_table(room: Room) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL reads a table whole where it is as small as here")
    guest = new_guest(network="home")
    impose(room, guest.key, network="home")
    with CaptureQueriesContext(connection) as queries:
        assert is_muted(room, guest)
    assert len(queries) == 2
    for query in queries.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql'].replace('%', '%%')}")
            plan = [step for *_, step in cursor.fetchall()]
        assert not [step for step in plan if step.startswith("SCAN chat_sanction")], plan
