import asyncio

import pytest

from chat.stepping import step


async def test_what_finishes_at_once_is_done() -> None:
    done = []

    async def send() -> None:
        done.append(1)

    assert step(send()) is None
    assert done == [1]


async def test_the_rest_goes_on_where_it_stopped() -> None:
    done = []
    gate = asyncio.Event()

    async def send() -> None:
        done.append("before")
        await gate.wait()
        await asyncio.sleep(0)
        done.append("after")

    rest = step(send())
    assert done == ["before"]
    task = asyncio.create_task(_wait(rest))
    await asyncio.sleep(0)
    gate.set()
    await task
    assert done == ["before", "after"]


async def test_errors_pass_through_before_and_after_waiting() -> None:
    async def at_once() -> None:
        raise ValueError("now")

    async def later() -> None:
        await asyncio.sleep(0)
        raise ValueError("later")

    with pytest.raises(ValueError, match="now"):
        step(at_once())
    with pytest.raises(ValueError, match="later"):
        await _wait(step(later()))


async def test_cancelling_the_rest_cancels_what_it_waits_for() -> None:
    seen = []

    async def send() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    task = asyncio.create_task(_wait(step(send())))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cancelled"]


async def _wait(rest: object) -> None:
    await rest
