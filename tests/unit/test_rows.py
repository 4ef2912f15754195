"""Rows written from tuples are what the ORM would have written."""

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection

from chat import rows
from chat.identity import new_guest
from chat.models import Message, NewMessage, Room

KEY = uuid.UUID("0b5c9a52-8a5e-4f4e-9d39-3c5d4a0e9b11")
MOMENTS = [
    datetime(2026, 11, 21, 7, 0, 0, 123456, tzinfo=UTC),
    datetime(2026, 11, 21, 7, 0, tzinfo=UTC),
    datetime(2026, 11, 21, 7, 0, 0, 1, tzinfo=timezone(timedelta(hours=9))),
]
TEXTS = ["", "plain", "日本語 😀 👩\u200d👩 e\u0301", "100 % %s %(x)s ? :name $1", "a\n\tb", "'\"\\; --", "\U0010ffff"]


def new_message(room: Room, mid: str, key: uuid.UUID = KEY, **columns: object) -> NewMessage:
    guest = new_guest()
    given = {"author_id": None, "author_key": guest.key, "author_name": guest.name, "author_kind": guest.kind}
    given |= {"author_role": "none", "text": "", "html": "", "renderer": 1, "reply_to": "", "network": ""}
    given |= {"created_at": MOMENTS[0]}
    return NewMessage(**{"mid": mid, "room_id": room.pk, "key": key, **given, **columns})


def raw(mid: str) -> tuple:
    """The row as it lies in the table, whatever Django makes of it."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(NewMessage._fields)} FROM chat_message WHERE mid = %s", [mid])
        return cursor.fetchone()


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_row_is_the_one_that_the_orm_writes(cast, text: str, moment: datetime) -> None:
    author = cast.users.olga.pk
    written = new_message(cast.room, "0" * 26, text=text, html=text, created_at=moment, author_id=author)
    assert rows.insert(Message, NewMessage._fields, [written]) == 1
    found = Message.objects.get()
    assert {name: getattr(found, name) for name in NewMessage._fields} == written._asdict()
    assert (found.edited_at, found.deleted_at) == (None, None)
    other = written._replace(mid="1" * 26, author_key="other")
    Message.objects.create(**other._asdict())
    assert raw("0" * 26)[4:] == raw("1" * 26)[4:]


def test_what_collides_is_left_out_and_counted(cast) -> None:
    first = new_message(cast.room, "0" * 26)
    rows.insert(Message, NewMessage._fields, [first])
    same_key = first._replace(mid="1" * 26)
    same_mid = new_message(cast.room, "0" * 26, uuid.uuid4())
    new = new_message(cast.room, "2" * 26)
    assert rows.insert(Message, NewMessage._fields, [same_key, same_mid, new]) == 1
    assert list(Message.objects.values_list("mid", flat=True)) == ["0" * 26, "2" * 26]


def test_nothing_is_no_statement(cast, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        assert rows.insert(Message, NewMessage._fields, []) == 0
