"""What is said of this process when its parts hang, are away or end."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from asgiref.testing import ApplicationCommunicator
from channels.layers import InMemoryChannelLayer, channel_layers
from django.db import connection
from django.db.migrations.loader import MigrationLoader

import chat.relays
from chat import broadcast, database, health
from chat.database import in_database
from chat.relays import relays

pytestmark = pytest.mark.django_db(transaction=True)


@pytest_asyncio.fixture(autouse=True)
async def nothing_shared(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(health, "SHARED_SECONDS", 0.0)
    health._current = None
    yield
    health._current = None
    if chat.relays._current is not None and chat.relays._current.loop is asyncio.get_running_loop():
        await chat.relays._current.close()
        chat.relays._current = None
    await asyncio.to_thread(database.close)


async def ask(door: health.Door, method: str = "GET") -> tuple[int, list[str]]:
    """The status and the lines that it answers."""
    client = ApplicationCommunicator(door, {"type": "http", "method": method})
    await client.send_input({"type": "http.request"})
    start, body = await client.receive_output(10), await client.receive_output(10)
    await client.wait()
    return start["status"], body["body"].decode().splitlines()


class SilentLayer(InMemoryChannelLayer):
    """Takes everything and passes on nothing, as after a lost subscription."""

    async def group_send(self, group: str, message: dict) -> None:
        pass


@pytest.fixture
def no_layer(settings, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr(health, "LAYER_SECONDS", 0.2)
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": request.param}}
    channel_layers.backends = {}


async def test_all_is_well() -> None:
    assert await ask(health.ready) == (200, ["ready"])
    assert await ask(health.live) == (200, ["alive"])


@pytest.mark.parametrize(
    "no_layer", ["tests.unit.layers.DeadLayer", "tests.unit.test_health.SilentLayer"], indirect=True
)
async def test_without_the_layer_it_is_degraded_and_not_dead(no_layer: None) -> None:
    assert await ask(health.ready) == (200, ["degraded", "layer"])
    assert await ask(health.live) == (200, ["alive"])


@pytest.mark.parametrize("no_layer", ["tests.unit.layers.DeadLayer"], indirect=True)
async def test_a_layer_that_is_back_is_found_without_waiting_for_a_song(no_layer: None) -> None:
    assert await ask(health.ready) == (200, ["degraded", "layer"])
    channel_layers.backends = {}
    from django.conf import settings

    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    async with asyncio.timeout(10):
        while await ask(health.ready) != (200, ["ready"]):
            await asyncio.sleep(0.05)


async def test_a_song_of_another_process_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await relays().carries(2)
    monkeypatch.setattr("chat.canary.PROCESS", "another")
    singing = relays()._canary.carries(0.2)
    monkeypatch.setattr(
        relays()._canary, "sing_once", lambda: broadcast.whisper("site", {"type": "site.canary", "process": "stranger"})
    )
    assert not await singing


async def test_a_database_that_hangs_is_not_waited_for_and_the_process_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "DATABASE_SECONDS", 0.2)
    await ask(health.ready)
    goes_on = threading.Event()
    hanging = [asyncio.ensure_future(in_database(goes_on.wait, 20)) for _ in range(8)]
    try:
        began = time.monotonic()
        assert await ask(health.ready) == (503, ["database"])
        assert await ask(health.live) == (200, ["alive"])
        assert time.monotonic() - began < 5
    finally:
        goes_on.set()
        await asyncio.gather(*hanging)
    assert await ask(health.ready) == (200, ["ready"])


async def test_a_missing_migration_is_told_and_one_too_many_is_well() -> None:
    def record(how: str) -> None:
        with connection.cursor() as cursor:
            if how == "less":
                cursor.execute("DELETE FROM django_migrations WHERE app = 'chat' AND name LIKE '0001%%'")
            else:
                cursor.execute(
                    "INSERT INTO django_migrations (app, name, applied) VALUES ('chat', %s, '2026-01-01 00:00:00')",
                    [FIRST if how == "as it was" else "9999_of_a_newer_release"],
                )

    FIRST = next(name for label, name in health._shipped() if label == "chat" and name.startswith("0001"))
    try:
        await in_database(record, "less")
        assert await ask(health.ready) == (503, ["migrations"])
        await in_database(record, "as it was")
        await in_database(record, "more")
        assert await ask(health.ready) == (200, ["ready"])
    finally:
        await in_database(_forget_the_newer)


def _forget_the_newer() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE name = '9999_of_a_newer_release'")


def test_the_migrations_of_this_code_are_those_that_django_finds() -> None:
    assert health._shipped() == set(MigrationLoader(None).disk_migrations)


async def test_who_leaves_says_so() -> None:
    assert await ask(health.ready) == (200, ["ready"])
    await relays().drain()
    assert await ask(health.ready) == (503, ["leaving"])
    assert await ask(health.live) == (200, ["alive"])


async def test_many_who_ask_are_told_what_one_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "SHARED_SECONDS", 60.0)
    asked = 0
    look = health._look

    async def count() -> health.State:
        nonlocal asked
        asked += 1
        return await look()

    monkeypatch.setattr(health, "_look", count)
    answers = await asyncio.gather(*(ask(health.ready) for _ in range(50)))
    assert answers == [(200, ["ready"])] * 50
    assert await ask(health.ready) == (200, ["ready"])
    assert asked == 1
    monkeypatch.setattr(health, "SHARED_SECONDS", 0.0)
    await ask(health.ready)
    assert asked == 2


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_only_get_and_head_are_answered(method: str) -> None:
    assert await ask(health.ready, method) == (405, ["Ask by GET."])
    assert (await ask(health.ready, "HEAD"))[0] == 200
