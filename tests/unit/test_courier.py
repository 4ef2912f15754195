"""Webhooks: in order, signed, tried again, turned off, and never by two at once."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
import pytest_asyncio
from django.utils import timezone

from chat import actions, courier, database, events, governing, log, moderation, posting, programs, webhooks
from chat.courier import Courier
from chat.database import in_database
from chat.models import AuditEntry, Webhook
from tests.receiver import Receiver, Request, receiving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick(settings) -> None:
    settings.WEBHOOK_PRIVATE_ADDRESSES = True
    settings.WEBHOOK_RETRY_SECONDS = 0.05
    settings.WEBHOOK_SECONDS = 2


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver
    await courier.stop()
    await asyncio.to_thread(database.close)


async def hook(cast: SimpleNamespace, url: str) -> tuple[int, str]:
    webhook, secret = await in_database(programs.create_webhook, cast.olga, cast.room.pk, url)
    return webhook.pk, secret


async def say(cast: SimpleNamespace, *texts: str) -> list[str]:
    return [(await in_database(posting.post, cast.gil, cast.room.pk, text)).mid for text in texts]


async def state(pk: int) -> Webhook:
    return await in_database(Webhook.objects.get, pk=pk)


def is_signed(request: Request, secret: str) -> bool:
    """As a receiver checks it: by the documentation, not by our code."""
    parts = dict(part.split("=", 1) for part in request.headers["engawa-signature"].split(","))
    expected = hmac.new(secret.encode(), parts["t"].encode() + b"." + request.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(parts["v1"], expected) and abs(int(parts["t"]) - timezone.now().timestamp()) < 60


async def test_messages_edits_and_deletions_are_told_as_they_stand_in_the_log(cast, receiver) -> None:
    await say(cast, "before")
    pk, secret = await hook(cast, receiver.url)
    one, two = await say(cast, "one", "two 雑談")
    await in_database(actions.edit, cast.gil, cast.room.pk, one, "one!")
    await in_database(actions.react, cast.gil, cast.room.pk, one, "👍")
    await in_database(governing.change_room, cast.olga, cast.room.pk, {"topic": "Tea"})
    await in_database(actions.delete, cast.gil, cast.room.pk, two)
    await courier.deliver_due()
    (request,) = receiver.requests
    assert request.target == "/hook"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["engawa-delivery"] == f"{pk}-4-7"
    assert is_signed(request, secret)
    assert not is_signed(Request("", request.headers, request.body + b" ", 204), secret)
    assert request.json["room"] == "veranda"
    told = receiver.events()
    assert [(event["id"], event["type"]) for event in told] == [(4, "message.edited"), (7, "message.deleted")]
    kept = (await in_database(log.read, cast.room.pk, 3)).events
    assert told == [json.loads(event.json) for event in kept if event.type in webhooks.TOLD]
    assert told[0]["message"] == "one!"
    webhook = await state(pk)
    assert (webhook.position, webhook.last_status, webhook.failures) == (7, "204", 0)
    assert webhook.last_success_at is not None
    assert webhook.claimed_until is None
    await courier.deliver_due()
    assert len(receiver.requests) == 1


async def test_nothing_is_told_twice_or_left_out_however_much_there_is(cast, receiver) -> None:
    pk, _ = await hook(cast, receiver.url)
    await in_database(posting.post_together, cast.room.pk, [posting.Post(cast.gil, str(n)) for n in range(150)])
    await in_database(
        posting.post_together, cast.room.pk, [posting.Post(cast.gil, "<" * 3990 + str(n)) for n in range(30)]
    )
    await courier.deliver_due()
    assert [event["id"] for event in receiver.events()] == list(range(1, 181))
    sizes = [(len(request.json["events"]), len(request.body)) for request in receiver.requests]
    assert sizes[0][0] == 100
    assert all(count <= 100 and size <= 256 * 1024 for count, size in sizes)
    assert len(sizes) > 3
    assert (await state(pk)).position == 180


async def test_what_is_said_is_told_soon_by_a_courier_that_runs(cast, receiver) -> None:
    courier.start()
    await hook(cast, receiver.url)
    await say(cast, "one")
    await receiver.until(lambda: len(receiver.events()) == 1)
    await say(cast, "two", "three")
    await receiver.until(lambda: len(receiver.events()) == 3)
    assert [event["message"] for event in receiver.events()] == ["one", "two", "three"]


async def test_what_fails_is_tried_again_in_order(cast, receiver) -> None:
    courier.start()
    broken = b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"
    receiver.answers = [500, 302, b"", broken, 429, 200]
    pk, secret = await hook(cast, receiver.url)
    await say(cast, "one")
    await receiver.until(lambda: len(receiver.requests) >= 1)
    await say(cast, "two")
    await receiver.until(lambda: len(receiver.events()) == 2)
    assert [event["message"] for event in receiver.events()] == ["one", "two"]
    assert [request.status for request in receiver.requests][:2] == [500, 302]
    assert all(is_signed(request, secret) for request in receiver.requests)
    assert await in_database(AuditEntry.objects.filter(action="disable_webhook").exists) is False
    while (await state(pk)).failures:
        await asyncio.sleep(0.01)


async def test_the_same_events_have_the_same_delivery(cast, receiver) -> None:
    receiver.answers = [503, 204]
    pk, _ = await hook(cast, receiver.url)
    await say(cast, "one")
    await courier.deliver_due()
    webhook = await state(pk)
    assert (webhook.failures, webhook.last_status, webhook.position) == (1, "503", 0)
    assert webhook.next_at > timezone.now() - timedelta(seconds=1)
    await in_database(Webhook.objects.update, next_at=timezone.now())
    await courier.deliver_due()
    first, second = receiver.requests
    assert first.headers["engawa-delivery"] == second.headers["engawa-delivery"] == f"{pk}-1-1"
    assert first.body == second.body


async def test_after_so_many_failures_it_is_turned_off_until_the_owner_turns_it_on(cast, receiver, settings) -> None:
    settings.WEBHOOK_FAILURES = 3
    receiver.answers = [500]
    pk, _ = await hook(cast, f"{receiver.url}?secret")
    await say(cast, "one")
    courier.start()
    await receiver.until(lambda: len(receiver.requests) == 3)
    while (webhook := await state(pk)).disabled_at is None:
        await asyncio.sleep(0.01)
    assert (webhook.failures, webhook.last_status, webhook.claimed_until) == (3, "500", None)
    entry = await in_database(AuditEntry.objects.get, action="disable_webhook")
    assert (entry.room_id, entry.actor_name, entry.details["status"]) == (cast.room.pk, "the site", "500")
    assert "?" not in entry.target
    await say(cast, "two")
    assert await in_database(webhooks.claim_due, None, 10) == []
    receiver.answers = [204]
    await in_database(programs.enable_webhook, cast.olga, cast.room.pk, pk)
    await receiver.until(lambda: len(receiver.events()) == 2)


async def test_who_is_gone_is_not_asked_again(cast, receiver) -> None:
    receiver.answers = [410]
    pk, _ = await hook(cast, receiver.url)
    await say(cast, "one")
    await courier.deliver_due()
    assert (await state(pk)).disabled_at is not None
    assert len(receiver.requests) == 1


async def test_a_success_in_between_counts_anew(cast, receiver, settings) -> None:
    settings.WEBHOOK_FAILURES = 2
    receiver.answers = [500, 204, 500, 204]
    pk, _ = await hook(cast, receiver.url)
    for text in ("one", "two"):
        await say(cast, text)
        for _ in range(2):
            await in_database(Webhook.objects.update, next_at=timezone.now())
            await courier.deliver_due()
    assert (await state(pk)).disabled_at is None
    assert len(receiver.events()) == 2


async def test_a_deleted_text_is_not_told_late(cast, receiver) -> None:
    receiver.answers = [500]
    await hook(cast, receiver.url)
    kept, deleted, edited, hidden = await say(cast, "kept", "deleted-text", "edited-text", "hidden-text")
    await in_database(Webhook.objects.update, next_at=timezone.now() + timedelta(hours=1))
    await in_database(actions.delete, cast.gil, cast.room.pk, deleted)
    await in_database(actions.edit, cast.gil, cast.room.pk, edited, "better")
    await in_database(moderation.hide, cast.olga, cast.room.pk, hidden)
    receiver.answers = [204]
    await in_database(Webhook.objects.update, next_at=timezone.now())
    await courier.deliver_due()
    told = [(event["type"], event["mid"]) for event in receiver.events()]
    assert told == [
        ("message", kept),
        ("message.deleted", deleted),
        ("message.edited", edited),
        ("message.deleted", hidden),
    ]
    assert not any(b"-text" in request.body for request in receiver.requests)


@pytest.mark.parametrize("how", ["pruned", "restarted", "opened"])
async def test_where_the_log_cannot_be_resumed_it_says_so_once(cast, receiver, how) -> None:
    if how == "opened":
        await in_database(governing.change_visibility, cast.olga, cast.room.pk, "private")
    pk, _ = await hook(cast, receiver.url)
    await in_database(posting.post, cast.olga, cast.room.pk, "one")
    await in_database(posting.post, cast.olga, cast.room.pk, "two")
    match how:
        case "pruned":
            await in_database(log.prune, cast.room.pk, 1)
        case "restarted":
            await in_database(log.restart, cast.room.pk)
        case "opened":
            await in_database(governing.change_visibility, cast.olga, cast.room.pk, "public")
    await in_database(cast.room.refresh_from_db)
    head = cast.room.head
    await courier.deliver_due()
    await in_database(posting.post, cast.olga, cast.room.pk, "three")
    await courier.deliver_due()
    first, second = receiver.requests
    assert first.json == {"room": "veranda", "reset": True, "head": head}
    assert first.headers["engawa-delivery"] == f"{pk}-reset-{head}"
    assert [event["message"] for event in second.json["events"]] == ["three"]


async def test_one_is_called_by_one_at_a_time(cast, receiver) -> None:
    pk, _ = await hook(cast, receiver.url)
    await say(cast, "one")
    (claim,) = await in_database(webhooks.claim_due, None, 10)
    assert claim.secret not in repr(claim)
    assert await in_database(webhooks.claim_due, None, 10) == []
    # Whoever had it has died: once the claim has run out, somebody else takes over, and the first may not write.
    await in_database(Webhook.objects.update, claimed_until=timezone.now())
    (second,) = await in_database(webhooks.claim_due, None, 10)
    _, delivery = await in_database(webhooks.next_delivery, second)
    assert await in_database(webhooks.delivered, claim, delivery, 200) is None
    assert await in_database(webhooks.failed, claim, 500, "500") is None
    await in_database(webhooks.release, claim)
    webhook = await state(pk)
    assert (webhook.position, webhook.failures, webhook.claimed_until) == (0, 0, second.until)
    assert (await in_database(webhooks.delivered, second, delivery, 200)).position == 1


async def test_many_couriers_tell_each_event_once(cast, receiver) -> None:
    couriers = [Courier() for _ in range(5)]
    for each in couriers:
        each.start()
    try:
        await hook(cast, receiver.url)
        await say(cast, *map(str, range(40)))
        await receiver.until(lambda: len(receiver.events()) >= 40)
    finally:
        for each in couriers:
            await each.stop()
    assert [event["message"] for event in receiver.events()] == [str(number) for number in range(40)]


async def test_a_slow_one_holds_up_only_itself(cast, receiver) -> None:
    receiver.open.clear()
    async with receiving() as quick:
        courier.start()
        await hook(cast, receiver.url)
        await hook(cast, quick.url)
        for number in range(3):
            await say(cast, str(number))
            await quick.until(lambda count=number + 1: len(quick.events()) == count)
        assert receiver.requests == []
        receiver.open.set()
        await receiver.until(lambda: len(receiver.events()) == 3)


async def test_one_that_takes_too_long_is_a_failure(cast, receiver, settings) -> None:
    settings.WEBHOOK_SECONDS = 0.2
    receiver.open.clear()
    pk, _ = await hook(cast, receiver.url)
    await say(cast, "one")
    await courier.deliver_due()
    webhook = await state(pk)
    assert (webhook.failures, webhook.last_status) == (1, "no answer within 0.2 seconds")


async def test_a_private_address_is_refused_when_it_is_called(cast, receiver, settings) -> None:
    pk, _ = await hook(cast, receiver.url)
    await say(cast, "one")
    settings.WEBHOOK_PRIVATE_ADDRESSES = False
    await courier.deliver_due()
    webhook = await state(pk)
    assert (webhook.failures, webhook.last_status) == (1, "the address is not on the public internet")
    assert receiver.requests == []


async def test_one_that_is_removed_while_it_is_called_is_told_no_more(cast, receiver) -> None:
    receiver.open.clear()
    courier.start()
    pk, _ = await hook(cast, receiver.url)
    await say(cast, "one")
    await receiver.until(lambda: receiver.waiting == 1)
    await in_database(programs.remove_webhook, cast.olga, cast.room.pk, pk)
    await say(cast, "two")
    receiver.open.set()
    await receiver.until(lambda: len(receiver.requests) == 1)
    await courier._courier.finish()
    assert [event["message"] for event in receiver.events()] == ["one"]


async def test_a_courier_that_leaves_lets_others_go_on(cast, receiver) -> None:
    receiver.open.clear()
    pk, _ = await hook(cast, receiver.url)
    first = Courier()
    first.start()
    await say(cast, "one")
    await receiver.until(lambda: receiver.waiting == 1)
    await first.stop()
    assert (await state(pk)).claimed_until is None
    receiver.open.set()
    await courier.deliver_due()
    assert len(receiver.events()) >= 1


async def test_where_there_is_none_nothing_is_asked_of_the_database_at_a_post(cast, monkeypatch) -> None:
    each = Courier()
    assert await each.round() == 0
    scheduled: list[object] = []
    real = each._loop
    each._loop = SimpleNamespace(time=real.time, call_soon_threadsafe=lambda *args: scheduled.append(args))
    each.hear(cast.room.pk, "veranda", [])
    assert scheduled == []

    def asked(*args: object) -> None:
        raise AssertionError("nothing is due, and nobody needs to look")

    monkeypatch.setattr(courier, "in_database", asked)
    assert await each.round() == 0
    await asyncio.to_thread(database.close)


def test_pauses_grow_and_end(settings) -> None:
    settings.WEBHOOK_RETRY_SECONDS = 5
    for failures, (least, most) in {1: (5, 7.5), 2: (10, 15), 5: (80, 120), 12: (3600, 3600), 99: (3600, 3600)}.items():
        pauses = [webhooks.pause_after(failures) for _ in range(50)]
        assert min(pauses) >= least
        assert max(pauses) <= most
    assert len({webhooks.pause_after(1) for _ in range(20)}) > 1


def test_what_is_told(cast) -> None:
    assert set(webhooks.TOLD) == {events.MESSAGE, events.EDITED, events.DELETED}
