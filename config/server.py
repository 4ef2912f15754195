"""Daphne as Engawa runs it."""

import asyncio
import logging
from collections.abc import Callable

from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server as DaphneServer
from twisted.internet import defer

MAX_MESSAGE_BYTES = 1024 * 1024

logger = logging.getLogger(__name__)


class Server(DaphneServer):
    """Daphne's server with our limits, which says in words why it cannot listen.

    ``on_listening`` is called once it does. After ``run``, ``failure`` is the reason where it never did.
    """

    def __init__(self, application: Callable, host: str, port: int, on_listening: Callable[[], None]) -> None:
        super().__init__(
            application,
            endpoints=build_endpoint_description_strings(host=host, port=port),
            # Both ways: what a participant may send is the consumer's to say, which can answer with an error.
            websocket_max_message_size=MAX_MESSAGE_BYTES,
            websocket_max_frame_size=MAX_MESSAGE_BYTES,
            server_name="",
        )
        self.failure = ""
        self._on_listening = on_listening

    def listen_success(self, port: object) -> None:
        super().listen_success(port)
        self._on_listening()

    def listen_error(self, failure: object) -> None:
        reason = getattr(failure.value, "socketError", failure.value)
        self.failure = getattr(reason, "strerror", None) or str(reason)
        self.stop()

    def kill_all_applications(self) -> defer.Deferred:
        # Daphne's own expects an application of every connection, and stops half-way where one was just upgraded
        # or has just ended.
        running = [
            details["application_instance"]
            for details in self.connections.values()
            if "application_instance" in details and not details["application_instance"].done()
        ]
        for application in running:
            application.cancel()
        return defer.Deferred.fromFuture(asyncio.gather(*running, return_exceptions=True))
