"""Rooms in every state and people of every kind, made with the real actions. Runs in Django, beside a server.

What was said was said on fixed days, so that pages and pictures of them are the same each time; what must be in force
now, a mute for example, begins now.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest import mock

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from chat import actions, governing, invitations, moderation, posting, programs, review, viewing
from chat.identity import guest_token, new_guest
from chat.models import HeldMessage, Invitation, Message, Report, Room, User
from tests.browser.stage import NOON

PASSWORD = "a long password"
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2
SAID: list[tuple[str, int, str]] = [
    # Who, how many minutes later, what.
    ("olga", 0, "Good morning! The veranda is open, there is tea."),
    ("mio", 1, "おはようございます。今日は縁側が気持ちいいですね。庭のつつじが咲きました。"),
    ("mio", 0, "あとで写真を送ります 🌸"),
    ("gil", 4, "你们好！今天的茶是乌龙还是龙井？"),
    ("gil", 0, "繁體字也看得清楚嗎？「引號」，以及——破折號。"),
    ("sven", 11, f"Has anybody seen my *{LONG_WORD}*?"),
    ("rana", 3, "صباح الخير جميعًا، هل ما زال هناك شاي؟ (version 2.0)"),
    ("rana", 0, "שלום לכולם"),
    ("olga", 2, "> Is there still tea?\n\nThere is. **Plenty** of it, and `oolong`, too."),
    ("sven", 24, "This is how I call it:\n\n```\nconst tea = new EventSource('/feeds/veranda/stream');\n"
                 "tea.addEventListener('message', (event) => console.log(JSON.parse(event.data).message));\n```"),
    ("gil", 1, "I read about it here: https://example.org/tea/oolong?leaf=whole&water=90 and it was worth it."),
    ("kestrel", 30, "Build 1204 is green. https://ci.example.org/builds/1204"),
    ("mio", 2, "@olga ありがとう！"),
    ("olga", 0, "👍🏽🎉"),
    ("sven", 9, "One line\nand another\n\nand a third, after a pause. " + "It goes on for a while, as people do. " * 6),
]  # fmt: skip


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Have it be ``moment``."""
    with mock.patch("django.utils.timezone.now", return_value=moment), mock.patch("chat.mids.time", moment.timestamp):
        yield


def session(user: User) -> str:
    store = SessionStore()
    store[SESSION_KEY], store[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store.create()
    return store.session_key


class Stage:
    """All of it. What the pages are found by is in ``facts``."""

    def __init__(self) -> None:
        with at(NOON - timedelta(days=40)):
            names = ("olga", "momo", "mio", "sven", "rana", "mutsu", "bert", "nori")
            self.users = {
                name: User.objects.create_user(name, f"{name}@example.org", date_joined=timezone.now())
                for name in names
            }
            for name in ("olga", "mio"):  # the others have accounts elsewhere
                self.users[name].set_password(PASSWORD)
                self.users[name].save()
            User.objects.create_superuser("root", "root@example.org")
        self.people = {name: user.identity for name, user in self.users.items()}
        self.people["gil"] = new_guest("Gil 田中")
        self.olga = self.people["olga"]
        self.facts: dict[str, str] = {}

    def build(self) -> dict[str, dict[str, str]]:
        self.make_full_room()
        self.make_small_room()
        self.make_other_rooms()
        self.make_queue()
        self.make_private_room()
        self.make_broken_room()
        sessions = {user.username: session(user) for user in User.objects.all()}
        return {"facts": self.facts, "sessions": sessions, "guests": {"gil": guest_token(self.people["gil"])}}

    def room(self, name: str, visibility: str = "public", **rules: object) -> Room:
        """A room of Olga's, with Momo as its moderator and Mio as a member."""
        with at(NOON - timedelta(days=30)):
            room, _ = actions.create_room(self.olga, name, visibility)
            governing.set_role(self.olga, room.pk, "momo", "moderator")
            governing.set_role(self.olga, room.pk, "mio", "member")
            if rules:
                governing.change_room(self.olga, room.pk, rules)
        return Room.objects.get(pk=room.pk)

    def say(self, room: Room, name: str, text: str, moment: datetime, **more: object) -> str:
        with at(moment):
            return posting.post(self.people[name], room.pk, text, **more).mid

    def make_full_room(self) -> None:
        """Something of everything: two pages of small talk in spring, and a lively morning."""
        room = self.room("Veranda", topic="Tea, the garden, and whoever comes by. 縁側へようこそ。")
        with at(NOON - timedelta(days=29)):
            _, secret = programs.create_token(self.olga, room.pk, "Kestrel", ["read", "post"])
            self.people["kestrel"] = programs.bot_of(secret)
            programs.create_webhook(self.olga, room.pk, "https://hooks.example.org/engawa/veranda")
            invitations.invite(self.olga, room.pk)
        viewing.create_view_token(self.olga, room.pk, "The screen in the hall", timezone.now() + timedelta(days=300))
        moment = NOON - timedelta(days=1, hours=9)
        for number in range(70):
            moment += timedelta(minutes=3 if number % 4 else 13)
            name = ("olga", "mio", "sven", "gil")[number // 3 % 4]
            self.say(room, name, f"Small talk, {number + 1} of 70.", moment)
        moment = NOON - timedelta(hours=3)
        mids: list[str] = []
        for name, minutes, text in SAID:
            moment += timedelta(minutes=minutes, seconds=7)
            mids.append(self.say(room, name, text, moment))
        oolong, question = mids[8], mids[3]
        moment += timedelta(minutes=1)
        with at(moment):
            actions.edit(self.people["gil"], room.pk, question, "你们好！今天的茶是乌龙还是龙井茶？")
            for name, reaction in [("olga", "👍"), ("mio", "👍"), ("sven", "🙏"), ("rana", "😂")]:
                actions.react(self.people[name], room.pk, oolong, reaction)
            gone = posting.post(self.people["sven"], room.pk, "To be deleted").mid
            moderation.pin(self.olga, room.pk, oolong)
        self.say(room, "gil", "To this I answer", moment, reply_to=gone)
        with at(moment):
            actions.delete(self.people["sven"], room.pk, gone)
        self.say(room, "mio", "わたしも一杯お願いします", moment + timedelta(minutes=2), reply_to=oolong)
        last = self.say(room, "olga", "It is on the veranda. Come and sit.", moment + timedelta(minutes=3))
        today = NOON.date()
        self.facts |= {
            "mid": oolong,
            "last": last,
            "early": Message.objects.filter(room=room).earliest("mid").mid,
            "year": f"{today:%Y}",
            "month": f"{today:%Y/%m}",
            "day": f"{today:%Y/%m/%d}",
        }

    def make_small_room(self) -> None:
        """A few messages of each kind of author: enough for all that is done with one."""
        room = self.room("Porch", topic="Tea, the garden, and whoever comes by.")
        for name, minutes, text in [SAID[0], SAID[1], SAID[3], SAID[5]]:
            mid = self.say(room, name, text, NOON - timedelta(minutes=90 - minutes))
        self.say(room, "mio", "わたしも一杯お願いします", NOON - timedelta(minutes=40), reply_to=mid)
        self.say(room, "olga", "It is on the porch.", NOON - timedelta(minutes=30))

    def make_other_rooms(self) -> None:
        self.room("Moss garden", topic="Quiet, please.")  # an empty one
        slow = self.room("Evening walk", slow_seconds=3600)
        muted = self.room("Market")
        banned = self.room("Tea ceremony")
        archived = self.room("Cherry blossoms", topic="桜の写真はこちらへ")
        signed_in = self.room("Neighbours", posting="signed-in")
        self.room("Guest book", approval="guests")
        self.room("Night train")  # from which the network goes
        for room in (slow, muted, banned, archived, signed_in):
            self.say(room, "olga", f"Welcome to {room.title}.", NOON - timedelta(hours=2))
        with at(NOON - timedelta(hours=1)):
            governing.archive(self.olga, archived.pk)
        mutsu = posting.post(self.people["mutsu"], muted.pk, "Buy my tea! https://example.org/").mid
        moderation.mute(self.olga, muted.pk, mutsu, 24 * 3600, "advertising")
        bert = posting.post(self.people["bert"], banned.pk, "Nobody likes your tea.").mid
        moderation.ban(self.olga, banned.pk, bert, None, None, "rude, twice")

    def make_queue(self) -> None:
        room = self.room("Town square", blocked_words="cheap", on_words="hold")
        mids = [self.say(room, "sven", text, NOON - timedelta(hours=2)) for text in
                ("Tea for all.", "https://example.org/" + "x" * 120, "Off with it", "A word too many.")]  # fmt: skip
        self.facts["reported"] = mids[1]
        gil = self.say(room, "gil", "I came for the cakes.", NOON - timedelta(hours=2))
        with at(NOON - timedelta(hours=1)):
            for name, text in [("gil", "cheap tea, " + "all you can drink, " * 12), ("sven", "安い cheap お茶")]:
                posting.post(self.people[name], room.pk, text)
            review.report(self.people["mio"], "", room.pk, mids[0], "spam", "He says that every day.")
            review.report(None, "f" * 32, room.pk, mids[0], "other")
            review.report(None, "e" * 32, room.pk, mids[1], "spam")
            moderation.hide(self.olga, room.pk, mids[2], "not here")
        moderation.mute(self.olga, room.pk, mids[3], 24 * 3600, "cool down")
        moderation.ban(self.olga, room.pk, gil, None, None, "z" * 200)
        HeldMessage.objects.update(created_at=NOON)
        Report.objects.update(created_at=NOON)

    def make_private_room(self) -> None:
        room = self.room("Tea house", "private", topic="By invitation.")
        self.say(room, "olga", "Nobody hears us here.", NOON - timedelta(hours=2))
        invitation, token = invitations.invite(self.olga, room.pk, "member", 30)
        _, used = invitations.invite(self.olga, room.pk, "member", 30)
        Invitation.objects.exclude(pk=invitation.pk).filter(room=room).update(expires_at=NOON)
        nori = self.users["nori"]
        self.facts |= {
            "private": room.slug,
            "invitation": token,
            "expired": used,
            "uid": urlsafe_base64_encode(force_bytes(nori.pk)),
            "reset": default_token_generator.make_token(nori),
        }

    def make_broken_room(self) -> None:
        """A room that the database returns damaged, so that every page of it fails."""
        room = actions.make_room(None, "broken", "Broken", "unlisted")
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE chat_room SET created_at = 'no moment', archived_at = 'none' WHERE id = %s", [room.pk]
            )


def build() -> dict[str, dict[str, str]]:
    return Stage().build()
