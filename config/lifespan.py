"""What begins and ends with a server that says so, as ASGI's lifespan has it. Ours does not: ``config.server`` does the
same."""

from collections.abc import Awaitable, Callable

from chat import courier, scheduler


async def lifespan(
    scope: dict, receive: Callable[[], Awaitable[dict]], send: Callable[[dict], Awaitable[None]]
) -> None:
    await receive()
    courier.start()
    scheduler.start()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await courier.stop()
    await scheduler.stop()
    await send({"type": "lifespan.shutdown.complete"})
