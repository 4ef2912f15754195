"""The index of what is said: whatever changes a message changes it, and nothing stays in it of what is gone."""

import random
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from chat import actions, erasing, governing, indexing, moderation, posting, reindexing, retention, review, search
from chat.erasing import Traces
from chat.identity import new_guest
from chat.mids import first_mid_at
from chat.models import HeldMessage, Message, Room, SearchIndex
from chat.posting import Post

pytestmark = pytest.mark.django_db
SECRET = "xyzzy 秘密の言葉"


def said(room: Room, **asked: str) -> list[str]:
    found = search.search(Room.objects.get(pk=room.pk), search.wanted_of(asked), size=1000).found
    return [each.message.text for each in found]


def rows() -> list[str]:
    """All that the index has, as it has it."""
    tables = ["chat_search"]
    if connection.vendor == "sqlite":
        tables += [f"chat_search_{name}" for name in ("content", "data", "idx")]
    with connection.cursor() as cursor:
        found = []
        for table in tables:
            cursor.execute(f"SELECT * FROM {table}")
            found += [repr(row) for row in cursor.fetchall()]
        return found


def entries() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM chat_search")
        return cursor.fetchone()[0]


def approved(cast: SimpleNamespace) -> None:
    governing.change_room(cast.olga, cast.room.pk, {"approval": "guests"})
    posting.post(new_guest("Newcomer"), cast.room.pk, "a plover waits")
    assert said(cast.room, q="plover") == []
    review.approve(cast.olga, cast.room.pk, HeldMessage.objects.get().pk)


def test_what_is_approved_is_found(cast) -> None:
    approved(cast)
    assert said(cast.room, q="plover") == ["a plover waits"]


def expire(cast: SimpleNamespace, mid: str) -> None:
    old = timezone.now() - timedelta(days=9)
    Message.objects.filter(pk=mid).update(mid=first_mid_at(old), created_at=old)
    Room.objects.filter(pk=cast.room.pk).update(retention_days=3)
    retention.prune_room(cast.room.pk)


WAYS: dict[str, Callable[[SimpleNamespace, str], object]] = {
    "edited": lambda cast, mid: actions.edit(cast.gil, cast.room.pk, mid, "other words"),
    "deleted": lambda cast, mid: actions.delete(cast.gil, cast.room.pk, mid),
    "hidden": lambda cast, mid: moderation.hide(cast.olga, cast.room.pk, mid),
    "deleted when it was hidden": lambda cast, mid: (
        moderation.hide(cast.olga, cast.room.pk, mid),
        moderation.delete_hidden(cast.olga, cast.room.pk, mid),
    ),
    "deleted with all of them": lambda cast, mid: moderation.delete_recent(cast.olga, cast.room.pk, mid),
    "deleted by the site": lambda cast, mid: actions.remove(cast.room.pk, mid),
    "expired": expire,
    "erased": lambda cast, mid: erasing.erase_in(cast.room.pk, Traces((cast.gil.key,), None, True)),
    "deleted with its room": lambda cast, mid: governing.delete_room(cast.olga, cast.room.pk),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_gone_is_not_found_and_not_in_the_index(cast, way: str) -> None:
    posting.post(cast.olga, cast.room.pk, "something else")
    mid = posting.post(cast.gil, cast.room.pk, SECRET).mid
    assert said(cast.room, q="秘密") == said(cast.room, q="xyz") == [SECRET]
    before = entries()
    hashes = indexing.hashes_of(SECRET, "", "")
    WAYS[way](cast, mid)
    assert entries() == {"edited": before, "deleted with its room": 0}.get(way, before - 1)
    if way != "deleted with its room":
        assert said(cast.room, q="秘密") == said(cast.room, q="xyz") == []
    assert indexing.newest(cast.room.pk, hashes[:1], 0, 1 << 30, 10) == []
    reindexing.compact()
    kept = "".join(rows())
    for word in ("xyz", "秘", "言葉"):
        assert word not in kept, "not even before the database has reclaimed it"
        assert repr(word.encode())[2:-1] not in kept
    if connection.vendor == "sqlite":
        # A term begins where it differs from the one before it.
        assert not [each for each in hashes if each[3:] in kept], "and after that, not as a hash"


def test_what_is_shown_again_is_found_again(cast) -> None:
    mid = posting.post(cast.gil, cast.room.pk, SECRET).mid
    moderation.hide(cast.olga, cast.room.pk, mid)
    moderation.unhide(cast.olga, cast.room.pk, mid)
    assert said(cast.room, q="秘密") == [SECRET]


def test_an_edit_is_found_by_its_new_words_alone(cast) -> None:
    mid = posting.post(cast.gil, cast.room.pk, "before").mid
    actions.edit(cast.gil, cast.room.pk, mid, "afterwards")
    assert (said(cast.room, q="before"), said(cast.room, q="afterw")) == ([], ["afterwards"])


def test_somebody_erased_is_found_by_no_name(cast) -> None:
    posting.post(cast.gil, cast.room.pk, "what stays")
    erasing.erase_in(cast.room.pk, Traces((cast.gil.key,), None, False))
    assert said(cast.room, q="stays") == ["what stays"]
    assert said(cast.room, author=cast.gil.key) == said(cast.room, **{"from": "Gil"}) == []


def test_a_rollback_leaves_nothing(cast) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        posting.post(cast.gil, cast.room.pk, SECRET)
        raise ZeroDivisionError
    assert said(cast.room, q="xyzzy") == []
    posting.post(cast.gil, cast.room.pk, "xyzzy again")
    assert said(cast.room, q="xyzzy") == ["xyzzy again"]


def test_the_same_post_twice_is_found_once(cast) -> None:
    key = "0b9d1c7e-53f4-4c52-9a39-0d6e1f1f7c11"
    posting.post_together(cast.room.pk, [Post(cast.gil, SECRET, key), Post(cast.gil, SECRET, key)])
    posting.post(cast.gil, cast.room.pk, SECRET, key)
    assert said(cast.room, q="xyzzy") == [SECRET]


def test_rooms_are_apart(cast) -> None:
    other, _ = actions.create_room(cast.olga, "Cellar")
    drafts = [(room.pk, posting.draft(Post(cast.gil, f"plover in {room}"))) for room in (cast.room, other)]
    posting.write_in_rooms(drafts)
    assert said(cast.room, q="plover") == ["plover in Veranda"]
    assert said(other, q="plover") == ["plover in Cellar"]
    governing.delete_room(cast.olga, other.pk)
    assert said(cast.room, q="plover") == ["plover in Veranda"]


def test_indexing_is_one_query_however_many_posts(cast) -> None:
    with transaction.atomic(), connection.execute_wrapper(_counting(ran := [])):
        posts = [Post(new_guest(), f"word{number}") for number in range(60)]
        posting.post_together(cast.room.pk, posts)
    assert len([sql for sql in ran if "chat_search" in sql]) == 1


def _counting(ran: list[str]):
    def wrapper(execute, sql, params, many, context):
        ran.append(sql)
        return execute(sql, params, many, context)

    return wrapper


def test_newest_first_over_many_blocks(cast, monkeypatch) -> None:
    monkeypatch.setattr(indexing, "BLOCK_BITS", 3)
    chance = random.Random(1)
    texts = {number: {chance.choice("abcd") for _ in range(2)} for number in range(1, 101)}
    indexing.write(cast.room.pk, [(n, indexing.hashes_of(" ".join(words), "", "")) for n, words in texts.items()])
    for words in ("a", "b", "ab", "abc"):
        hashes = [each for word in words for each in indexing.hashes_wanted(search.terms.needles_of(word), [], "")]
        for low, high, most in ((1, 100, 100), (20, 77, 5), (50, 50, 10), (90, 10, 5)):
            having = [n for n in range(high, low - 1, -1) if set(words) <= texts[n]]
            assert indexing.newest(cast.room.pk, hashes, low, high, most) == having[:most]


def forget_the_index() -> None:
    """As it is before the first migration of it."""
    indexing.remove_room(Room.objects.get().pk)
    Message.objects.update(number=None)
    Room.objects.update(said=0)
    SearchIndex.objects.all().delete()


def test_what_was_said_before_there_was_an_index_is_found(cast, monkeypatch) -> None:
    monkeypatch.setattr(reindexing, "AT_ONCE", 3)
    monkeypatch.setattr(reindexing, "NAMED_AT_ONCE", 5)
    mids = [posting.post(cast.gil, cast.room.pk, f"plover {number}").mid for number in range(8)]
    actions.delete(cast.gil, cast.room.pk, mids[2])
    moderation.hide(cast.olga, cast.room.pk, mids[4])
    forget_the_index()
    assert not reindexing.is_complete()
    reindexing.reindex()
    assert reindexing.is_complete()
    assert said(cast.room, q="plover") == [f"plover {number}" for number in (7, 6, 5, 3, 1, 0)]
    assert list(Message.objects.order_by("mid").values_list("number", flat=True)) == list(range(1, 9))
    posting.post(cast.gil, cast.room.pk, "plover 8")
    assert said(cast.room, q="plover")[0] == "plover 8"
    assert entries() == 7


def test_migrating_enters_what_was_said_before(cast) -> None:
    posting.post(cast.gil, cast.room.pk, "plover")
    forget_the_index()
    call_command("migrate", verbosity=0)
    assert reindexing.is_complete()
    assert said(cast.room, q="plover") == ["plover"]


def test_an_interrupted_one_goes_on_while_others_post(cast, monkeypatch) -> None:
    monkeypatch.setattr(reindexing, "AT_ONCE", 3)
    monkeypatch.setattr(reindexing, "NAMED_AT_ONCE", 5)
    for number in range(8):
        posting.post(cast.gil, cast.room.pk, f"plover {number}")
    forget_the_index()

    def interrupt(count: int) -> None:
        posting.post(cast.gil, cast.room.pk, "plover meanwhile")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reindexing.reindex(tell=interrupt)
    assert SearchIndex.objects.get().mid
    done: list[int] = []
    reindexing.reindex(tell=done.append)
    assert sum(done) == 6, "and not those that were done"
    assert list(Message.objects.order_by("mid").values_list("number", flat=True)) == list(range(1, 10))
    assert said(cast.room, q="plover") == ["plover meanwhile", *(f"plover {number}" for number in range(7, -1, -1))]


def test_messages_without_a_number_in_between_are_found_in_their_place(cast) -> None:
    mids = [posting.post(cast.gil, cast.room.pk, f"plover {number}").mid for number in range(5)]
    Message.objects.filter(mid=mids[2]).update(number=None)
    Message.objects.filter(mid__gt=mids[2]).update(number=3)
    Message.objects.filter(mid=mids[4]).update(number=4)
    reindexing.reindex(restart=True)
    assert said(cast.room, q="plover") == [f"plover {number}" for number in range(4, -1, -1)]


def test_another_secret_asks_for_another_index(cast, monkeypatch) -> None:
    posting.post(cast.gil, cast.room.pk, "plover")
    monkeypatch.setattr(indexing, "_key", lambda: b"another")
    for cached in (indexing._digits, indexing._number):
        cached.cache_clear()
    assert not search.search(cast.room, search.wanted_of({"q": "plover"})).is_complete
    reindexing.reindex()
    assert said(cast.room, q="plover") == ["plover"]
    for cached in (indexing._digits, indexing._number):
        cached.cache_clear()
