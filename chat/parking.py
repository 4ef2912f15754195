"""An ASGI extension by which an application leaves while its connection stays.

An application that waits for a message which may not come for hours is a task, a chain of coroutines and a scope:
more memory than everything else about an idle connection. Where the server can do it (``may_park``), the application
parks as its last act: it names what handles further messages, and returns. The server then runs
``resume(message)`` for each message that comes, the disconnect included, one after the other.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.typing import ASGISendCallable

PARK = "engawa.park"

Resume = Callable[[dict[str, Any]], Awaitable[None]]


def may_park(scope: dict[str, Any]) -> bool:
    return PARK in scope.get("extensions", ())


async def park(send: ASGISendCallable, resume: Resume) -> None:
    await send({"type": PARK, "resume": resume})
