"""Daphne as Engawa runs it: it waits for slow readers, finds dead ones, and leaves without breaking anything off."""

import asyncio
import gc
import logging
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from time import monotonic
from typing import Any

import daphne.server
from django.conf import settings
from twisted.internet import defer, reactor, tcp
from twisted.logger import LogLevel, formatEvent, globalLogPublisher

from chat import courier, meters, scheduler
from chat.extensions import NAMES, NOW, PARK
from chat.relays import relays
from config import metrics
from config.inbox import Inbox
from config.requests import GatedHTTPFactory
from config.sockets import GatedWebSocketFactory

MAX_MESSAGE_BYTES = 1024 * 1024  # each way; what a participant may send is the consumer's to say, with an error
SWEEP_SECONDS = 1.0
BACKLOG = 4096  # who comes back with thousands of others is kept waiting, not turned away to try again in a second
HANG_UP_AFTER_SECONDS = 5.0  # the application gives up on a slow reader first, and says so; this is for what is left
GARBAGE_THRESHOLDS = (20_000, 20, 20)  # of Python's collector, whose 700 have it run through each connect several times
LINGER_SECONDS = 0.3  # for the last bytes, and the answers to closing frames

# A peer that has vanished without a word is found within 45 s, whether it owes us an answer or not.
_KEEPALIVE = {
    "SO_KEEPALIVE": (socket.SOL_SOCKET, 1),
    "TCP_KEEPIDLE": (socket.IPPROTO_TCP, 20),
    "TCP_KEEPINTVL": (socket.IPPROTO_TCP, 5),
    "TCP_KEEPCNT": (socket.IPPROTO_TCP, 4),
    "TCP_USER_TIMEOUT": (socket.IPPROTO_TCP, 45_000),
}

logger = logging.getLogger(__name__)

# Daphne's server makes its factories by these names.
daphne.server.HTTPFactory = GatedHTTPFactory
daphne.server.WebSocketFactory = GatedWebSocketFactory


class Server(daphne.server.Server):
    """Daphne's server, extended. Listens on a Twisted endpoint, given by its description. Calls ``on_listening`` once
    it does; where it never did, ``failure`` says why after ``run``. ``number`` is which of several workers this is."""

    def __init__(
        self, application: Callable, endpoint: str, on_listening: Callable[[], None], *, number: int = 1
    ) -> None:
        super().__init__(
            application,
            endpoints=[endpoint],
            websocket_max_message_size=MAX_MESSAGE_BYTES,
            websocket_max_frame_size=MAX_MESSAGE_BYTES,
            server_name="",
        )
        self.failure = ""
        self.is_leaving = False
        self.paused: set = set()
        self._served: set = set()  # the connections that have an application, running or parked
        self._all_gone = asyncio.Event()
        self._ports: list = []
        self._on_listening = on_listening
        self._number = number

    def run(self) -> None:
        globalLogPublisher.addObserver(_report)
        # What is there by now stays, and need not be looked at again for garbage: connections come and go in their
        # thousands, with a few objects each in cycles.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        super().run()

    # Listening ---------------------------------------------------------------------------------------------

    def listen_success(self, port: object) -> None:
        super().listen_success(port)
        self._ports.append(port)
        port.socket.listen(BACKLOG)  # again, for Twisted has 50 wait
        for name, (level, value) in _KEEPALIVE.items():
            if hasattr(socket, name):  # what is set on a listening socket, those that it accepts inherit
                port.socket.setsockopt(level, getattr(socket, name), value)
        reactor.callLater(SWEEP_SECONDS, self._sweep)
        reactor.callLater(0, courier.start)  # on the event loop, which does not run yet
        metrics.serve(self, self._number)
        scheduler.start()
        self._on_listening()

    def listen_error(self, failure: object) -> None:
        reason = getattr(failure.value, "socketError", failure.value)
        self.failure = getattr(reason, "strerror", None) or str(reason)
        self.stop()

    # Slow readers ------------------------------------------------------------------------------------------

    async def handle_reply(self, protocol: object, message: dict) -> None:
        if protocol.pass_on(message):
            return
        if protocol.paused_since is not None and _is_more(message):
            await protocol.drained()
        if message["type"] == PARK:
            protocol.application_queue.park(message["resume"])
        else:
            await super().handle_reply(protocol, message)

    def create_application(self, protocol: object, scope: dict) -> Inbox:
        """As Daphne's, with an inbox that holds back who fills it, and that an application can park by."""
        scope["asgi"] = {"version": "3.0"}
        scope["extensions"] = {PARK: {}, NAMES: {}, NOW: {"send": protocol.pass_on}}
        inbox = Inbox(protocol)
        self._served.add(protocol)
        self.run_for(protocol, self.application(scope, inbox.get, partial(self.handle_reply, protocol)))
        return inbox

    def protocol_disconnected(self, protocol: object) -> None:
        super().protocol_disconnected(protocol)
        self._served.discard(protocol)
        if not self._served:
            self._all_gone.set()

    def run_for(self, protocol: object, work: Coroutine[Any, Any, None]) -> None:
        """Run a connection's application, whose end Daphne then sees to."""
        task = asyncio.ensure_future(work)
        if protocol in self.connections:
            self.connections[protocol]["application_instance"] = task

    def _sweep(self) -> None:
        """Hang up on those who were given up but cannot even be told."""
        overdue = monotonic() - settings.SLOW_SECONDS - HANG_UP_AFTER_SECONDS
        for protocol in [protocol for protocol in self.paused if protocol.paused_since < overdue]:
            self.paused.discard(protocol)
            meters.counts.hung_up += 1
            protocol.hang_up()
        reactor.callLater(SWEEP_SECONDS, self._sweep)

    # Leaving -----------------------------------------------------------------------------------------------

    def kill_all_applications(self) -> defer.Deferred:
        """Daphne's hook before the reactor stops, which waits for it. Daphne's own breaks everything off, and stops
        half-way where a connection was just upgraded or has just ended."""
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._leave()))

    async def _leave(self) -> None:
        self.is_leaving = True
        for port in self._ports:
            await defer.maybeDeferred(port.stopListening).asFuture(asyncio.get_running_loop())
        try:
            async with asyncio.timeout(settings.DRAIN_SECONDS):
                await asyncio.gather(courier.stop(), scheduler.stop(), relays().drain())
                await self._everybody_gone()
                if _has_connections():  # of whom some may have come a moment ago, and not have asked yet
                    await asyncio.sleep(LINGER_SECONDS)
                    await self._everybody_gone()
        except TimeoutError:
            logger.warning("%s connections were still busy and are broken off", len(self._served))
        remaining = self._running()
        for application in remaining:
            application.cancel()
        await self._finished(remaining)
        if self.connections:
            await asyncio.sleep(LINGER_SECONDS)

    async def _everybody_gone(self) -> None:
        while self._served:
            self._all_gone.clear()
            await self._all_gone.wait()
        await self._finished(self._running())

    def _running(self) -> list[asyncio.Future]:
        applications = [details.get("application_instance") for details in self.connections.values()]
        return [application for application in applications if application is not None and not application.done()]

    @staticmethod
    async def _finished(applications: list[asyncio.Future]) -> None:
        await asyncio.gather(*applications, return_exceptions=True)


def _report(event: dict[str, Any]) -> None:
    """Pass on what went wrong in the network's own code, which Daphne has Twisted log to nowhere."""
    if event["log_level"] >= LogLevel.critical:
        failure = event.get("log_failure")
        trace = None if failure is None else (failure.type, failure.value, failure.getTracebackObject())
        logger.error("the network stumbled: %s", formatEvent(event), exc_info=trace)


def _has_connections() -> bool:
    return any(isinstance(reader, tcp.Server) for reader in reactor.getReaders())


def _is_more(message: dict) -> bool:
    """Whether a message is one of many: a last one is let through, so that the connection can end."""
    return message["type"] == "websocket.send" or bool(message.get("more_body"))
