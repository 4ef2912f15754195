"""Webhooks of real servers: told soon, taken over from who dies, and on another server too."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.receiver import Receiver, receiving
from tests.servers import Engawa, engawa_environment, manage

QUICK = {"WEBHOOK_PRIVATE_ADDRESSES": "true", "WEBHOOK_SECONDS": "1", "WEBHOOK_RETRY_SECONDS": "1"}
MAKE = """
from chat import actions, programs
from chat.models import User
olga = User.objects.create_user("olga").identity
room, _ = actions.create_room(olga, "Veranda")
programs.create_webhook(olga, room.pk, "{url}")
print(programs.create_token(olga, room.pk, "Kestrel", programs.SCOPES)[1])
"""
SERVERS = {
    "ours": ["manage.py", "start"],
    "uvicorn": ["-m", "uvicorn", "config.asgi:application", "--port", "{port}", "--log-level", "warning"],
}


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def prepare(folder: Path, receiver: Receiver) -> str:
    """Make a database, with a room and its webhook, before any server is there. Returns a program's token."""

    def make() -> str:
        environment = engawa_environment(folder, **QUICK)
        manage(environment, "migrate", "-v0")
        return manage(environment, "shell", "-v0", "-c", MAKE.format(url=receiver.url)).strip()

    return await asyncio.to_thread(make)


async def post(server: Engawa, secret: str, *texts: str) -> list[str]:
    messages = f"{server.base}/api/v1/rooms/veranda/messages"
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {secret}"}, timeout=20) as program:
        answers = [await program.post(messages, json={"message": text}) for text in texts]
    assert [answer.status_code for answer in answers] == [201] * len(texts)
    return [answer.json()["mid"] for answer in answers]


async def webhook(server: Engawa) -> tuple[str, ...]:
    """Position, failures and last status, as they are kept."""
    code = (
        "from chat.models import Webhook\nprint(*Webhook.objects.values_list('position', 'failures', 'last_status')[0])"
    )
    return tuple((await asyncio.to_thread(server.shell, code)).split())


def said(receiver: Receiver) -> list[str]:
    return [event["message"] for event in receiver.events()]


@pytest.mark.parametrize("kind", SERVERS)
async def test_what_is_posted_is_told(tmp_path: Path, receiver: Receiver, kind: str) -> None:
    secret = await prepare(tmp_path, receiver)
    server = Engawa(tmp_path, kind, SERVERS[kind], **QUICK)
    try:
        await post(server, secret, "one", "two")
        await receiver.until(lambda: len(receiver.events()) == 2)
        receiver.answers = [500, 204]
        await post(server, secret, "three")
        await receiver.until(lambda: len(receiver.events()) == 3)
        assert said(receiver) == ["one", "two", "three"]
    finally:
        server.stop()
    assert await webhook(server) == ("3", "0", "204")


async def test_another_process_takes_over_from_one_that_was_killed(
    tmp_path: Path, receiver: Receiver, redis_url: str
) -> None:
    secret = await prepare(tmp_path, receiver)
    one = Engawa(tmp_path, "one", REDIS_URL=redis_url, **QUICK)
    try:
        await post(one, secret, "one")
        await receiver.until(lambda: len(receiver.events()) == 1)
        receiver.open.clear()  # what comes now is not answered
        mids = await post(one, secret, "two", "three")
        await receiver.until(lambda: receiver.waiting == 1)
        two = Engawa(tmp_path, "two", REDIS_URL=redis_url, **QUICK)
        one.kill()
        receiver.open.set()
        await post(two, secret, "four")
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {secret}"}) as program:
            await program.delete(f"{two.base}/api/v1/rooms/veranda/messages/{mids[1]}")
        await receiver.until(lambda: any(event["type"] == "message.deleted" for event in receiver.events()))
        told = [request for request in receiver.requests[2:] if 200 <= request.status < 300]
        events = [event for request in told for event in request.json["events"]]
        # What the first had begun to tell may come again, in the same order, and as it stands by then.
        assert [(event["id"], event["type"]) for event in events if event["id"] in (2, 4, 5)] == [
            (2, "message"),
            (4, "message"),
            (5, "message.deleted"),
        ]
        numbers = [event["id"] for event in events]
        assert numbers == sorted(set(numbers))
        assert two.stop() == 0
        assert await webhook(two) == ("5", "0", "204")
    finally:
        one.stop()


async def test_an_operator_has_what_is_due_told_without_a_server(tmp_path: Path, receiver: Receiver) -> None:
    secret = await prepare(tmp_path, receiver)
    environment = engawa_environment(tmp_path, **QUICK)
    code = (
        f"from chat import posting, programs\nbot = programs.bot_of({secret!r})\nposting.post(bot, bot.room_id, 'one')"
    )
    await asyncio.to_thread(manage, environment, "shell", "-v0", "-c", code)
    assert receiver.requests == []
    await asyncio.to_thread(manage, environment, "deliver_webhooks", "--once")
    assert said(receiver) == ["one"]
