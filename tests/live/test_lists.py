"""The start page, served by another process than those that hold the rooms' connections."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.clients import participant, viewer
from tests.people import browsing, cookies_of, submit
from tests.servers import Engawa

PREPARE = """
from chat import actions
from chat.models import User
olga = User.objects.create_user('olga', password='a long password')
User.objects.create_user('sven', password='a long password')
for name in ('Counted', 'Emptied', 'Read', 'Posted'):
    actions.create_room(olga.identity, name)
"""


@pytest.fixture(scope="module")
def prepared(servers: tuple[Engawa, Engawa]) -> tuple[Engawa, Engawa]:
    servers[0].shell(PREPARE)
    return servers


def card(page: str, slug: str) -> str:
    """What the start page says of a room, as a text."""
    (found,) = [each for each in page.split('<li class="room-card">')[1:] if f'href="/chat/{slug}/"' in each]
    return " ".join(re.sub("<[^>]*>", " ", found.split("</li>")[0]).split())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.1)


def says(server: Engawa, slug: str, *words: str) -> Callable[[], bool]:
    return lambda: all(word in card(httpx.get(server.base).text, slug) for word in words)


async def test_people_are_counted_over_all_processes(prepared: tuple[Engawa, Engawa]) -> None:
    one, two = prepared
    assert "here" not in card(httpx.get(one.base).text, "counted")
    async with (
        participant(one.sockets, "counted"),
        participant(two.sockets, "counted"),
        viewer(two.base, "counted"),
    ):
        for server in prepared:
            await until(says(server, "counted", "2 here", "1 watching"))


async def test_a_process_that_ends_takes_its_people_along(
    prepared: tuple[Engawa, Engawa], redis_url: str, tmp_path: Path
) -> None:
    one, _ = prepared
    database = one.environment["DATABASE_URL"]
    three = await asyncio.to_thread(Engawa, tmp_path, "three", REDIS_URL=redis_url, DATABASE_URL=database)
    try:
        async with participant(three.sockets, "emptied"):
            await until(says(one, "emptied", "1 here"))
            assert await asyncio.to_thread(three.stop) == 0
            assert "here" not in card(httpx.get(one.base).text, "emptied")
    finally:
        three.stop()


async def test_what_is_read_on_one_process_is_read_on_all(prepared: tuple[Engawa, Engawa]) -> None:
    one, two = prepared
    with browsing(one, "sven") as here, browsing(two, "sven") as there:
        cookie = cookies_of(here)

        def new(count: int) -> Callable[[], bool]:
            wanted = f"{count} new" if count else ""
            return lambda: wanted in (said := card(there.get("/").text, "read")) and (count > 0 or " new" not in said)

        async with (
            participant(one.sockets, "read") as guest,
            participant(one.sockets, "read", cookie=cookie) as first,
            participant(two.sockets, "read", cookie=cookie) as second,
        ):
            mids = [(await guest.post(text))["mid"] for text in ("one", "two", "three")]
            await first.send(type="seen", mid=mids[0], key="a")
            assert (await first.until("done"))["key"] == "a"
            await until(new(2))
            await first.send(type="seen", mid=mids[2])
            await until(new(0))
            await second.send(type="seen", mid=mids[1], key="b")  # a tab that is behind
            await second.until("done")
            await guest.send(type="seen", mid=mids[1], key="c")
            assert (await guest.until("error"))["code"] == "not_allowed"
            await guest.post("four")
            await until(new(1))


async def test_who_posts_has_read(prepared: tuple[Engawa, Engawa]) -> None:
    one, two = prepared
    with browsing(one, "sven") as here, browsing(two, "sven") as there:
        async with (
            participant(one.sockets, "posted") as guest,
            participant(one.sockets, "posted", cookie=cookies_of(here)) as sven,
        ):
            await sven.post("hello")
            await until(lambda: "posted" in there.get("/?yours").text)
            await guest.post("hello, you")
            assert "1 new" in card(there.get("/").text, "posted")
            await sven.post("how are you?")
            await until(lambda: "new" not in card(there.get("/").text, "posted"))


async def test_a_rename_reaches_every_process(prepared: tuple[Engawa, Engawa]) -> None:
    one, two = prepared
    one.shell("from chat.models import User; User.objects.create_user('rita', password='a long password')")
    with browsing(one, "rita") as http:
        cookie = cookies_of(http)
        async with participant(two.sockets, "posted", cookie=cookie) as before:
            assert before.welcome["you"]["name"] == "rita"
            submit(http, "/accounts/profile/", part="name", username="margarita")
            assert await before.closed() == 4002
        submit(http, "/accounts/profile/", part="colour", hue="3")
        async with participant(two.sockets, "posted", cookie=cookie) as after:
            assert (after.welcome["you"]["name"], after.welcome["you"]["hue"]) == ("margarita", 3)
            await after.send(type="post", message="it is me")
            said = json.dumps((await after.event())["author"])
            assert '"hue": 3' in said
