"""Who follows a room by a view token, and what ends that: at the door, on the way in, and while they read."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from chat import actions, doorway, errors, governing, moderation, posting, viewing
from chat.addresses import keyed
from chat.database import in_database
from chat.doorway import Stay
from chat.identity import Grant, Identity
from chat.models import Message, Room, User
from chat.presence import count
from tests.unit.test_relay import WAIT_SECONDS, Reader, fresh_relays, reading, until

__all__ = ["fresh_relays"]
pytestmark = pytest.mark.django_db(transaction=True)
NETWORK = keyed("198.51.100.9")


async def prepared(seconds: float = 3600) -> tuple[Room, Identity, Grant]:
    """A private room, its owner, and the grant of a view token."""

    def prepare() -> tuple[Room, Identity, Grant]:
        olga = User.objects.create_user("olga").identity
        room, _ = actions.create_room(olga, "veranda")
        governing.change_visibility(olga, room.pk, "private")
        return room, olga, granted(olga, room, seconds)

    return await in_database(prepare)


def granted(olga: Identity, room: Room, seconds: float = 3600) -> Grant:
    until = timezone.now() + timedelta(seconds=seconds)
    return viewing.grant_of(viewing.create_view_token(olga, room.pk, "Page", until)[1])


@asynccontextmanager
async def reading_by(room: Room, grant: Grant, network: str = "") -> AsyncIterator[Reader]:
    reader = Reader()
    follower = reader.follower(network=network)
    follower.grant = grant
    async with Stay(room.slug, follower) as (relay, entry):
        reader.relay = relay
        relay.start(follower, entry.head, entry.floor)
        yield reader


async def test_it_hears_what_is_said_until_its_token_is_revoked() -> None:
    room, olga, grant = await prepared()
    other = await in_database(granted, olga, room)
    async with (
        reading(room, actor=olga) as owner,
        reading_by(room, grant) as by_one,
        reading_by(room, other) as by_other,
    ):
        await in_database(posting.post, olga, room.pk, "hello")
        for reader in (owner, by_one, by_other):
            await until(lambda reader=reader: [event.get("message") for event in reader.events] == ["hello"])
        await in_database(viewing.revoke_view_token, olga, room.pk, grant.token_id)
        await until(lambda: isinstance(by_one.closed, errors.TokenInvalid))
        await in_database(posting.post, olga, room.pk, "the word xyzzy")
        for reader in (owner, by_other):
            await until(lambda reader=reader: reader.events[-1].get("message") == "the word xyzzy")
        assert [event["message"] for event in by_one.events] == ["hello"]
        assert by_other.closed is None


async def test_nothing_slips_where_it_is_revoked_on_the_doorstep(monkeypatch) -> None:
    """The token is revoked after the policy said yes."""
    room, olga, grant = await prepared()
    async with reading(room, actor=olga) as owner:
        enter, answers, before = doorway.enter, [], owner.relay.access_version

        def slow_enter(*args: object) -> doorway.Entry:
            answers.append(enter(*args))
            viewing.revoke_view_token(olga, room.pk, grant.token_id)
            deadline = time.monotonic() + WAIT_SECONDS
            while owner.relay.access_version == before and time.monotonic() < deadline:
                time.sleep(0.01)
            return answers[-1]

        monkeypatch.setattr(doorway, "enter", slow_enter)
        with pytest.raises(errors.TokenInvalid):
            async with reading_by(room, grant) as outsider:
                pytest.fail(f"let in: {outsider}")
        assert len(answers) == 1, "the first answer was yes"
        assert len(owner.relay.followers) == 1


async def test_nothing_slips_where_it_ends_on_the_doorstep(monkeypatch) -> None:
    """It was good when the policy was asked and is over when its reader starts."""
    room, olga, grant = await prepared(seconds=1.5)
    enter = doorway.enter

    def slow_enter(*args: object) -> doorway.Entry:
        answer = enter(*args)
        time.sleep(max(0.0, grant.ends_at - time.time()))
        return answer

    async with reading(room, actor=olga) as owner:
        monkeypatch.setattr(doorway, "enter", slow_enter)
        async with reading_by(room, grant) as outsider:
            await until(lambda: outsider.closed is not None)
            await in_database(posting.post, olga, room.pk, "the word xyzzy")
            await until(lambda: owner.events[-1].get("message") == "the word xyzzy")
            assert outsider.events == []


async def test_it_ends_when_its_token_does() -> None:
    room, _, grant = await prepared(seconds=2)
    began = time.time()
    async with reading_by(room, grant) as reader:
        await until(lambda: reader.closed is not None)
        assert 0 <= time.time() - grant.ends_at < 2, "it is looked at each second"
        assert time.time() - began < 5
        assert isinstance(reader.closed, errors.GoingAway)
        with pytest.raises(errors.TokenInvalid):
            async with reading_by(room, grant):
                pass


async def test_a_banned_network_is_let_go_with_its_token() -> None:
    room, olga, grant = await prepared()
    async with reading_by(room, grant, NETWORK) as banned, reading_by(room, grant, keyed("203.0.113.5")) as other:

        def ban() -> None:
            said = posting.post(olga, room.pk, "x")
            whose = {"network": NETWORK, "author": None, "author_key": "gone", "author_kind": "guest"}
            Message.objects.filter(mid=said.mid).update(**whose)
            moderation.ban(olga, room.pk, said.mid, "network")

        await in_database(ban)
        await until(lambda: isinstance(banned.closed, errors.Banned))
        await in_database(posting.post, olga, room.pk, "after")
        await until(lambda: other.events[-1].get("message") == "after")
        assert other.closed is None


@pytest.mark.parametrize("how", ["deleted", "opened", "opened with its past"])
async def test_what_becomes_of_it_when_the_room_is(how: str) -> None:
    room, olga, grant = await prepared()
    await in_database(posting.post, olga, room.pk, "among us")
    async with reading(room, actor=olga), reading_by(room, grant) as reader:
        if how == "deleted":
            await in_database(governing.delete_room, olga, room.pk)
            await until(lambda: reader.closed is not None)
            assert isinstance(reader.closed, (errors.TokenInvalid, errors.RoomNotFound))
            assert reader.events == []
            return
        past = how == "opened with its past"
        await in_database(lambda: governing.change_visibility(olga, room.pk, "public", opens_past=past))
        await in_database(posting.post, olga, room.pk, "to all")
        await until(lambda: reader.events and reader.events[-1].get("message") == "to all")
        assert reader.closed is None
        entry = await in_database(doorway.enter, room.pk, None, "", 9, grant)
        texts = [each["message"] for each in entry.history]
        assert texts == (["among us", "to all"] if past else ["to all"])


async def test_made_private_it_stays_who_has_a_token_and_goes_who_has_none() -> None:
    room, olga, grant = await prepared()
    await in_database(governing.change_visibility, olga, room.pk, "public")
    async with reading(room) as anybody, reading_by(room, grant) as by_token:
        await in_database(governing.change_visibility, olga, room.pk, "private")
        await in_database(posting.post, olga, room.pk, "among us")
        await until(lambda: by_token.events and by_token.events[-1].get("message") == "among us")
        assert isinstance(anybody.closed, errors.RoomNotFound)
        assert not any("among us" in str(event) for event in anybody.events)


async def test_a_full_room_says_so_only_to_who_may_know_of_it(settings) -> None:
    settings.CONNECTIONS_PER_ROOM = 1
    room, olga, grant = await prepared()
    async with reading(room, actor=olga):
        with pytest.raises(errors.TooManyConnections):
            async with reading_by(room, grant):
                pass
        with pytest.raises(errors.RoomNotFound):
            async with reading(room):
                pass
        await in_database(viewing.revoke_view_token, olga, room.pk, grant.token_id)
        with pytest.raises(errors.TokenInvalid):
            async with reading_by(room, grant):
                pass


async def test_it_is_counted_as_one_who_watches() -> None:
    room, olga, grant = await prepared()
    async with reading(room, actor=olga), reading_by(room, grant) as reader, reading_by(room, grant):
        counted = count(reader.relay.followers, with_names=True)
        assert (counted.participants, counted.viewers, counted.names) == (1, 2, ("olga",))


async def test_many_who_come_and_a_token_that_goes() -> None:
    """Entering and revoking at once, again and again: nobody is turned away late, or never."""
    room, olga, _ = await prepared()
    async with reading(room, actor=olga) as owner:
        for _ in range(5):
            grants = [await in_database(granted, olga, room) for _ in range(2)]

            async def come(grant: Grant) -> Reader | None:
                try:
                    async with reading_by(room, grant) as reader:
                        await until(lambda: reader.closed is not None)
                        return reader
                except errors.TokenInvalid:
                    return None  # at the door

            coming = [asyncio.create_task(come(grants[number % 2])) for number in range(10)]
            await asyncio.sleep(0)
            await asyncio.gather(
                *(in_database(viewing.revoke_view_token, olga, room.pk, grant.token_id) for grant in grants)
            )
            came = await asyncio.gather(*coming)
            assert len(owner.relay.followers) == 1
            await in_database(posting.post, olga, room.pk, "the word xyzzy")
            await until(lambda: owner.events and owner.events[-1].get("message") == "the word xyzzy")
            for reader in came:
                assert reader is None or (isinstance(reader.closed, errors.TokenInvalid) and reader.events == [])
            owner.events.clear()
