"""What is due to whom of those that follow a room by webhook, and what came of it. Synchronous.

A webhook follows the log by a number of its own. While it is called, it is claimed: no other process calls it, until
the claim runs out, as it does where a process has died. Whoever writes down what came of a call must still have the
claim.
"""

import hmac
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from chat import events, log, outbound
from chat.audit import record
from chat.models import Room, Webhook

TOLD = (events.MESSAGE, events.EDITED, events.DELETED)
MOST_EVENTS = 100  # in a request
MOST_BYTES = 256 * 1024  # of a request, unless a single event is longer
MOST_PAUSE_SECONDS = 3600
GONE = 410  # "do not come back"
MOST_STATUS_CHARS = 100

_listeners: list[Callable[[], None]] = []


def on_change(listener: Callable[[], None]) -> None:
    """Have ``listener`` called where a webhook was made, removed or turned on, in the thread that committed it."""
    if listener not in _listeners:
        _listeners.append(listener)


def no_longer_on_change(listener: Callable[[], None]) -> None:
    if listener in _listeners:
        _listeners.remove(listener)


def changed() -> None:
    for listener in tuple(_listeners):
        listener()


@dataclass(frozen=True, slots=True)
class Claim:
    """A webhook that is ours to call ``until`` then: what is needed for it."""

    pk: int
    room_id: int
    url: str
    secret: str
    position: int
    until: datetime

    def __repr__(self) -> str:
        return f"<Claim of webhook {self.pk}>"  # without the secret


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request to be made, and the ``position`` that it leads to."""

    id: str
    body: bytes
    position: int


def rooms_with_webhooks() -> frozenset[int]:
    return frozenset(Webhook.objects.filter(disabled_at=None).order_by().values_list("room_id", flat=True).distinct())


def claim_due(room_ids: Collection[int] | None, most: int) -> list[Claim]:
    """Claim at most ``most`` webhooks that are due and that nobody else is calling: of these rooms, or (None) of all.
    Those that have waited longest first."""
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    due = Webhook.objects.filter(free, disabled_at=None, next_at__lte=now).exclude(position=F("room__head"))
    if room_ids is not None:
        due = due.filter(room_id__in=room_ids)
    claims = []
    for pk, room_id, url, secret, position in due.order_by("next_at").values_list(
        "pk", "room_id", "url", "secret", "position"
    )[:most]:
        until = _claim_end(now)
        if Webhook.objects.filter(free, pk=pk, disabled_at=None, position=position).update(claimed_until=until):
            claims.append(Claim(pk, room_id, url, secret, position, until))
    return claims


def next_delivery(claim: Claim) -> tuple[Claim, Delivery | None]:
    """What to tell next, and the claim as it then is. None where there is nothing, and the claim was let go, or where
    it is no longer ours."""
    while True:
        room = Room.objects.there().filter(pk=claim.room_id).first()
        if room is None:
            return claim, None
        page = log.read(claim.room_id, claim.position)
        if page.reset:
            fields = {"room": room.slug, "reset": True, "head": page.head}
            id = f"{claim.pk}-reset-{page.head}"
            return claim, Delivery(id, events.encode(fields).encode(), page.head)
        if not page.events:
            release(claim)
            return claim, None
        delivery = _delivery_of(claim, room.slug, page.events)
        if delivery.body:
            return claim, delivery
        # Nothing of all that is for a webhook.
        extended = _write(claim, position=delivery.position)
        if extended is None:
            return claim, None
        claim = replace(extended, position=delivery.position)


def _delivery_of(claim: Claim, slug: str, found: list[log.LoggedEvent]) -> Delivery:
    told: list[log.LoggedEvent] = []
    size, position = 0, claim.position
    for event in found:
        if event.type in TOLD:
            size += len(event.json.encode()) + 1
            if told and (len(told) == MOST_EVENTS or size > MOST_BYTES - 1024):
                break
            told.append(event)
        position = event.seq
    if not told:
        return Delivery("", b"", position)
    body = f'{{"room":{events.encode(slug)},"events":[{",".join(event.json for event in told)}]}}'
    return Delivery(f"{claim.pk}-{told[0].seq}-{told[-1].seq}", body.encode(), position)


def headers_of(claim: Claim, delivery: Delivery, now: int) -> dict[str, str]:
    """What a request says of itself; ``now`` in seconds of the epoch."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "Engawa",
        "Engawa-Delivery": delivery.id,
        "Engawa-Signature": f"t={now},v1={signature(claim.secret, now, delivery.body)}",
    }


def signature(secret: str, now: int, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{now}.".encode() + body, sha256).hexdigest()


def delivered(claim: Claim, delivery: Delivery, status: int) -> Claim | None:
    """It was taken. The claim from where it goes on, or None where it is no longer ours."""
    extended = _write(
        claim,
        position=delivery.position,
        failures=0,
        last_status=str(status),
        last_success_at=timezone.now(),
    )
    return None if extended is None else replace(extended, position=delivery.position)


def failed(claim: Claim, status: int | None, why: str) -> float | None:
    """It was not taken, and the claim is let go. Returns the seconds until it is due again; None where it was turned
    off, or is no longer ours."""
    with transaction.atomic():
        mine = Webhook.objects.filter(pk=claim.pk, claimed_until=claim.until, disabled_at=None)
        failures = mine.values_list("failures", flat=True).first()
        if failures is None:
            return None
        failures += 1
        now = timezone.now()
        said = why[:MOST_STATUS_CHARS]
        if status == GONE or failures >= settings.WEBHOOK_FAILURES:
            mine.update(failures=failures, last_status=said, claimed_until=None, disabled_at=now)
            room = Room.objects.get(pk=claim.room_id)
            record(room, None, "disable_webhook", outbound.origin_of(claim.url), webhook=claim.pk, status=said)
            return None
        pause = pause_after(failures)
        mine.update(failures=failures, last_status=said, claimed_until=None, next_at=now + timedelta(seconds=pause))
        return pause


def pause_after(failures: int) -> float:
    """The seconds to wait after so many failures in a row: longer each time, and not the same for all."""
    pause = settings.WEBHOOK_RETRY_SECONDS * 2.0 ** min(failures - 1, 30)
    return min(pause * random.uniform(1, 1.5), MOST_PAUSE_SECONDS)  # noqa: S311 – spreads load, keeps no secret


def release(claim: Claim) -> None:
    """Let others call it."""
    Webhook.objects.filter(pk=claim.pk, claimed_until=claim.until).update(claimed_until=None)


def _claim_end(now: datetime) -> datetime:
    # A call takes settings.WEBHOOK_SECONDS at most; the rest is for what comes before and after it.
    return now + timedelta(seconds=2 * settings.WEBHOOK_SECONDS + 5)


def _write(claim: Claim, **fields: object) -> Claim | None:
    """Write ``fields`` and make the claim longer. None where it is no longer ours."""
    until = _claim_end(timezone.now())
    mine = Webhook.objects.filter(pk=claim.pk, claimed_until=claim.until, disabled_at=None)
    return replace(claim, until=until) if mine.update(claimed_until=until, **fields) else None
