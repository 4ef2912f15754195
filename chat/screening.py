"""What is asked of each message before it is kept: is it this person's turn, may they be called that, and do the
filters let it pass. Decided under the room's lock, for all messages that wait together, and only where the room asks
for it: a room without such rules costs one look at its own row.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import errors, policies
from chat.errors import ChatError
from chat.filters import WAITS, Rules, Verdict, catches_name, fingerprint, judge
from chat.identity import Identity
from chat.lookalike import INVISIBLE, is_reserved, skeleton
from chat.models import Membership, Participant, Room, SiteRules, User
from chat.sentences import counted
from chat.standing import Standing
from chat.text import clean_name

SITE_RULES_SECONDS = 1.0  # for so long the site's rules are taken to be what they were
REFRESH_NAME = timedelta(minutes=1)
MOST_FINGERPRINTS = 5
MAX_SKELETON_CHARS = 300
MAX_USERNAME_CHARS = 150
_MADE_UP = re.compile(r"guest-[0-9a-f]{6}", re.IGNORECASE)  # what ``chat.identity`` calls those who chose no name
APPROVAL = "approval"  # what caught a message in a room that wants to see messages first

_site_rules: tuple[Rules, float] | None = None


def site_rules() -> Rules:
    """What the site wants caught in every room."""
    global _site_rules
    known = _site_rules  # another thread may forget them at any moment
    if known is None or known[1] < monotonic():
        found = SiteRules.objects.first()
        known = _site_rules = (found.rules if found else Rules(), monotonic() + SITE_RULES_SECONDS)
    return known[0]


def forget_site_rules() -> None:
    """They were changed."""
    global _site_rules
    _site_rules = None


def rules_in(room: Room) -> tuple[Rules, Rules]:
    return room.rules, site_rules()


def check_edit(room: Room, actor: Identity, standing: Standing, text: str) -> None:
    """Ask the filters, and the room that wants to see messages first, about an edit. What would be held is refused:
    what stands cannot wait. Raises ``TextRefused``."""
    if policies.is_filtered(actor, standing):
        verdict = judge(rules_in(room), text)
        if verdict is not None:
            raise errors.TextRefused(verdict.detail)
        if policies.waits_for_approval(room, actor, standing):
            raise errors.TextRefused(_("Messages are approved here before others see them, so they stay as they are."))


def check_name(name: str, rules: Iterable[Rules]) -> None:
    """Whether a guest may call themselves that, wherever they are. Raises ``NameReserved``."""
    if is_reserved(name) or _MADE_UP.fullmatch(name) or catches_name(rules, name):
        raise errors.NameReserved()


def check_name_in(room: Room, actor: Identity, name: str) -> None:
    """Whether a guest may call themselves that in ``room`` just now: the same that will be asked when they write
    there. Raises ``NameReserved`` or ``NameTaken``."""
    check_name(name, rules_in(room))
    called = _called([room.pk], [_skeleton(name)], timezone.now())
    if {key for _, _, key in called} - {actor.key}:
        raise errors.NameTaken()


def check_username(name: str, but: int | None = None) -> None:
    """Whether an account, a new one or that with the primary key ``but``, may be called that. Raises ``NameInvalid``,
    ``NameReserved`` or ``NameTaken``."""
    if clean_name(name, most=MAX_USERNAME_CHARS) != name or INVISIBLE.search(name):
        raise errors.NameInvalid(_("A name is on one line and has no invisible characters."))
    check_name(name, [site_rules()])
    if User.objects.filter(skeleton=_skeleton(name)).exclude(pk=but).exists():
        raise errors.NameTaken()


@dataclass(slots=True)
class Screening:
    """For the messages that some are about to write in ``room`` at ``now``. Made by ``screen``."""

    room: Room
    now: datetime
    rules: tuple[Rules, Rules]
    known: dict[str, Participant] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)  # by skeleton: the keys of whose it is
    changed: set[str] = field(default_factory=set)
    catches_repeats: bool = field(init=False)

    def __post_init__(self) -> None:
        self.catches_repeats = any(rules.on_repeats != "allow" for rules in self.rules)

    def _asks_about(self, author: Identity) -> bool:
        """Whether it matters what they wrote before, or what they are called."""
        return bool(self.room.slow_seconds) or self.catches_repeats or _has_chosen_name(author)

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
        if _has_chosen_name(author) and (refusal := self._refusal_of_name(author)) is not None:
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
        sentence = counted(
            "This room is in slow mode: one message every %(count)s second.",
            "This room is in slow mode: one message every %(count)s seconds.",
            self.room.slow_seconds,
        )
        return errors.SlowMode(sentence, retry_after=wait)

    def verdict(self, author: Identity, standing: Standing, text: str) -> Verdict | None:
        """What the filters, or the room's wish to see messages first, say about a text."""
        if not policies.is_filtered(author, standing):
            return None
        known = self.known.get(author.key)
        earlier = known.fingerprints.split() if known is not None and self.catches_repeats else ()
        verdict = judge(self.rules, text, earlier)
        if verdict is None and policies.waits_for_approval(self.room, author, standing):
            return Verdict("hold", APPROVAL, WAITS)
        return verdict

    def note(self, author: Identity, text: str) -> None:
        """They wrote that, or had it held."""
        if not self._asks_about(author):
            return
        known = self.known.get(author.key)
        if known is None:
            known = self.known[author.key] = Participant(room=self.room, author_key=author.key)
        if _has_chosen_name(author) and not self._is_theirs(author):
            known.skeleton, known.seen_at = _skeleton(author.name), self.now
            self.names.setdefault(known.skeleton, set()).add(author.key)
            self.changed.add(author.key)
        if self.room.slow_seconds or self.catches_repeats:
            known.posted_at = self.now  # so that it can be told, too, when nothing of this is needed any more
            self.changed.add(author.key)
        if self.catches_repeats:
            known.fingerprints = " ".join([*known.fingerprints.split(), fingerprint(text)][-MOST_FINGERPRINTS:])
            self.changed.add(author.key)


def screen(authors_in: Collection[tuple[Room, Collection[Identity]]], now: datetime) -> dict[int, Screening]:
    """What is to be asked in each of these rooms, by its primary key: in three queries at most, and in none where the
    rooms ask for nothing and nobody chose a name."""
    screenings = {room.pk: Screening(room, now, rules_in(room)) for room, _ in authors_in}
    asked = {
        (room.pk, each.key): each for room, all in authors_in for each in all if screenings[room.pk]._asks_about(each)
    }
    if not asked:
        return screenings
    room_ids, keys = {room_id for room_id, _ in asked}, {key for _, key in asked}
    for known in Participant.objects.filter(room__in=room_ids, author_key__in=keys):
        screenings[known.room_id].known[known.author_key] = known
    unsure = {
        _skeleton(author.name)
        for (room_id, _), author in asked.items()
        if _has_chosen_name(author) and not screenings[room_id]._is_theirs(author)
    }
    if unsure:
        for room_id, look, key in _called(room_ids, unsure, now):
            screenings[room_id].names.setdefault(look, set()).add(key)
    return screenings


def save(screenings: Collection[Screening]) -> None:
    """Keep what was noted, in one statement."""
    changed = [screening.known[key] for screening in screenings for key in sorted(screening.changed)]
    if changed:
        Participant.objects.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=["room", "author_key"],
            update_fields=["skeleton", "seen_at", "posted_at", "fingerprints"],
        )


def _called(room_ids: Collection[int], skeletons: Collection[str], now: datetime) -> Iterator[tuple[int, str, str]]:
    """Who is called what looks like one of these, in which room: the room, the skeleton and whose key."""
    since = now - timedelta(minutes=settings.NAME_MINUTES)
    guests = Participant.objects.filter(room__in=room_ids, skeleton__in=skeletons, seen_at__gt=since)
    yield from guests.values_list("room_id", "skeleton", "author_key")
    members = Membership.objects.filter(room__in=room_ids, user__skeleton__in=skeletons)
    for room_id, look, user_id in members.values_list("room_id", "user__skeleton", "user_id"):
        yield room_id, look, f"u{user_id}"


def _has_chosen_name(author: Identity) -> bool:
    return author.kind == "guest" and not author.has_made_up_name


def _skeleton(name: str) -> str:
    return skeleton(name)[:MAX_SKELETON_CHARS]
