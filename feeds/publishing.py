"""Publishing to a GRIP proxy: each committed event, once, in order; and word that those whom it holds be asked about.

Whoever commits hands over and goes on. A thread of its own in each process that commits sends what waits, joined. The
proxy puts in order what comes from several processes: each event names the one before it.

What cannot be sent is not kept, for its text may be deleted by the time that it could be. Instead, all whom the proxy
holds are asked about as soon as it can be reached again, and each is told what they missed from the log.
"""

import atexit
import http.client
import json
import logging
import threading
from collections import deque
from datetime import timedelta
from itertools import takewhile
from time import sleep, time
from urllib.parse import urlsplit

import jwt
from django.db import DatabaseError, connection
from django.utils import timezone

from chat import broadcast, events, meters, policies, site
from chat.events import LoggedEvent
from chat.models import Room, Sanction, SiteEvent
from feeds import grip
from feeds.encoders import ServerSentEvents

logger = logging.getLogger(__name__)

MAX_WAITING_EVENTS = 10_000
MAX_REQUEST_BYTES = 500_000  # far from what Pushpin takes (push_in_http_max_body_size)
REQUEST_SECONDS = 3.0
RETRY_SECONDS = 1.0
FLUSH_SECONDS = 3.0
NEW_BANS = timedelta(hours=1)  # those of networks that may not have been heard of

Item = dict[str, object]


def connect() -> None:
    """Publish to each proxy whatever is committed in this process. One that is away holds up no other."""
    for url in grip.proxies():
        publisher = Publisher(url)
        broadcast.add_sink(publisher.hear)
        site.add_sink(publisher.hear_of)


class Publisher:
    """Sends to the proxy at ``url`` from a thread of its own, which begins with the first that there is to send."""

    def __init__(self, url: str) -> None:
        config = grip.parsed(url)
        self._control = urlsplit(config["control_uri"])
        self._issuer, self._key = config.get("control_iss"), config.get("key")
        self._changed = threading.Condition()
        self._waiting: deque[tuple[str, object, list[LoggedEvent]]] = deque()
        self._count = 0
        self._has_lost = False
        self._is_idle = True
        self._thread: threading.Thread | None = None

    # What comes, in any thread -----------------------------------------------------------------------------

    def hear(self, room_id: int, slug: str, logged: list[LoggedEvent]) -> None:
        """A sink of the broadcast."""
        before = list(takewhile(lambda event: event.type not in events.OF_THE_ROOM, logged))
        if before:
            self._put("events", slug, before)
        if len(before) < len(logged):
            # Who may no longer read is let go before anybody hears of the change, or of anything after it.
            self._put(SiteEvent.Kind.ROOM, room_id, [])
            self._put("events", slug, logged[len(before) :])

    def hear_of(self, kind: str, subject: int) -> None:
        """A sink of the site log."""
        if kind != SiteEvent.Kind.QUEUE:  # which moderators are told, whom nobody holds for us
            self._put(kind, subject, [])

    def flush(self, seconds: float = FLUSH_SECONDS) -> bool:
        """Wait until nothing waits, or as long as that. Whether nothing does."""
        with self._changed:
            return self._changed.wait_for(lambda: self._is_idle and not self._waiting, seconds)

    def _put(self, kind: str, subject: object, logged: list[LoggedEvent]) -> None:
        with self._changed:
            if self._count + len(logged) > MAX_WAITING_EVENTS:
                logger.warning("the proxy takes too long: it will ask for what it was not told")
                self._lose()
            elif logged or (kind, subject, logged) not in self._waiting:
                self._waiting.append((kind, subject, logged))
                self._count += len(logged)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="grip", daemon=True)
                self._thread.start()
                atexit.register(self.flush)
            self._changed.notify_all()

    def _lose(self) -> None:
        """Forget what waits, and have everybody asked about instead."""
        self._waiting.clear()
        self._count = 0
        self._has_lost = True

    # What goes, in our own ---------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._changed:
                self._is_idle = True
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting or self._has_lost)
                self._is_idle = False
                has_lost, self._has_lost = self._has_lost, False
                waiting, self._waiting = self._waiting, deque()
                self._count = 0
            try:
                if has_lost:
                    # What came since is in the log as well.
                    self._send([_asking(grip.EVERYBODY)])
                else:
                    self._send([item for each in waiting for item in _items(*each)])
                    meters.grip.add(*("published" for _, _, logged in waiting for _ in logged))
            except Exception as error:
                if not isinstance(error, (OSError, http.client.HTTPException, DatabaseError)):
                    logger.exception("publishing to the proxy failed")
                elif not has_lost:
                    logger.warning("the proxy was not reached: it will ask for what it was not told (%r)", error)
                sleep(RETRY_SECONDS)
                with self._changed:
                    self._lose()
            finally:
                connection.close()

    def _send(self, items: list[Item]) -> None:
        """Send these, in this order. Raises ``OSError`` or ``HTTPException`` where one was not taken."""
        run: list[str] = []
        size = 0
        for item in items:
            text = json.dumps(item)
            if run and size + len(text) > MAX_REQUEST_BYTES:
                self._post(run)
                run, size = [], 0
            run.append(text)
            size += len(text)
        if run:
            self._post(run)

    def _post(self, items: list[str]) -> None:
        kind = http.client.HTTPSConnection if self._control.scheme == "https" else http.client.HTTPConnection
        proxy = kind(self._control.netloc, timeout=REQUEST_SECONDS)
        headers = {"Content-Type": "application/json"}
        if self._issuer and self._key:
            claim = {"iss": self._issuer, "exp": int(time()) + 3600}
            headers["Authorization"] = f"Bearer {jwt.encode(claim, self._key)}"
        try:
            body = f'{{"items":[{",".join(items)}]}}'.encode()
            proxy.request("POST", f"{self._control.path.rstrip('/')}/publish/", body, headers)
            answer = proxy.getresponse()
            answer.read()
            if not 200 <= answer.status < 300:
                raise http.client.HTTPException(f"{answer.status} {answer.reason}")
        finally:
            proxy.close()


def _items(kind: str, subject: object, logged: list[LoggedEvent]) -> list[Item]:
    """What the proxy is sent for one thing that was put."""
    if kind == "events":
        form = ServerSentEvents(subject)
        return [
            {
                "channel": grip.of_events(subject),
                "id": str(event.seq),
                "prev-id": str(event.seq - 1),
                "formats": {"http-stream": {"content": form.block_of(event)}},
            }
            for event in logged
        ]
    if kind == SiteEvent.Kind.USER:
        return [_asking(grip.of_account(subject))]
    if kind == SiteEvent.Kind.SITE:
        return [_asking(grip.PEOPLE), _asking(grip.ANYBODY)]
    about = [_asking(grip.in_room(grip.PEOPLE, subject))]
    if _concerns_anybody(subject):
        about.append(_asking(grip.in_room(grip.ANYBODY, subject)))
    return about


def _asking(channel: str) -> Item:
    """Have the proxy ask again about all who are on that channel."""
    return {"channel": channel, "formats": {"http-stream": {"action": "hint"}}}


def _concerns_anybody(room_id: int) -> bool:
    """Whether what changed in a room may concern those of whom only the network is known: a large audience is not
    asked about whenever somebody becomes a member."""
    room = Room.objects.filter(pk=room_id).first()
    if room is None or not policies.anyone_may_read(room):
        return True
    bans = Sanction.objects.filter(room=room, kind=Sanction.Kind.BAN, target=Sanction.Target.NETWORK)
    return bans.filter(created_at__gte=timezone.now() - NEW_BANS).exists()
