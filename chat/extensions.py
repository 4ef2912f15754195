"""What our server offers an application beyond ASGI. On a server that does not say so in the scope, everything works
without.

*Parking.* An application that waits for a message which may not come for hours is a task, a chain of coroutines and a
scope: more memory than everything else about an idle connection. Where the server can do it (``may_park``), the
application parks as its last act: it names what handles further messages, and returns. The server then runs
``resume(message)`` for each message that comes, the disconnect included, one after the other.

*Sending now.* ``send_now(scope)`` is a function that sends a message and returns True, or does nothing and returns
False: where the reader is behind, or the message is of another kind than most. Then ``send`` is to be awaited. It
spares a broadcast a coroutine for each reader.

*Naming.* A server that says NAMES tells whoever asked over HTTP the id of their request (``chat.tracing``) itself, so
that nothing need stand between an application and its ``send``.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.typing import ASGISendCallable

PARK = "engawa.park"
NOW = "engawa.now"
NAMES = "engawa.names"

Resume = Callable[[dict[str, Any]], Awaitable[None]]
SendNow = Callable[[dict[str, Any]], bool]


def may_park(scope: dict[str, Any]) -> bool:
    return PARK in scope.get("extensions", ())


async def park(send: ASGISendCallable, resume: Resume) -> None:
    await send({"type": PARK, "resume": resume})


def send_now(scope: dict[str, Any]) -> SendNow:
    offered = scope.get("extensions", {}).get(NOW)
    return never if offered is None else offered["send"]


def never(message: dict[str, Any]) -> bool:
    return False
