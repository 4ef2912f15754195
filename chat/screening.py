"""What is asked of each message before it is kept: is it this person's turn, may they be called that, and do the
filters let it pass. Decided under the room's lock, for all messages that wait together, and only where the room asks
for it: a room without such rules costs one look at its own row.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

from django.conf import settings

from chat import errors, policies
from chat.errors import ChatError
from chat.filters import Rules, Verdict, catches_name, fingerprint, judge
from chat.identity import Identity
from chat.lookalike import is_reserved, skeleton
from chat.models import Membership, Participant, Room, SiteRules
from chat.standing import Standing

SITE_RULES_SECONDS = 1.0  # for so long the site's rules are taken to be what they were
REFRESH_NAME = timedelta(minutes=1)
MOST_FINGERPRINTS = 5
MAX_SKELETON_CHARS = 300
APPROVAL = "approval"  # what caught a message in a room that wants to see messages first

_site_rules: tuple[Rules, float] | None = None


def site_rules() -> Rules:
    """What the site wants caught in every room."""
    global _site_rules
    if _site_rules is None or _site_rules[1] < monotonic():
        found = SiteRules.objects.first()
        _site_rules = (found.rules if found else Rules(), monotonic() + SITE_RULES_SECONDS)
    return _site_rules[0]


def forget_site_rules() -> None:
    """They were changed."""
    global _site_rules
    _site_rules = None


def rules_in(room: Room) -> tuple[Rules, Rules]:
    return room.rules, site_rules()


def check_edit(room: Room, actor: Identity, standing: Standing, text: str) -> None:
    """Ask the filters about an edit. What they would hold is refused: what stands cannot wait. Raises
    ``TextRefused``."""
    if policies.is_filtered(actor, standing):
        verdict = judge(rules_in(room), text)
        if verdict is not None:
            raise errors.TextRefused(verdict.detail)


def check_name(name: str, rules: Iterable[Rules]) -> None:
    """Whether a guest may call themselves that, wherever they are. Raises ``NameReserved``."""
    if is_reserved(name) or catches_name(rules, name):
        raise errors.NameReserved()


@dataclass(slots=True)
class Screening:
    """For the messages that ``authors`` are about to write in ``room`` at ``now``."""

    room: Room
    now: datetime
    rules: tuple[Rules, Rules]
    known: dict[str, Participant] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)  # by skeleton: the keys of whose it is
    changed: set[str] = field(default_factory=set)
    catches_repeats: bool = False

    @classmethod
    def of(cls, room: Room, authors: Collection[Identity], now: datetime) -> "Screening":
        screening = cls(room, now, rules_in(room))
        screening.catches_repeats = any(rules.on_repeats != "allow" for rules in screening.rules)
        guests = [author for author in authors if author.kind == "guest"]
        if guests or room.slow_seconds or screening.catches_repeats:
            screening._load(authors, guests)
        return screening

    def _load(self, authors: Collection[Identity], guests: Collection[Identity]) -> None:
        keys = {author.key for author in authors}
        found = Participant.objects.filter(room=self.room, author_key__in=keys)
        self.known = {each.author_key: each for each in found}
        unsure = {_skeleton(guest.name) for guest in guests if not self._is_theirs(guest)}
        if not unsure:
            return
        since = self.now - timedelta(minutes=settings.NAME_MINUTES)
        theirs = Participant.objects.filter(room=self.room, skeleton__in=unsure, seen_at__gt=since)
        members = Membership.objects.filter(room=self.room, user__skeleton__in=unsure)
        for look, key in theirs.values_list("skeleton", "author_key"):
            self.names.setdefault(look, set()).add(key)
        for look, user_id in members.values_list("user__skeleton", "user_id"):
            self.names.setdefault(look, set()).add(f"u{user_id}")

    def _is_theirs(self, guest: Identity) -> bool:
        known = self.known.get(guest.key)
        return (
            known is not None
            and known.seen_at is not None
            and known.skeleton == _skeleton(guest.name)
            and self.now - known.seen_at < REFRESH_NAME
        )

    def refusal(self, author: Identity, standing: Standing) -> ChatError | None:
        """Why this person may not write just now, if they may not."""
        if author.kind == "guest" and (refusal := self._refusal_of_name(author)) is not None:
            return refusal
        if self.room.slow_seconds and policies.is_filtered(author, standing):
            return self._refusal_by_slow_mode(author)
        return None

    def _refusal_of_name(self, guest: Identity) -> ChatError | None:
        if self._is_theirs(guest):
            return None
        try:
            check_name(guest.name, self.rules)
        except errors.NameReserved as error:
            return error
        if self.names.get(_skeleton(guest.name), set()) - {guest.key}:
            return errors.NameTaken()
        return None

    def _refusal_by_slow_mode(self, author: Identity) -> ChatError | None:
        known = self.known.get(author.key)
        spoke = known.posted_at.timestamp() if known is not None and known.posted_at is not None else 0.0
        if author.kind == "guest":
            # Who clears their cookie, or comes without one, is as new as somebody who has just spoken.
            spoke = max(spoke, author.since)
        wait = spoke + self.room.slow_seconds - self.now.timestamp()
        if wait <= 0:
            return None
        return errors.SlowMode(
            f"This room is in slow mode: one message every {self.room.slow_seconds} seconds.", retry_after=wait
        )

    def verdict(self, author: Identity, standing: Standing, text: str) -> Verdict | None:
        """What the filters, or the room's wish to see messages first, say about a text."""
        if not policies.is_filtered(author, standing):
            return None
        known = self.known.get(author.key)
        earlier = known.fingerprints.split() if known is not None and self.catches_repeats else ()
        verdict = judge(self.rules, text, earlier)
        if verdict is None and policies.waits_for_approval(self.room, author, standing):
            return Verdict("hold", APPROVAL, "Your message waits until a moderator has seen it.")
        return verdict

    def note(self, author: Identity, text: str) -> None:
        """They wrote that, or had it held."""
        if author.kind != "guest" and not self.room.slow_seconds and not self.catches_repeats:
            return
        known = self.known.get(author.key)
        if known is None:
            known = self.known[author.key] = Participant(room=self.room, author_key=author.key)
        if author.kind == "guest" and not self._is_theirs(author):
            known.skeleton, known.seen_at = _skeleton(author.name), self.now
            self.names.setdefault(known.skeleton, set()).add(author.key)
            self.changed.add(author.key)
        if self.room.slow_seconds:
            known.posted_at = self.now
            self.changed.add(author.key)
        if self.catches_repeats:
            known.fingerprints = " ".join([*known.fingerprints.split(), fingerprint(text)][-MOST_FINGERPRINTS:])
            self.changed.add(author.key)

    def save(self) -> None:
        """Keep what was noted, in one statement."""
        Participant.objects.bulk_create(
            [self.known[key] for key in sorted(self.changed)],
            update_conflicts=True,
            unique_fields=["room", "author_key"],
            update_fields=["skeleton", "seen_at", "posted_at", "fingerprints"],
        )


def _skeleton(name: str) -> str:
    return skeleton(name)[:MAX_SKELETON_CHARS]
