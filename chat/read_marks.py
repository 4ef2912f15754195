"""How far somebody with an account has read each room, and how much they have not. A mark never goes back."""

from collections.abc import Collection, Mapping
from itertools import islice

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import errors, policies
from chat.identity import Identity
from chat.mids import is_mid
from chat.models import Message, ReadMark, Room, User

MOST_UNREAD = 100  # counted in a room: more are as many as these
AT_ONCE = 200  # marks in a statement
MOST_UNKNOWN = 20  # of them that name no message, for each of which the one before is looked for

Place = tuple[int, int]  # an account's and a room's primary keys


def see(actor: Identity, room_id: int, mid: object) -> None:
    """``actor`` has read up to the message ``mid``. Raises ``RoomNotFound``, ``Banned``, ``NotAllowed`` to those who
    have no account, and ``MessageNotFound`` for what is no mid."""
    room = Room.objects.there().filter(pk=room_id).first()
    policies.require_readable(room, actor)
    write({require_mark(actor, room_id): require_mid(mid)})


def require_mark(actor: Identity, room_id: int) -> Place:
    """Where ``actor``'s mark in a room stands. Raises ``NotAllowed``: others are not remembered."""
    policies.require(actor.user_id is not None, _("How far one has read is kept for accounts only."))
    return actor.user_id, room_id


def require_mid(mid: object) -> str:
    """Raises ``MessageNotFound``."""
    if not is_mid(mid):
        raise errors.MessageNotFound()
    return mid


def write(seen: Mapping[Place, str]) -> None:
    """Move marks forward, each to the message of that mid, or else to the last before it that stands: a mid may be made
    up, or gone by now. One that is further already stays."""
    rest = iter(seen.items())
    while some := dict(islice(rest, AT_ONCE)):
        _write(some)


def _write(seen: dict[Place, str]) -> None:
    named = Message.objects.filter(mid__in=set(seen.values())).values_list("room_id", "mid", "number")
    known = {(room_id, mid): number or 0 for room_id, mid, number in named}
    there = set(User.objects.filter(pk__in={place[0] for place in seen}).values_list("pk", flat=True))
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    unknown = 0
    rows: list[object] = []
    for (user_id, room_id), mid in seen.items():
        if user_id not in there:
            continue
        number = known.get((room_id, mid))
        if number is None:
            unknown += 1
            before = Message.objects.visible().filter(room=room_id, mid__lt=mid).order_by("-mid")
            found = before.values_list("mid", "number").first() if unknown <= MOST_UNKNOWN else None
            if found is None:
                continue
            mid, number = found[0], found[1] or 0
        rows += (user_id, room_id, mid, number, now)
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_forward(len(rows) // 5), rows)


def _forward(count: int) -> str:
    table, values = ReadMark._meta.db_table, ", ".join(["(%s, %s, %s, %s, %s)"] * count)
    return f"""INSERT INTO "{table}" ("user_id", "room_id", "mid", "number", "at") VALUES {values}
        ON CONFLICT ("user_id", "room_id") DO UPDATE
        SET "mid" = excluded."mid", "number" = excluded."number", "at" = excluded."at"
        WHERE "{table}"."mid" < excluded."mid" """  # noqa: S608 – names of ours; values go beside


def unread_in(user_id: int, rooms: Collection[tuple[Room, bool]]) -> dict[int, int]:
    """How many messages stand after an account's mark in each of ``rooms`` and are not its own, MOST_UNREAD at most, by
    the room's primary key. With each room comes whether they see what was said while it was private. Two queries."""
    if not rooms:
        return {}
    found = ReadMark.objects.filter(user=user_id, room__in=[room.pk for room, _ in rooms])
    marks = dict(found.values_list("room_id", "mid"))
    asked: list[object] = []
    for room, sees_sealed in rooms:
        asked += (room.pk, max(marks.get(room.pk, ""), "" if sees_sealed else room.sealed_mid))
    with connection.cursor() as cursor:
        cursor.execute(_counting(len(rooms)), [*asked, user_id, MOST_UNREAD])
        return dict(cursor.fetchall())


def _counting(count: int) -> str:
    """Each room's by itself, in the words of the index of what stands, and no further than it has to."""
    values = ", ".join(["(CAST(%s AS bigint), CAST(%s AS varchar(26)))"] * count)
    return f"""WITH "mark" ("room_id", "mid") AS (VALUES {values})
        SELECT "mark"."room_id", (SELECT COUNT(*) FROM (
            SELECT 1 FROM "{Message._meta.db_table}" "said"
            WHERE "said"."room_id" = "mark"."room_id" AND "said"."mid" > "mark"."mid"
            AND "said"."deleted_at" IS NULL AND "said"."hidden_at" IS NULL
            AND ("said"."author_id" IS NULL OR "said"."author_id" <> %s) LIMIT %s) "some")
        FROM "mark" """  # noqa: S608 – names of ours; values go beside


def all_read(actor: Identity, rooms: Collection[Room]) -> None:
    """``actor`` has read all there is in ``rooms``."""
    write({(actor.user_id, room.pk): room.last_mid for room in rooms if room.last_mid})
