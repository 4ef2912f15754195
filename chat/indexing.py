"""The index of what is said: which messages of a room hold a term. FTS5 on SQLite, GIN on PostgreSQL.

Kept in the transaction that changes a message, under its room's lock, and read newest first. An entry is named by its
room and the number of its message there (``Message.number``), which rise as mids do. Terms are kept as keyed hashes of
40 bits: what a database has not yet reclaimed of an entry that was deleted tells nobody what was said.

It may name a message too many, never one too few: who reads it looks at the text itself.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import cache, lru_cache
from hashlib import blake2b

from django.conf import settings
from django.db import connection

from chat import terms
from chat.models import Message

TABLE = "chat_search"
NUMBER_BITS = 38  # of an entry's name; the others are the room's
# On PostgreSQL a term is another in each block of so many messages: GIN knows no order, and a word that is in every
# second message would be sorted as a whole. So the blocks are asked one after the other, the newest first.
BLOCK_BITS = 13
_HASH_BITS = 40
_PLACE_BITS = 63 - _HASH_BITS  # of a room and a block, mixed, before the hash there
_AUTHOR, _NAME = "@", "~"  # begin what no text has for a term

# As the database keeps it: hexadecimal for FTS5, a number for GIN, to which room and block are added.
Hash = str | int
Entry = tuple[int, Collection[Hash]]  # a message's number, and the hashes of its terms


def hashes_of(text: str, author_key: str, author_name: str) -> list[Hash]:
    """The hashes of all terms of a message, of whatever room."""
    found = terms.terms_of(text)
    found.update(_author_terms(author_key, author_name))
    return _hashes(found)


def _hashes(found: Iterable[str]) -> list[Hash]:
    return list(map(_number if connection.vendor == "postgresql" else _digits, found))


def hashes_wanted(needles: Iterable[terms.Needle], names: Iterable[terms.Needle], author_key: str) -> list[Hash]:
    """The hashes that every message has which holds ``needles``, from somebody whose name holds ``names``, or who has
    that key ("": whoever)."""
    wanted = {term for needle in needles for term in needle.terms}
    wanted.update(_NAME + term for needle in names for term in needle.terms)
    if author_key:
        wanted.add(_AUTHOR + author_key)
    return _hashes(wanted)


@lru_cache(maxsize=4096)
def _author_terms(key: str, name: str) -> tuple[str, ...]:
    return (_AUTHOR + key, *(_NAME + term for term in terms.terms_of(name)))


def fingerprint() -> str:
    """What an index was made with: entries of another are not found."""
    return blake2b(b"fingerprint", key=_key(), digest_size=8).hexdigest() + f"-{terms.VERSION}"


@cache
def _key() -> bytes:
    return blake2b(settings.SECRET_KEY.encode(), person=b"engawa.search", digest_size=32).digest()


@lru_cache(maxsize=1 << 16)
def _digits(term: str) -> str:
    return blake2b(term.encode(), key=_key(), digest_size=_HASH_BITS // 8).hexdigest()


@lru_cache(maxsize=1 << 16)
def _number(term: str) -> int:
    return int(_digits.__wrapped__(term), 16)


def _place(room_id: int, block: int) -> int:
    """What is added to a term's hash in a block of a room on PostgreSQL. Of different places it is the same by chance
    only, and then some are asked about in vain."""
    return ((_number(f"\n{room_id}") + block) % (1 << _PLACE_BITS)) << _HASH_BITS


def _name(room_id: int, number: int) -> int:
    return room_id << NUMBER_BITS | number


def write(room_id: int, entries: Sequence[Entry]) -> None:
    """Enter messages of a room, in the place of what was entered of them before."""
    write_together([(room_id, entries)])


def enter(room_id: int, messages: Iterable[Message]) -> None:
    """Have these messages of a room found as they are now, as far as readers see them."""
    write(
        room_id,
        [
            (message.number, hashes_of(message.text, message.author_key, message.author_name))
            for message in messages
            if message.number is not None and message.deleted_at is None and message.hidden_at is None
        ],
    )


def write_together(entries_of: Sequence[tuple[int, Sequence[Entry]]]) -> None:
    """The same for several rooms, in one statement."""
    in_postgres = connection.vendor == "postgresql"
    names: list[int] = []
    kept: list[str] = []
    for room_id, entries in entries_of:
        for number, hashes in entries:
            names.append(_name(room_id, number))
            if in_postgres:
                place = _place(room_id, number >> BLOCK_BITS)
                kept.append(f"{{{','.join([str(place | each) for each in hashes])}}}")
            else:
                kept.append(" ".join(hashes))
    if not names:
        return
    with connection.cursor() as cursor:
        if in_postgres:
            # Two parameters, however many entries: quoting each of a thousand would take longer than entering it.
            cursor.execute(
                f"INSERT INTO {TABLE} (id, terms) SELECT id, kept::bigint[]"  # noqa: S608 – names of ours; values go beside
                " FROM unnest(string_to_array(%s, ' ')::bigint[], string_to_array(%s, ' ')) AS given(id, kept)"
                " ON CONFLICT (id) DO UPDATE SET terms = excluded.terms",
                [" ".join(map(str, names)), " ".join(kept)],
            )
        else:
            cursor.executemany(
                f"INSERT OR REPLACE INTO {TABLE} (rowid, terms) VALUES (%s, %s)",  # noqa: S608 – names of ours; values go beside
                list(zip(names, kept, strict=True)),
            )


def remove(room_id: int, numbers: Iterable[int | None]) -> None:
    """Have messages of a room found no more. Those that were not entered stay as they are."""
    names = [_name(room_id, number) for number in numbers if number is not None]
    if not names:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"DELETE FROM {TABLE} WHERE id = ANY(%s)", [names])  # noqa: S608 – names of ours; values go beside
        else:
            cursor.executemany(f"DELETE FROM {TABLE} WHERE rowid = %s", [(name,) for name in names])  # noqa: S608 – names of ours; values go beside


def remove_room(room_id: int) -> None:
    """Have nothing found in a room."""
    column = "id" if connection.vendor == "postgresql" else "rowid"
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {TABLE} WHERE {column} BETWEEN %s AND %s",  # noqa: S608 – names of ours; values go beside
            [_name(room_id, 0), _name(room_id + 1, 0) - 1],
        )


def newest(room_id: int, hashes: Collection[Hash], low: int, high: int, most: int) -> list[int]:
    """The numbers of the newest messages, at most so many, from ``low`` to ``high`` that may have all of ``hashes``,
    of which there is one at least. Newest first."""
    first, last = _name(room_id, low), _name(room_id, high)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            blocks = range(high >> BLOCK_BITS, (low >> BLOCK_BITS) - 1, -1)
            wanted = ", ".join(["place | %s::bigint"] * len(hashes))
            # Each block by itself, by the index of terms: OFFSET 0 keeps the order out of how that is asked.
            cursor.execute(
                "SELECT found.id FROM unnest(%s::bigint[]) AS place, LATERAL ("  # noqa: S608 – names of ours; values go beside
                f"SELECT id FROM (SELECT id FROM {TABLE} WHERE terms @> ARRAY[{wanted}] OFFSET 0) AS having_them"
                " WHERE id BETWEEN %s AND %s ORDER BY id DESC LIMIT %s) AS found LIMIT %s",
                [[_place(room_id, block) for block in blocks], *hashes, first, last, most, most],
            )
        else:
            cursor.execute(
                f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s AND rowid BETWEEN %s AND %s"  # noqa: S608 – names of ours; values go beside
                " ORDER BY rowid DESC LIMIT %s",
                [" AND ".join(f'"{each}"' for each in hashes), first, last, most],
            )
        return sorted((name - _name(room_id, 0) for (name,) in cursor.fetchall()), reverse=True)
