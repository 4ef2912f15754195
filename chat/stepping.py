"""Run a coroutine as far as it goes without waiting, and the rest of it, if there is a rest, later.

Most sends finish at once; a task for each would cost more than the send.
"""

from collections.abc import Awaitable, Coroutine, Generator
from typing import Any


def step(coroutine: Coroutine[Any, Any, None]) -> Awaitable[None] | None:
    """Start ``coroutine``. None where it has finished; otherwise what is left, to be awaited exactly once.

    What it raises is raised here. It must not ask for the current task before it first waits.
    """
    try:
        waiting_for = coroutine.send(None)
    except StopIteration:
        return None
    return _Rest(coroutine, waiting_for)


class _Rest:
    def __init__(self, coroutine: Coroutine[Any, Any, None], waiting_for: Any) -> None:
        self._coroutine = coroutine
        self._waiting_for = waiting_for

    def __await__(self) -> Generator[Any, Any, None]:
        # As ``yield from`` would go on, had it begun at the start: pass values, errors and the end through.
        waiting_for = self._waiting_for
        try:
            while True:
                try:
                    value = yield waiting_for
                except GeneratorExit:
                    self._coroutine.close()
                    raise
                except BaseException as error:
                    waiting_for = self._coroutine.throw(error)
                else:
                    waiting_for = self._coroutine.send(value)
        except StopIteration:
            return
