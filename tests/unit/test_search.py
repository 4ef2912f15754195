"""Searching in a room: what is found, by whom, and how much of it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from chat import actions, errors, governing, indexing, posting, search, viewing
from chat.identity import Identity, new_guest
from chat.mids import first_mid_at
from chat.models import Message, Room, SearchIndex
from tests.unit.browsers import JSON

pytestmark = pytest.mark.django_db
DOORS = ("/chat/veranda/search", "/feeds/veranda/search")


def say(cast, *texts: str, actor: Identity | None = None) -> list[str]:
    return [posting.post(actor or cast.gil, cast.room.pk, text).mid for text in texts]


def found(client: Client, path: str, **asked: str) -> list[str]:
    answer = client.get(path, asked, headers=JSON)
    assert answer.status_code == 200, answer.text
    return [message["message"] for message in answer.json()["messages"]]


def move(mid: str, day: datetime) -> None:
    """Have it said on another day, in the order in which it was."""
    Message.objects.filter(pk=mid).update(mid=first_mid_at(day), created_at=day)


@pytest.mark.parametrize("path", DOORS)
def test_words_are_found_newest_first(client: Client, cast, path: str) -> None:
    say(cast, "明日は東京駅で", "東京と京都", "a kettle", "東京都 kettles")
    assert found(client, path, q="東京") == ["東京都 kettles", "東京と京都", "明日は東京駅で"]
    assert found(client, path, q="東京都") == ["東京都 kettles"]
    assert found(client, path, q="kettle") == ["東京都 kettles", "a kettle"]
    assert found(client, path, q="京 kettle") == ["東京都 kettles"]
    assert found(client, path, q='"a kettle"') == ["a kettle"]
    assert found(client, path, q="と") == ["東京と京都"], "a kana by itself is looked for in the texts"
    assert found(client, path, q="") == found(client, path) == []


def test_by_author_and_day(client: Client, cast) -> None:
    aki = new_guest("Aki Satō")
    first, second, third = *say(cast, "one plover"), *say(cast, "two plovers", "a heron", actor=aki)
    days = [datetime(2026, 1, day, 23, 59, 59, tzinfo=UTC) for day in (1, 2, 3)]
    for mid, day in zip((first, second, third), days, strict=True):
        move(mid, day)
    path = DOORS[1]
    assert found(client, path, author=aki.key) == ["a heron", "two plovers"]
    assert found(client, path, author=aki.key, q="plover") == ["two plovers"]
    assert found(client, path, author=aki.key[:-1]) == []
    for name in ("aki", "SATO", "ak sat"):
        assert found(client, path, **{"from": name}) == ["a heron", "two plovers"]
    assert found(client, path, **{"from": "ki"}) == []
    assert found(client, path, q="aki") == [], "a name is not what was said"
    assert found(client, path, since="2026-01-02") == ["a heron", "two plovers"]
    assert found(client, path, until="2026-01-02") == ["two plovers", "one plover"]
    assert found(client, path, since="2026-01-02", until="2026-01-02", q="plover") == ["two plovers"]
    assert found(client, path, since="2026-01-02", until="2026-01-02", q="heron") == []
    assert found(client, path, since="2027-01-01", q="heron") == []


def test_pages_go_on_where_the_last_ended(client: Client, cast, settings) -> None:
    settings.PAGE_MESSAGES = 3
    say(cast, *(f"plover {number}" for number in range(8)))
    seen, before = [], None
    while True:
        answer = client.get(DOORS[0], {"q": "plover"} | ({"before": before} if before else {}), headers=JSON).json()
        seen.append([message["message"][-1] for message in answer["messages"]])
        if (before := answer["older"]) is None:
            break
    assert seen == [["7", "6", "5"], ["4", "3", "2"], ["1", "0"]]
    page = client.get(DOORS[0], {"q": "plover"}).text
    assert f"?q=plover&amp;before={Message.objects.order_by('-mid')[2].mid}" in page


@pytest.mark.parametrize(("path", "name"), list(zip(DOORS, ("chat", "feeds"), strict=True)))
def test_each_leads_to_its_place_and_shows_what_was_found(client: Client, cast, path: str, name: str) -> None:
    (mid,) = say(cast, "<b>plover</b> & 東京")
    page = client.get(path, {"q": "plover 京 <i>"}).text
    assert found(client, path, q="plover 京") == ["<b>plover</b> & 東京"]
    page = client.get(path, {"q": "plover 東京"}).text
    assert "&lt;b&gt;<mark>plover</mark>&lt;/b&gt; &amp; <mark>東京</mark>" in page
    address = f"/{name}/veranda/m/{mid}/"
    assert f'href="{address}"' in page
    assert f'id="m-{mid}"' in client.get(address).text
    (message,) = client.get(path, {"q": "plover"}, headers=JSON).json()["messages"]
    assert message["permalink"].endswith(address)
    assert [piece["text"] for piece in message["excerpt"] if piece["match"]] == ["plover"]


def test_what_was_said_in_private_is_for_members(client: Client, cast) -> None:
    say(cast, "plover before")
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    for path in DOORS:
        assert client.get(path, {"q": "plover"}, headers=JSON).status_code == 404
    say(cast, "plover within", actor=cast.mio)
    member = Client()
    member.force_login(cast.users.mio)
    assert found(member, DOORS[0], q="plover") == ["plover within", "plover before"]
    _, secret = viewing.create_view_token(cast.olga, cast.room.pk, "Gazette", timezone.now() + timedelta(days=1))
    with_it = {"Authorization": f"Bearer {secret}"} | JSON
    sealed = [each["message"] for each in client.get(DOORS[1], {"q": "plover"}, headers=with_it).json()["messages"]]
    governing.change_visibility(cast.olga, cast.room.pk, "public")
    say(cast, "plover after")
    assert found(member, DOORS[0], q="plover") == ["plover after", "plover within", "plover before"]
    for path in DOORS:
        assert found(client, path, q="plover") == ["plover after"]
        assert found(client, path, author=cast.mio.key) == []
        assert found(client, path, since="2026-01-01") == ["plover after"]
    assert sealed == ["plover within", "plover before"]


def test_a_search_is_a_few_queries_however_much_was_said(cast, django_assert_max_num_queries) -> None:
    entered = [(number, indexing.hashes_of("plover", "", "")) for number in range(1, 3000)]
    rows = [
        Message(
            mid=first_mid_at(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)),
            room=cast.room,
            author_key="g",
            author_name="Gil",
            text="plover",
            renderer=1,
            created_at=timezone.now(),
            number=number,
        )
        for number, _ in entered
    ]
    Message.objects.bulk_create(rows)
    indexing.write(cast.room.pk, entered)
    for asked in ({"q": "plover"}, {"q": "ploverx"}, {"q": '"plover plover"'}, {"q": "ぬ"}, {"from": "nobody"}):
        with django_assert_max_num_queries(9):
            page = search.search(cast.room, search.wanted_of(asked))
        assert len(page.found) == (search.settings.PAGE_MESSAGES if asked == {"q": "plover"} else 0)
    far = search.search(cast.room, search.wanted_of({"q": '"plover plover"'}))
    assert far.looked_far
    steps = 1
    while far.older_mid:
        far = search.search(cast.room, search.wanted_of({"q": '"plover plover"', "before": far.older_mid}))
        steps += 1
    assert steps == 3, "1,100 messages are looked at in one step"


@pytest.mark.parametrize("words", ["ぬ", '"plover plover"'])
def test_a_search_looks_at_so_much_text_at_once_and_no_more(cast, monkeypatch, words: str) -> None:
    long = "\ufdfa" * 40
    said = [posting.post(cast.gil, cast.room.pk, f"{long} plover ploverぬ {number}").mid for number in range(7)]
    wanted = posting.post(cast.gil, cast.room.pk, "ぬ plover plover").mid
    for _ in range(3):
        posting.post(cast.gil, cast.room.pk, f"{long} plover ploverless ね")
    monkeypatch.setattr(search, "_MOST_CHARS", 1500)  # two of these, of 18 times as many characters as they seem
    monkeypatch.setattr(search, "_AT_ONCE", 2)
    found, steps, before = [], 0, {}
    while before is not None:
        page = search.search(cast.room, search.wanted_of({"q": words, **before}), size=50)
        found += [each.message.mid for each in page.found]
        steps += 1
        assert page.looked_far == (page.older_mid is not None)
        before = {"before": page.older_mid} if page.older_mid else None
    assert found == [wanted, *said[::-1]]
    assert 4 <= steps <= 6


WRONG = [
    {"q": "x" * 201},
    {"q": " ".join(f"word{number}" for number in range(17))},
    {"q": "!!!"},
    {"from": "…"},
    {"author": "g" * 41},
    {"since": "yesterday"},
    {"since": "2026-02-30"},
    {"since": "0001-01-01"},
    {"until": "9999-12-31"},
    {"since": "2026-01-02", "until": "2026-01-01"},
    {"q": "x", "before": "1"},
]


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("asked", WRONG)
def test_what_makes_no_sense_is_said_to_make_none(client: Client, cast, path: str, asked: dict[str, str]) -> None:
    answer = client.get(path, asked, headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "query.invalid")
    page = client.get(path, asked)
    assert page.status_code == 400
    assert 'role="alert"' in page.text


@examples(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=20))
@pytest.mark.parametrize("hostile", ["", "\x00", "' OR 1=1 --", '"*^:(){}', "NEAR(a b", "a:* & !b | <->", "%_\\"])
def test_nothing_that_is_typed_breaks_it(cast, hostile: str, words: str, name: str, author: str) -> None:
    for asked in ({"q": hostile + words}, {"q": f'"{words}{hostile}"', "from": name}, {"author": hostile + author}):
        try:
            page = search.search(cast.room, search.wanted_of(asked))
        except errors.InvalidQuery:
            continue
        assert page.found == []


@given(st.text(max_size=100))
@examples(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_said_can_be_looked_for(cast, text: str) -> None:
    try:
        mid = posting.post(cast.gil, cast.room.pk, text).mid
    except errors.ChatError:
        return
    kept = Message.objects.get(pk=mid).text
    for word in {kept[:9], *kept.split()[:3]}:
        try:
            page = search.search(cast.room, search.wanted_of({"q": word.strip('"“”„')[:200]}))
        except errors.InvalidQuery:
            continue
        if not search.terms.needles_of(word) or not set(word).isdisjoint('"“”„') or kept[:9] == word:
            continue
        assert mid in [each.message.mid for each in page.found], word
    actions.delete(cast.gil, cast.room.pk, mid)


def test_search_pages_are_for_no_search_engine(client: Client, cast) -> None:
    governing.change_room(cast.olga, cast.room.pk, {"is_indexed": True})
    for path in DOORS:
        assert client.get(path, {"q": "x"})["X-Robots-Tag"] == "noindex"
    assert "Set-Cookie" not in client.get(DOORS[1], {"q": "x"}).headers


def test_another_spelling_leads_to_the_room_with_what_was_asked(client: Client, cast) -> None:
    for path in DOORS:
        answer = client.get(path.replace("veranda", "VERANDA"), {"q": "京"})
        assert (answer.status_code, answer["Location"]) == (302, f"{path}?q=%E4%BA%AC")


def test_the_room_and_the_watch_page_lead_there(client: Client, cast) -> None:
    assert f'href="{DOORS[0]}"' in client.get("/chat/veranda/").text
    assert f'href="{DOORS[1]}"' in client.get("/feeds/veranda/").text


def test_an_index_that_is_being_made_is_said_to_be(client: Client, cast) -> None:
    say(cast, "plover")
    assert client.get(DOORS[0], {"q": "plover"}, headers=JSON).json()["complete"] is True
    SearchIndex.objects.update(is_complete=False)
    assert client.get(DOORS[0], {"q": "plover"}, headers=JSON).json()["complete"] is False
    assert "The index is being made" in client.get(DOORS[0], {"q": "plover"}).text
    assert Room.objects.get().said == 1
