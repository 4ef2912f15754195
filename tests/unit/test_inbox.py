import asyncio
from typing import Any

import pytest

from config.inbox import MOST_WAITING_FRAMES, Inbox


class Connection:
    """A protocol and its server, as an inbox sees them."""

    def __init__(self) -> None:
        self.server = self
        self.is_held = False
        self.tasks: list[asyncio.Task[None]] = []

    def run_for(self, protocol: object, work: Any) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    def hold_input(self) -> bool:
        self.is_held = True
        return True

    def take_input(self) -> None:
        self.is_held = False


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_it_gives_what_was_put_in_order_and_waits_for_more() -> None:
    inbox = Inbox(Connection())
    inbox.put_nowait({"n": 1})
    inbox.put_nowait({"n": 2})
    assert [await inbox.get(), await inbox.get()] == [{"n": 1}, {"n": 2}]
    waiting = asyncio.ensure_future(inbox.get())
    await settle()
    assert not waiting.done()
    inbox.put_nowait({"n": 3})
    assert await waiting == {"n": 3}


async def test_who_gives_up_waiting_takes_nothing_along() -> None:
    inbox = Inbox(Connection())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await inbox.get()
    inbox.put_nowait({"n": 1})
    async with asyncio.timeout(1):
        assert await inbox.get() == {"n": 1}


async def test_a_long_one_holds_the_input_until_half_of_it_is_taken() -> None:
    connection = Connection()
    inbox = Inbox(connection)
    for number in range(MOST_WAITING_FRAMES):
        assert not connection.is_held
        inbox.put_nowait({"n": number})
    assert connection.is_held
    for _ in range(MOST_WAITING_FRAMES // 2):
        assert connection.is_held
        await inbox.get()
    assert not connection.is_held


async def test_a_parked_application_is_woken_for_each_message_one_after_the_other() -> None:
    connection, heard = Connection(), []
    inbox = Inbox(connection)
    inbox.put_nowait({"n": 0})

    async def resume(message: dict) -> None:
        heard.append(("begun", message["n"]))
        await asyncio.sleep(0)
        heard.append(("done", message["n"]))

    inbox.park(resume)
    inbox.put_nowait({"n": 1})
    await settle()
    inbox.put_nowait({"n": 2})
    await settle()
    assert heard == [(what, n) for n in range(3) for what in ("begun", "done")]
    assert all(task.done() for task in connection.tasks), "nothing should be left running"


async def test_who_gave_up_waiting_and_then_parks_is_woken() -> None:
    connection, heard = Connection(), []
    inbox = Inbox(connection)
    waiting = asyncio.ensure_future(inbox.get())
    await settle()
    waiting.cancel()
    inbox.put_nowait({"n": 0})
    await settle()

    async def resume(message: dict) -> None:
        heard.append(message["n"])

    assert await inbox.get() == {"n": 0}
    inbox.park(resume)
    inbox.put_nowait({"n": 1})
    await settle()
    assert heard == [1]


async def test_what_fails_on_one_message_still_hears_the_next() -> None:
    connection, heard = Connection(), []
    inbox = Inbox(connection)

    async def resume(message: dict) -> None:
        if message["type"] == "bad":
            await asyncio.sleep(0)
            raise RuntimeError("stumbled")
        heard.append(message["type"])

    inbox.park(resume)
    inbox.put_nowait({"type": "bad"})
    inbox.put_nowait({"type": "disconnect"})
    await settle()
    assert heard == ["disconnect"]
    assert isinstance(connection.tasks[0].exception(), RuntimeError)
