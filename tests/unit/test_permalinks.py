"""A message's permanent address: history around it, for anybody and for those of the room."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from chat import actions, errors, governing, moderation, posting
from chat.models import Room
from chat.pages import BEFORE_ALL, message_page

DOORS = ["/feeds/veranda/m/{}/", "/chat/veranda/m/{}/"]


@pytest.fixture
def said(cast, settings) -> list[str]:
    """Nine messages, on pages of four."""
    settings.PAGE_MESSAGES = 4
    return [posting.post(cast.gil, cast.room.pk, f"the {number}th").mid for number in range(9)]


@pytest.fixture
def mio(cast) -> Client:
    browser = Client()
    browser.force_login(cast.users.mio)
    return browser


def shown(page: str) -> list[str]:
    return re.findall(r'id="m-(\w{26})"', page)


def numbers(said: list[str], mids: list[str]) -> list[int]:
    return [said.index(mid) for mid in mids]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("at", "around"),
    [(0, [0, 1]), (1, [0, 1, 2]), (4, [2, 3, 4, 5]), (7, [5, 6, 7, 8]), (8, [5, 6, 7, 8])],
)
def test_it_shows_the_message_among_those_around_it(said, client, door: str, at: int, around: list[int]) -> None:
    page = client.get(door.format(said[at])).text
    assert numbers(said, shown(page)) == around
    (current,) = re.findall(r'<li class="message" id="m-(\w+)"[^>]* aria-current="true"', page)
    assert current == said[at]
    assert ('rel="prev"' in page) == (around[0] > 0)
    assert ('rel="next"' in page) == (around[-1] < 8)
    # Where the newest is on the page, it is live.
    assert ("data-stream-url" in page) == (around[-1] == 8)


@pytest.mark.parametrize("room_path", ["/feeds/veranda/", "/chat/veranda/"])
def test_one_gets_from_page_to_page_and_misses_none(said, client, room_path: str) -> None:
    def follow(path: str, way: str) -> list[int]:
        seen = []
        while path:
            page = client.get(path).text
            seen.append(numbers(said, shown(page)))
            link = re.search(rf'<a rel="{way}" href="([^"]+)"', page)
            path = link[1] if link else ""
        return [number for page in (reversed(seen) if way == "prev" else seen) for number in page]

    assert follow(room_path, "prev") == list(range(9))
    assert follow(f"{room_path}?after={BEFORE_ALL}", "next") == list(range(9))
    assert follow(f"{room_path}?after={said[4]}", "next") == [5, 6, 7, 8]
    # After the newest there is nothing yet, and before the first there never was.
    assert numbers(said, shown(client.get(f"{room_path}?after={said[8]}").text)) == [5, 6, 7, 8]
    assert f"?after={BEFORE_ALL}" in client.get(f"{room_path}?before={said[0]}").text
    for nonsense in ("?after=x", "?before=x"):
        assert client.get(room_path + nonsense).status_code in (400, 404)


@pytest.mark.parametrize("door", DOORS)
def test_each_message_links_to_its_own(said, client, door: str) -> None:
    page = client.get(door.format(said[3])).text
    for mid in shown(page):
        assert f'<a class="message__permalink" href="{door.format(mid)}">' in page
    assert f'data-permalinks="{door.format("")[:-1]}"' in page


@pytest.mark.parametrize("door", DOORS)
def test_what_is_gone_is_answered_like_what_never_was(cast, said, client, mio, door: str) -> None:
    elsewhere, _ = actions.create_room(cast.olga, "Elsewhere")
    other = posting.post(cast.gil, elsewhere.pk, "elsewhere").mid
    actions.delete(cast.gil, cast.room.pk, said[1])
    moderation.hide(cast.olga, cast.room.pk, said[2])
    Room.objects.filter(pk=cast.room.pk).update(sealed_mid=said[4])
    never = client.get(door.format("7ZZZZZZZZZZZZZZZZZZZZZZZZZ"))
    assert never.status_code == 404
    for mid in (said[1], said[2], said[3], other, "x", "m"):
        for extra in ({}, {"If-None-Match": "*"}):
            answer = client.get(door.format(mid), headers=extra)
            assert (answer.status_code, answer.content) == (404, never.content), mid
    assert client.get(door.format(said[5])).status_code == 200
    # What was said in private is still its members'.
    assert mio.get(DOORS[1].format(said[3])).status_code == 200
    assert numbers(said, shown(mio.get(DOORS[1].format(said[5])).text)) == [3, 4, 5, 6]
    assert numbers(said, shown(client.get(door.format(said[5])).text)) == [5, 6]


def test_private_rooms_have_them_for_members(cast, said, client, mio) -> None:
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    assert mio.get(DOORS[1].format(said[3])).status_code == 200
    for door in DOORS:
        assert client.get(door.format(said[3])).status_code == 404


@pytest.mark.parametrize("door", DOORS)
def test_small_letters_and_other_spellings_lead_to_the_one_address(said, client, door: str) -> None:
    for written in (door.format(said[3].lower()), door.format(said[3]).replace("veranda", "VERANDA")):
        answer = client.get(written)
        assert (answer.status_code, answer["Location"]) == (302, door.format(said[3]))


def test_a_page_takes_the_same_number_of_queries_wherever_it_is(cast, said) -> None:
    room = Room.objects.get()

    def count(**where: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            message_page(room, **where)
        return len(queries)

    assert {count(around=mid) for mid in said} == {2}
    assert {count(before=mid) for mid in said} == {1}
    assert {count(after=mid) for mid in said} == {2}
    with pytest.raises(errors.MessageNotFound):
        message_page(room, around=BEFORE_ALL)


def test_a_page_around_a_message_is_revalidated(cast, said, client) -> None:
    path = DOORS[0].format(said[3])
    answer = client.get(path)
    assert answer["Access-Control-Allow-Origin"] == "*"
    again = client.get(path, headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
    actions.delete(cast.gil, cast.room.pk, said[3])
    assert client.get(path, headers={"If-None-Match": answer["ETag"]}).status_code == 404


@pytest.mark.parametrize("mid", ["%00", "x", "%F0%9F%92%A9", "U" * 26])
def test_what_is_no_name_is_not_looked_for(said, client, django_assert_num_queries, mid: str) -> None:
    with django_assert_num_queries(1):  # the room
        assert client.get(f"/feeds/veranda/m/{mid}/", headers={"If-None-Match": "*"}).status_code == 404
