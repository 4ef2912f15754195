"""Posts that wait together are committed together."""

import asyncio
import json
import threading
import uuid
from collections.abc import Iterator

import pytest
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext

from chat import actions, database, errors, governing, log, posting, screening
from chat.identity import new_guest
from chat.models import Event, Message
from chat.posting import LIGHT_CHARS, Post, draft, post_together
from chat.writer import Writer


@pytest.mark.django_db
def test_each_gets_an_answer_and_a_bad_one_takes_nothing_from_its_neighbours(cast) -> None:
    key = str(uuid.uuid4())
    first = posting.post(cast.gil, cast.room.pk, "before").mid
    posts = [
        Post(cast.gil, "one", key),
        Post(cast.gil, ""),
        Post(cast.sven, "two", reply_to=first),
        Post(cast.gil, "one again", key),
        Post(cast.mio, "x" * 5000),
        Post(cast.mio, "three", "no key"),
        Post(cast.sven, "four", reply_to="nothing"),
        Post(cast.olga, "five"),
    ]
    answers = post_together(cast.room.pk, posts)
    refused = [answer.code if isinstance(answer, errors.ChatError) else None for answer in answers]
    assert refused == [None, "text.empty", None, None, "text.too_long", "key.invalid", "message.not_found", None]
    assert answers[0] == answers[3]
    assert [answers[index].seq for index in (0, 2, 7)] == [2, 3, 4]
    assert list(Message.objects.values_list("text", flat=True)) == ["before", "one", "two", "five"]
    assert list(Event.objects.values_list("seq", flat=True)) == [1, 2, 3, 4]
    roles = dict(Message.objects.values_list("text", "author_role"))
    assert (roles["two"], roles["five"]) == ("none", "owner")


@pytest.fixture
def known_rules(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The site's rules were just read, and stay known: how long that takes here is not what queries are counted for."""
    monkeypatch.setattr(screening, "SITE_RULES_SECONDS", 3600.0)
    screening.forget_site_rules()
    screening.site_rules()
    yield
    screening.forget_site_rules()


def spelled(number: int) -> str:
    """A number in letters that no two numbers share the look of."""
    return "".join("abcdefghjk"[int(digit)] for digit in str(number))


def queries_of(room_id: int, posts: list[Post]) -> list[str]:
    """What the database is asked, but for the beginning and the end of the transaction."""
    with CaptureQueriesContext(connection) as queries:
        post_together(room_id, posts)
    statements = [query["sql"] for query in queries]
    return [sql for sql in statements if not sql.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK"))]


@pytest.mark.django_db
@pytest.mark.parametrize("many", [1, 50])
@pytest.mark.usefixtures("known_rules")
def test_six_queries_however_many_posts(cast, many: int) -> None:
    guests = [new_guest() for _ in range(many)]
    # The room, who is muted or banned, its messages, what they are found by, its events, the room's head.
    assert len(queries_of(cast.room.pk, [Post(guest, "hello") for guest in guests])) == 6
    # Whoever chose a name has one of their own: asked for once a minute.
    named = [Post(new_guest(f"Gil {spelled(number)}"), "hello") for number in range(many)]
    assert len(queries_of(cast.room.pk, named)) == 10
    assert len(queries_of(cast.room.pk, named)) == 7
    # Accounts have roles, and replies answer something.
    answered = Message.objects.first().mid
    posts = [Post((cast.olga, cast.mio, guests[0])[index % 3], "!", reply_to=answered) for index in range(many)]
    assert len(queries_of(cast.room.pk, posts)) <= 8


@pytest.mark.django_db
@pytest.mark.parametrize("many", [2, 30])
@pytest.mark.usefixtures("known_rules")
def test_six_queries_however_many_rooms(many: int) -> None:
    rooms = [actions.create_room(new_guest(), f"room {number}")[0] for number in range(many)]
    drafts = [(room.pk, draft(Post(new_guest(), text))) for text in ("one", "two") for room in rooms]
    with CaptureQueriesContext(connection) as queries:
        answers = posting.write_in_rooms(drafts)
    assert [answer.seq for answer in answers] == [1] * many + [2] * many
    kinds = [query["sql"].split()[0] for query in queries if "chat_search" not in query["sql"]]
    assert len(kinds) == len(queries) - 1, "what all are found by is entered in one go"
    assert [kind for kind in kinds if kind in ("SELECT", "INSERT")] == ["SELECT", "SELECT", "INSERT", "INSERT"]
    assert sum(kind == "UPDATE" for kind in kinds) <= 1, "or none is seen, since they are told in one go"
    assert {room.head for room in type(rooms[0]).objects.all()} == {2}


@pytest.mark.django_db
@pytest.mark.usefixtures("known_rules")
def test_one_who_is_refused_has_nobody_written_twice() -> None:
    rooms = [actions.create_room(new_guest(), f"room {number}")[0] for number in range(30)]
    type(rooms[0]).objects.filter(pk=rooms[7].pk).update(posting="signed-in")
    drafts = [(room.pk, draft(Post(new_guest(), "hello"))) for room in rooms]
    with CaptureQueriesContext(connection) as queries:
        answers = posting.write_in_rooms(drafts)
    assert [number for number, answer in enumerate(answers) if isinstance(answer, errors.PostingSignedIn)] == [7]
    kinds = [query["sql"].split()[0] for query in queries if "chat_search" not in query["sql"]]
    # As for any, and whether they had posted that before.
    assert [kind for kind in kinds if kind in ("SELECT", "INSERT")] == ["SELECT"] * 3 + ["INSERT"] * 2


@pytest.mark.django_db
@pytest.mark.parametrize("many", [1, 50])
@pytest.mark.usefixtures("known_rules")
def test_who_asks_again_costs_a_second_run_and_no_more(cast, many: int) -> None:
    posts = [Post(cast.gil, "hello", str(uuid.uuid4())) for _ in range(many)]
    first = post_together(cast.room.pk, posts)
    # The room, who is muted or banned, whose name it is, and the rows that are used already; the same but for the rows,
    # and the messages of then and their numbers.
    assert len(queries_of(cast.room.pk, posts)) == 9
    assert post_together(cast.room.pk, posts) == first
    assert post_together(cast.room.pk, [Post(cast.gil, "new"), *posts])[1:] == first
    assert Message.objects.count() == Event.objects.count() == many + 1


@pytest.mark.django_db
def test_more_than_one_statement_holds_are_written_in_several(cast) -> None:
    answers = post_together(cast.room.pk, [Post(cast.gil, f"{number}") for number in range(400)])
    assert [answer.seq for answer in answers] == list(range(1, 401))
    assert list(Message.objects.values_list("text", flat=True)) == [f"{number}" for number in range(400)]
    assert len(log.read(cast.room.pk, 0).events) == 400


@pytest.mark.django_db
def test_who_may_not_post_is_refused_among_those_who_may(cast) -> None:
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    answers = post_together(cast.room.pk, [Post(cast.gil, "out"), Post(cast.mio, "in"), Post(cast.sven, "out")])
    assert [isinstance(answer, errors.RoomNotFound) for answer in answers] == [True, False, True]


@pytest.mark.django_db(transaction=True)
async def test_what_waits_is_written_together_in_the_order_of_its_arrival(monkeypatch) -> None:
    room = (await database.in_database(actions.create_room, new_guest(), "veranda"))[0]
    sizes, write = [], posting.write_together

    def watched(room_id: int, posts: list[posting.Draft]) -> list:
        sizes.append(len(posts))
        return write(room_id, posts)

    monkeypatch.setattr(posting, "write_together", watched)
    announced = []
    monkeypatch.setattr("chat.broadcast.announce", lambda room_id, slug, events: announced.append(len(events)))
    writer = Writer()
    posted = await asyncio.gather(
        *(writer.post(room.pk, draft(Post(new_guest(), f"{number}"))) for number in range(60))
    )
    assert [each.seq for each in posted] == list(range(1, 61))
    assert sizes == [60] or sizes == [1, 59]
    assert announced == sizes
    lone = await writer.post(room.pk, draft(Post(new_guest(), "alone")))
    assert lone.seq == 61
    assert sizes[-1] == 1
    await asyncio.to_thread(database.close)


@pytest.mark.django_db(transaction=True)
async def test_rooms_share_a_transaction_where_there_is_one_writer(monkeypatch) -> None:
    made = [(await database.in_database(actions.create_room, new_guest(), f"room {n}"))[0] for n in range(10)]
    begun: list[int] = []
    write = posting.write_in_rooms
    monkeypatch.setattr(posting, "write_in_rooms", lambda drafts: begun.append(len(drafts)) or write(drafts))
    writer, key = Writer(), str(uuid.uuid4())
    gil = new_guest()
    await writer.post(made[0].pk, draft(Post(gil, "first", key)))
    asked = [(room, Post(gil, f"{room.slug} {n}")) for n in range(3) for room in made]
    asked.insert(7, (made[0], Post(gil, "first", key)))  # again
    asked.insert(9, (made[3], Post(gil, "?", reply_to="nothing")))
    answers = await asyncio.gather(*(writer.post(room.pk, draft(post)) for room, post in asked), return_exceptions=True)
    good = len(asked)
    if connection.vendor == "sqlite":
        assert begun == [1, good] or begun == [1, 1, good - 1]
    assert answers[7].seq == 1
    assert isinstance(answers[9], errors.MessageNotFound)
    for room in made:
        page = await database.in_database(log.read, room.pk, 0)
        texts = [json.loads(event.json)["message"] for event in page.events]
        assert texts == (["first"] if room == made[0] else []) + [f"{room.slug} {n}" for n in range(3)]
    await asyncio.to_thread(database.close)


def test_what_may_take_long_is_told_apart() -> None:
    gil = new_guest("Gil")
    marks, plain = "_*" * LIGHT_CHARS, "word " * LIGHT_CHARS
    heavy = draft(Post(gil, marks))
    assert [draft(Post(gil, text)).takes_long for text in (marks, plain, "*short*")] == [True, False, False]
    posting.render([heavy])
    assert not heavy.takes_long
    assert heavy.html.startswith("<p>")


@pytest.mark.django_db(transaction=True)
async def test_who_answers_at_once_is_in_the_next_transaction(monkeypatch) -> None:
    """Otherwise those who began at different moments would never meet, and each transaction would carry few."""
    room = (await database.in_database(actions.create_room, new_guest(), "veranda"))[0]
    sizes, write, others_wait = [], posting.write_together, threading.Event()

    def watched(room_id: int, posts: list[posting.Draft]) -> list:
        sizes.append(len(posts))
        assert others_wait.wait(10)
        return write(room_id, posts)

    monkeypatch.setattr(posting, "write_together", watched)
    writer = Writer()

    async def talk() -> None:
        for number in range(5):
            await writer.post(room.pk, draft(Post(new_guest(), f"{number}")))

    async with asyncio.TaskGroup() as talking:
        talking.create_task(talk())
        while not sizes:
            await asyncio.sleep(0.001)
        talking.create_task(talk())
        talking.create_task(talk())
        await asyncio.sleep(0)
        others_wait.set()
    assert sizes == [1, 2, 3, 3, 3, 3]
    await asyncio.to_thread(database.close)


@pytest.mark.django_db(transaction=True)
async def test_one_that_breaks_the_transaction_is_refused_alone(monkeypatch) -> None:
    room = (await database.in_database(actions.create_room, new_guest(), "veranda"))[0]
    write = posting.write_together

    def fragile(room_id: int, posts: list[posting.Draft]) -> list:
        if any(post.text == "poison" for post in posts):
            raise DataError("cannot be stored")
        return write(room_id, posts)

    monkeypatch.setattr(posting, "write_together", fragile)
    writer = Writer()
    texts = ["a", "poison", "b"]
    answers = await asyncio.gather(
        *(writer.post(room.pk, draft(Post(new_guest(), text))) for text in texts), return_exceptions=True
    )
    assert isinstance(answers[1], DataError)
    assert [answers[0].seq, answers[2].seq] == [1, 2]
    assert len((await database.in_database(log.read, room.pk, 0)).events) == 2
    await asyncio.to_thread(database.close)


@pytest.mark.django_db
@pytest.mark.parametrize("many", [2, 30])
@pytest.mark.usefixtures("known_rules")
def test_accounts_in_several_rooms_are_asked_about_at_once(cast, many: int) -> None:
    rooms = [actions.create_room(cast.olga, f"room {number}")[0] for number in range(many)]
    drafts = [(room.pk, draft(Post(author, "hello"))) for room in rooms for author in (cast.olga, cast.mio)]
    with CaptureQueriesContext(connection) as queries:
        posting.write_in_rooms(drafts)
    # The rooms, who is muted or banned, whose role is which.
    assert sum(query["sql"].startswith("SELECT") for query in queries) == 3
    assert set(Message.objects.values_list("author_key", "author_role")) == {
        (cast.olga.key, "owner"),
        (cast.mio.key, "none"),
    }


@pytest.mark.django_db
@pytest.mark.usefixtures("known_rules")
def test_who_is_refused_does_not_have_the_others_written_twice(cast) -> None:
    sender, key = new_guest(), str(uuid.uuid4())
    first = posting.post(sender, cast.room.pk, "hello", key)
    posts = [Post(new_guest(), "hello") for _ in range(49)]
    refused = Post(new_guest(), "hello", reply_to="nothing")
    # The room, who is muted or banned, whether that was posted before; the messages, their events, the room's head.
    assert len(queries_of(cast.room.pk, [*posts, refused])) == 7
    again, other, new = post_together(
        cast.room.pk, [Post(sender, "hello", key, reply_to="nothing"), refused, Post(sender, "new")]
    )
    assert (again, other.code, new.seq) == (first, "message.not_found", first.seq + 50)
