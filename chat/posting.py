"""Posting: the one action that many do at once. What can be told from a post alone is told first; the rest is decided
under the lock of its room, for all that wait together, in a few queries however many there are.

Synchronous, and knowing nothing of requests, sockets or consumers, like ``chat.actions``.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from chat import errors, events, holding, indexing, log, policies, rows, screening, text
from chat.answers import Answer, Held, Posted
from chat.errors import ChatError
from chat.identity import Identity
from chat.log import Entry
from chat.mids import is_mid, mids_after
from chat.models import HeldMessage, Message, NewMessage, Room
from chat.render import RENDERER, is_plain, to_html
from chat.screening import Screening
from chat.standing import Standing, standings_together

LIGHT_CHARS = 500  # a text that is shorter is rendered in a few milliseconds, whatever it holds


@dataclass(frozen=True, slots=True)
class Post:
    """What somebody asks to be posted, as it came from them: nothing in it is checked yet."""

    actor: Identity
    message: object
    key: object = None
    reply_to: object = None


@dataclass(slots=True)
class Draft:
    """A post whose own words are in order; whether it may be posted is known only under the room's lock. ``html`` is
    None until it is rendered."""

    actor: Identity
    key: uuid.UUID
    text: str
    reply_to: object
    html: str | None = None
    hashes: Collection[indexing.Hash] = ()  # by which it is found; likewise

    @property
    def takes_long(self) -> bool:
        """Whether rendering it may take so long that others should not wait for it."""
        return self.html is None and len(self.text) > LIGHT_CHARS and not is_plain(self.text)


def post(actor: Identity, room_id: int, message: object, key: object = None, reply_to: object = None) -> Posted | Held:
    """Post ``message`` to a room. ``key``, a UUID, makes it safe to ask again; without one a new one is made.

    Raises ``TextInvalid``, ``TextEmpty``, ``TextTooLong``, ``InvalidKey``, ``MessageNotFound`` (for
    ``reply_to``), ``RoomNotFound``, and whatever ``policies`` and ``screening`` refuse with.
    """
    (answer,) = post_together(room_id, [Post(actor, message, key, reply_to)])
    if isinstance(answer, ChatError):
        raise answer
    return answer


def post_together(room_id: int, posts: list[Post]) -> list[Answer]:
    """Post all of ``posts`` in one transaction, in their order. Each gets its own answer: what ``post`` would
    return or raise. One that is refused takes nothing from the others."""
    checked = [_check(post) for post in posts]
    drafts = [each for each in checked if isinstance(each, Draft)]
    answers = iter(write_together(room_id, drafts) if drafts else ())
    return [next(answers) if isinstance(each, Draft) else each for each in checked]


def draft(post: Post) -> Draft:
    """The first half of posting: what can be told from a post alone, and soon. Raises ``TextInvalid``, ``TextEmpty``,
    ``TextTooLong`` or ``InvalidKey``."""
    return Draft(post.actor, _clean_key(post.key), text.clean_text(post.message), post.reply_to)


def write_in_rooms(drafts: list[tuple[int, Draft]]) -> list[Answer]:
    """The second half, for several rooms in one transaction: each draft comes with its room's primary key."""
    by_room: dict[int, list[Draft]] = {}
    for room_id, draft in drafts:
        by_room.setdefault(room_id, []).append(draft)
    if len(by_room) == 1:
        return write_together(*by_room.popitem())
    render([draft for _, draft in drafts])
    try:
        with transaction.atomic():
            rooms = log.lock_together(by_room)
            decided = _decide_together([(room_id, rooms.get(room_id), theirs) for room_id, theirs in by_room.items()])
            _store([(rooms[room_id], news) for room_id, (_, news) in decided.items() if news])
            answers = {room_id: iter(theirs) for room_id, (theirs, _) in decided.items()}
    except _AskedAgain:
        with transaction.atomic():  # each room has a savepoint in it
            answers = {room_id: iter(write_together(room_id, theirs)) for room_id, theirs in by_room.items()}
    return [next(answers[room_id]) for room_id, _ in drafts]


def write_together(room_id: int, drafts: list[Draft]) -> list[Answer]:
    """The same for one room."""
    render(drafts)
    try:
        with transaction.atomic():
            return _write(log.lock_if_there(room_id), drafts)
    except _AskedAgain:
        with transaction.atomic():
            return _write(log.lock_if_there(room_id), drafts, _posted_before(room_id, drafts))


def _check(post: Post) -> Draft | ChatError:
    try:
        return draft(post)
    except ChatError as error:
        return error


def render(drafts: list[Draft]) -> None:
    """Before any lock is taken: it may take a while, up to 0.1 s for a long text that is all marks."""
    for draft in drafts:
        if draft.html is None:
            draft.html = to_html(draft.text)
            draft.hashes = indexing.hashes_of(draft.text, draft.actor.key, draft.actor.name)


class _AskedAgain(IntegrityError):
    """Something may have been posted before with the same key. That is rare: only then is it looked for."""


_Before = Mapping[tuple[str, uuid.UUID], Answer]  # by author and key
# With the hashes by which it is found, and the colour that its author chose.
_New = tuple[NewMessage, Collection[indexing.Hash], int | None]
_Decided = tuple[list[Answer], list[_New]]


def _write(room: Room | None, drafts: list[Draft], before: _Before | None = None) -> list[Answer]:
    """Write those of ``drafts`` that may be: a few queries, however many there are."""
    room_id = room.pk if room is not None else 0
    answers, news = _decide_together([(room_id, room, drafts)], before)[room_id]
    if news:
        _store([(room, news)])
    return answers


def _decide_together(
    wanted: list[tuple[int, Room | None, list[Draft]]], before: _Before | None = None
) -> dict[int, _Decided]:
    """``_decide`` for several rooms (None: one that there is not), by the primary keys that come with them."""
    rooms = [(room, {draft.actor for draft in drafts}) for _, room, drafts in wanted if room is not None]
    standings = standings_together(rooms)
    screenings = screening.screen(rooms, timezone.now())
    decided: dict[int, _Decided] = {}
    for room_id, room, drafts in wanted:
        if room is None:
            decided[room_id] = [errors.RoomNotFound() for _ in drafts], []
        else:
            decided[room_id] = _decide(screenings[room_id], drafts, standings[room_id], before)
    screening.save(screenings.values())
    return decided


def _decide(
    screening: Screening, drafts: list[Draft], standings: dict[Identity, Standing], before: _Before | None
) -> _Decided:
    """What to answer to each of ``drafts`` if the messages, which come second, are stored. What must wait for a
    moderator is held at once.

    What was posted ``before`` is not posted again. Where nobody has looked for that (None), it is looked for before
    anything is refused or held; of the rest, ``_store`` finds out.
    """
    room, now = screening.room, screening.now
    answered = {draft.reply_to for draft in drafts if is_mid(draft.reply_to)}
    there = set()
    if answered:
        there.update(Message.objects.visible().filter(room=room, mid__in=answered).values_list("mid", flat=True))
    head, said = room.head, room.said
    mids = mids_after(room.last_mid)
    known = dict(before or {})  # joined by what is posted now
    if room.has_held:
        authors, keys = {actor.key for actor in standings}, {draft.key for draft in drafts}
        known = holding.held_before(room, authors, keys) | known
    news: list[_New] = []
    held: list[HeldMessage] = []
    waiting: Counter[str] | None = None
    answers: list[Answer] = []
    for draft in drafts:
        actor, author = draft.actor, (draft.actor.key, draft.key)
        standing = standings[actor]
        refusal = policies.refusal_to_enter(room, actor, standing)
        if refusal is not None or author in known:
            answers.append(refusal or known[author])
            continue
        verdict = None
        refusal = policies.refusal_to_post(room, actor, standing, now) or screening.refusal(actor, standing)
        if refusal is None and draft.reply_to is not None and not (is_mid(draft.reply_to) and draft.reply_to in there):
            refusal = errors.MessageNotFound()
        if refusal is None:
            verdict = screening.verdict(actor, standing, draft.text)
            if verdict is not None and verdict.action == "refuse":
                refusal = errors.TextRefused(verdict.detail)
        if refusal is not None or verdict is not None:
            if before is None:
                before = _posted_before(room.pk, drafts)
            if author in before:  # when this was first asked, it was in order
                answers.append(before[author])
                continue
        if verdict is not None and refusal is None:
            if waiting is None:
                waiting = holding.waiting_of(room, standings)
            refusal = holding.refusal_to_hold(waiting, actor)
        if refusal is not None:
            answers.append(refusal)
            continue
        screening.note(actor, draft.text)
        if verdict is not None:
            reply_to = draft.reply_to or ""
            held.append(
                holding.held_message(room, actor, standing.role, draft.key, draft.text, reply_to, verdict.filter)
            )
            known[author] = Held(key=str(draft.key), detail=verdict.detail)
            answers.append(known[author])
        else:
            message = NewMessage(
                mid=next(mids),
                room_id=room.pk,
                author_id=actor.user_id,
                author_key=actor.key,
                author_name=actor.name,
                author_kind=actor.kind,
                author_role=standing.role,
                key=draft.key,
                text=draft.text,
                html=draft.html,
                renderer=RENDERER,
                reply_to=draft.reply_to or "",
                created_at=now,
                network=actor.network,
                number=said + len(news) + 1,
            )
            news.append((message, draft.hashes, actor.hue))
            posted = Posted(mid=message.mid, key=str(draft.key), seq=head + len(news))
            known[author] = posted
            answers.append(posted)
    if held:
        holding.hold(room, held)
    return answers, news


def _store(news_of: list[tuple[Room, list[_New]]]) -> None:
    """Keep new messages, of one room or several, so that they are found, and append them to their logs. Raises
    ``_AskedAgain``."""
    messages = [message for _, news in news_of for message, *_ in news]
    if rows.insert(Message, NewMessage._fields, messages) < len(messages):
        raise _AskedAgain("a key or a mid is used already")
    indexing.write_together(
        [(room.pk, [(message.number, hashes) for message, hashes, _ in news]) for room, news in news_of]
    )
    for room, news in news_of:
        last = news[-1][0]
        room.last_mid, room.said = last.mid, last.number
    log.append_together(
        [
            (
                room,
                [
                    Entry(events.MESSAGE, events.message_fields(message, room.slug, hue), message.mid)
                    for message, _, hue in news
                ],
            )
            for room, news in news_of
        ]
    )


def _posted_before(room_id: int, drafts: list[Draft]) -> _Before:
    """What was posted to the room with the authors and keys of ``drafts``, in two queries."""
    # By both, since the index has the author first.
    authors, keys = {draft.actor.key for draft in drafts}, {draft.key for draft in drafts}
    found = Message.objects.filter(room_id=room_id, author_key__in=authors, key__in=keys)
    messages = list(found.order_by().values_list("author_key", "key", "mid"))
    numbers = log.first_numbers(room_id, [mid for _, _, mid in messages])
    return {(author, key): Posted(mid=mid, key=str(key), seq=numbers.get(mid)) for author, key, mid in messages}


def _clean_key(key: object) -> uuid.UUID:
    if key is None:
        return uuid.uuid4()
    if not isinstance(key, str) or len(key) > 45:  # urn:uuid:{…}
        raise errors.InvalidKey()
    try:
        return uuid.UUID(key)
    except ValueError:
        raise errors.InvalidKey() from None
