"""What somebody is told as they come, and no event of the log corrects: it is true, and what becomes of it is told."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic

import pytest
from django.utils import timezone

import chat.relay
import chat.relays
from chat import actions, errors, governing, log, moderation, personal, posting, retention, review, screening, site
from chat.database import in_database
from chat.doorway import Stay
from chat.identity import Identity, guest_token, new_guest
from chat.models import Room, SiteEvent, User
from chat.relays import relays
from config.asgi import application
from feeds import held
from tests.unit.test_relay import Reader, a_room, fresh_relays, olgas_room, reading, until
from tests.unit.test_viewers import Stream, streaming

__all__ = ["fresh_relays"]

pytestmark = pytest.mark.django_db(transaction=True)


def frames(reader: Reader, kind: str) -> list[dict]:
    sent = [json.loads(message["text"]) for message in reader.sent if "text" in message]
    return [frame for frame in sent if frame.get("type") == kind]


def said(room: Room, author: Identity, text: str = "said") -> str:
    return posting.post(author, room.pk, text).mid


async def compared() -> None:
    """The heads and the site log were compared once more, from begin to end."""
    await relays()._compare()


class Held:
    """Has a function wait in its thread, once it has found what it looks for."""

    def __init__(self, function: Callable) -> None:
        self.function = function
        self.has_found, self.may_answer = threading.Event(), threading.Event()

    def __call__(self, *args: object) -> object:
        found = self.function(*args)
        self.has_found.set()
        assert self.may_answer.wait(15)
        return found

    async def until_found(self) -> None:
        assert await asyncio.to_thread(self.has_found.wait, 15)


@asynccontextmanager
async def people_s_stream(actor: Identity, query: str) -> AsyncIterator[Stream]:
    stream = Stream("/chat/veranda/stream", query)
    stream.scope["headers"].append((b"cookie", f"guest={guest_token(actor)}".encode()))
    running = asyncio.create_task(application(stream.scope, stream.inbox.get, stream.send))
    yield stream
    await stream.inbox.put({"type": "http.disconnect"})
    await running


# Access ---------------------------------------------------------------------------------------------------


async def test_a_ban_while_a_relay_is_started_holds(monkeypatch) -> None:
    """The room was read before the ban, and the relay was not yet there when the site log told of it."""
    room, olga = await olgas_room()
    other = (await in_database(actions.create_room, olga, "elsewhere"))[0]
    guest = new_guest("Gil", network="b" * 16)
    mid = await in_database(said, room, guest)
    async with reading(other):  # this process reads the site log already
        recent = Held(log.recent)
        monkeypatch.setattr(chat.relays.log, "recent", recent)
        stay = Stay(room.slug, Reader().follower(new_guest()))
        entering = asyncio.create_task(stay.enter())
        await recent.until_found()
        await in_database(moderation.ban, olga, room.pk, mid)
        await compared()
        recent.may_answer.set()
        await entering
        with pytest.raises(errors.Banned):
            async with Stay(room.slug, Reader().follower(guest)):
                pass
        stay.leave()


async def test_what_changes_while_the_policy_is_asked_is_asked_about_again(monkeypatch) -> None:
    room, _ = await olgas_room()
    async with reading(room) as reader:
        relay = reader.relay
        asked = Held(chat.relay._as_it_is)
        monkeypatch.setattr(chat.relay, "_as_it_is", asked)
        relay.recheck()
        await asked.until_found()
        relay.recheck()
        seen: list[bool] = []
        relay._busy.add_done_callback(lambda _: seen.append(relay.is_asking))
        asked.may_answer.set()
        await until(lambda: seen)
        assert seen == [True], "somebody could be let in by what was true before"
        await until(lambda: not relay.is_asking)


async def test_a_question_that_breaks_is_asked_again(monkeypatch) -> None:
    monkeypatch.setattr(chat.relay, "RETRY_SECONDS", 0.05)
    room, olga = await olgas_room()
    guest = new_guest("Gil")
    mid = await in_database(said, room, guest)
    async with reading(room, actor=guest) as reader:
        as_it_is, times = chat.relay._as_it_is, []

        def stumbling(*args: object) -> object:
            times.append(args)
            if len(times) == 1:
                raise RuntimeError("unforeseen")
            return as_it_is(*args)

        monkeypatch.setattr(chat.relay, "_as_it_is", stumbling)
        await in_database(moderation.ban, olga, room.pk, mid)
        await until(lambda: isinstance(reader.closed, errors.Banned))
        await until(lambda: not reader.relay.is_asking)


async def test_who_missed_what_the_site_log_has_forgotten_is_asked_about_all_the_same() -> None:
    """The process stood still for longer than the site log is kept."""
    room, olga = await olgas_room()
    guest = new_guest("Gil")
    mid = await in_database(said, room, guest)
    sven = (await in_database(User.objects.create_user, "sven")).identity

    def forget() -> None:
        SiteEvent.objects.update(at=timezone.now() - 2 * site.KEEP)
        site.prune()

    async with reading(room, actor=guest) as reader, reading(room, actor=sven) as account:
        await compared()
        async with relays()._comparing:
            await in_database(moderation.ban, olga, room.pk, mid)
            await in_database(site.user_changed, sven.user_id)
            await in_database(forget)
        await until(lambda: isinstance(reader.closed, errors.Banned))
        await until(lambda: isinstance(account.closed, errors.SessionEnded))


def test_the_site_s_rules_may_be_forgotten_while_they_are_asked_for(monkeypatch) -> None:
    screening.site_rules()
    now = screening.monotonic

    def meanwhile() -> float:
        screening.forget_site_rules()  # in another thread
        return now()

    monkeypatch.setattr(screening, "monotonic", meanwhile)
    assert screening.site_rules() is not None


# What one may do --------------------------------------------------------------------------------------------


async def test_who_comes_to_a_stream_is_told_what_they_may_do() -> None:
    room, olga = await olgas_room()
    guest = new_guest("Gil")
    mid = await in_database(said, room, guest)
    await in_database(moderation.mute, olga, room.pk, mid, 600)
    async with people_s_stream(guest, "lastEventId=veranda:1") as stream:
        await stream.until("event: you")
    assert b'"post":false' in stream.body


async def test_whom_a_proxy_holds_is_told_what_they_may_do(monkeypatch) -> None:
    room, olga = await olgas_room()
    guest = new_guest("Gil")
    mid = await in_database(said, room, guest)
    await in_database(moderation.mute, olga, room.pk, mid, 600)
    monkeypatch.setattr(held, "_is_signed", lambda scope: True)
    async with people_s_stream(guest, "lastEventId=veranda:1") as stream:
        await stream.ended()
    assert b"event: you" in stream.body
    assert b'"post":false' in stream.body


async def test_who_was_muted_is_told_when_that_is_over(monkeypatch) -> None:
    monkeypatch.setattr(moderation, "MUTE_SECONDS", (1, 10))
    room, olga = await olgas_room()
    guest = new_guest("Gil")
    mid = await in_database(said, room, guest)
    async with reading(room, actor=guest) as reader:
        await in_database(moderation.mute, olga, room.pk, mid, 1)
        await until(lambda: [told["may"]["post"] for told in frames(reader, "you")] == [False, True])
        assert reader.relay_follower.rights.post


async def test_an_account_that_was_too_new_is_told_when_it_is_not() -> None:
    def prepare() -> tuple[Room, Identity]:
        room = actions.create_room(User.objects.create_user("olga").identity, "veranda")[0]
        governing.change_room(User.objects.get(username="olga").identity, room.pk, {"account_age_hours": 1})
        new = User.objects.create_user("new")
        new.date_joined = timezone.now() - timedelta(hours=1) + timedelta(seconds=1)
        new.save()
        return room, new.identity

    room, new = await in_database(prepare)
    async with reading(room, actor=new) as reader:
        assert not reader.relay_follower.rights.post
        await until(lambda: [told["may"]["post"] for told in frames(reader, "you")] == [True])


# How many are here, and what waits ----------------------------------------------------------------------------


async def test_who_was_still_coming_when_it_was_said_how_many_are_here_is_told() -> None:
    room = await a_room()
    async with reading(room) as first:
        await until(lambda: frames(first, "presence"))
        late = Reader()
        follower = late.follower(new_guest())
        async with Stay(room.slug, follower) as (relay, entry):
            relay.tick(monotonic())  # while their welcome is on its way
            relay.start(follower, entry.head)
            await until(lambda: frames(late, "presence"))
            assert frames(late, "presence")[-1]["participants"] == 1


async def test_who_was_behind_when_it_was_said_how_many_are_here_is_told() -> None:
    room = await a_room()
    async with reading(room, actor=new_guest()) as slow:
        await until(lambda: frames(slow, "presence"))
        slow.gate.clear()
        await in_database(posting.post, new_guest(), room.pk, "hello")
        await until(lambda: not slow.relay_follower.live)
        async with reading(room, actor=new_guest()) as other:
            await until(lambda: [told["participants"] for told in frames(other, "presence")][-1:] == [2])
            slow.gate.set()
            await until(lambda: frames(slow, "presence")[-1]["participants"] == 2)


async def test_a_moderator_is_told_what_waits_as_they_come_and_once_they_have_caught_up() -> None:
    room, olga = await olgas_room()
    mid = await in_database(said, room, new_guest())
    async with reading(room, actor=olga) as owner:
        await until(lambda: [told["reports"] for told in frames(owner, "queue")] == [0])
        owner.gate.clear()
        await in_database(posting.post, new_guest(), room.pk, "hello")
        await until(lambda: not owner.relay_follower.live)
        await in_database(review.report, None, "a" * 16, room.pk, mid, "spam")
        await compared()
        assert len(frames(owner, "queue")) == 1
        owner.gate.set()
        await until(lambda: [told["reports"] for told in frames(owner, "queue")] == [0, 1])


async def test_somebody_who_becomes_a_moderator_is_told_what_waits() -> None:
    room, _ = await olgas_room()
    mia = (await in_database(User.objects.create_user, "mia")).identity
    mid = await in_database(said, room, new_guest())
    await in_database(review.report, None, "a" * 16, room.pk, mid, "spam")
    async with reading(room, actor=mia) as reader:
        await in_database(governing.set_role, None, room.pk, "mia", "moderator")
        await until(lambda: [told["reports"] for told in frames(reader, "queue")] == [1])


# Memories and caches ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "change", "then", "wanted"),
    [
        ("html", lambda olga, room: governing.change_room(olga, room.pk, {"title": "Renamed"}), None, b"Renamed"),
        ("txt", lambda olga, room: governing.reopen(olga, room.pk), governing.archive, b"and on it goes"),
    ],
    ids=["html", "txt"],
)
async def test_a_stream_from_beyond_the_relay_is_told_of_the_room_by_the_database(
    monkeypatch, form: str, change: Callable, then: Callable | None, wanted: bytes
) -> None:
    room, olga = await olgas_room()
    if then is not None:
        await in_database(then, olga, room.pk)
    else:
        await in_database(said, room, olga)
    async with reading(room, cursor=0) as reader:
        await until(lambda: reader.ids == [1] and reader.relay._busy is None)
        relay = reader.relay
        with monkeypatch.context() as patch:
            patch.setattr(relay, "recheck", lambda: None)
            relay._busy = asyncio.get_running_loop().create_future()  # it hears, and does not get to it
            await in_database(change, olga, room)
            async with streaming(f"/feeds/veranda/stream.{form}", "lastEventId=veranda:2") as stream:
                await until(lambda: len(relay.followers) == 2 and all(each.admitted for each in relay.followers))
                patch.undo()
                relay._busy = None
                relay._schedule()
                await in_database(posting.post, olga, room.pk, "and on it goes")
                await stream.until("and on it goes")
                assert wanted in stream.body


async def test_what_has_expired_is_told_from_no_memory_whatever_becomes_of_the_rest(monkeypatch) -> None:
    room, olga = await olgas_room()
    await in_database(governing.change_room, olga, room.pk, {"retention_days": 1})
    await in_database(said, room, olga, "old words")
    async with reading(room) as reader:
        head = reader.relay.position
        await compared()
        later = timezone.now() + timedelta(days=2)
        with monkeypatch.context() as patch:
            patch.setattr(retention.timezone, "now", lambda: later)
            assert await in_database(retention._prune_some, room.pk) == 1  # a step of many, which ends here
        await compared()
        async with reading(room, cursor=head - 1, actor=new_guest()) as late:
            await until(lambda: late.resets)
            assert late.events == []


@pytest.mark.parametrize("forgets", [False, True])
def test_the_name_of_an_account_that_is_gone_leaves_pages_that_are_asked_for_again(
    client, settings, forgets: bool
) -> None:
    settings.RING_EVENTS = 5  # what they said is in no process's memory any more
    gil, olga = User.objects.create_user("gil"), User.objects.create_user("olga").identity
    room = actions.create_room(olga, "veranda")[0]
    said(room, gil.identity)
    for number in range(10):
        said(room, olga, str(number))
    if forgets:
        log.prune(room.pk, 3)  # nor in the log
    paths = [f"/feeds/veranda/{form}" for form in ("", "json", "atom", "messages")]
    tags = {path: client.get(path)["ETag"] for path in paths}
    personal.erase(gil, "anonymise")
    for path, tag in tags.items():
        assert client.get(path, headers={"If-None-Match": tag}).status_code == 200, path


async def test_what_is_deleted_while_a_replay_sends_it_is_taken_back() -> None:
    room, olga = await olgas_room()
    mids = [await in_database(said, room, olga, text) for text in ("one", "words to go", "three")]
    stream = Stream("/feeds/veranda/replay/stream", "speed=max")
    is_sending, may_go_on = asyncio.Event(), asyncio.Event()

    async def send(message: dict) -> None:
        stream.body += message.get("body", b"")
        if b"words to go" in message.get("body", b""):  # it is with the browser, and its buffer is full
            is_sending.set()
            await may_go_on.wait()

    async with reading(room) as reader:
        running = asyncio.create_task(application(stream.scope, stream.inbox.get, send))
        await asyncio.wait_for(is_sending.wait(), 15)
        await in_database(actions.delete, olga, room.pk, mids[1])
        await until(lambda: reader.ids == [4])
        may_go_on.set()
        await stream.until("replay-end")
    await stream.inbox.put({"type": "http.disconnect"})
    await asyncio.wait_for(running, 15)
    assert b"message.deleted" in stream.body
