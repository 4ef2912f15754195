"""A moderator acts: how long until the last screen shows it, and until somebody who was banned is out."""

import json
import re
from collections.abc import Callable, Sequence
from time import monotonic, monotonic_ns

from bench import wire
from bench.counting import Marker
from bench.errors import Failed
from bench.load import Busy, Load
from bench.measuring import PATIENCE_SECONDS, Bench, Case, Figures, follow, sampled
from bench.publishers import Publisher
from bench.statistics import latencies
from bench.systems import SSE, WS, Running
from tests.servers import manage

ROOM = "room0"
FOLLOWERS = {WS: 500, SSE: 500}
WORKERS = 2
PER_SECOND = 10.0  # messages that are posted meanwhile
PAUSE_SECONDS = 0.13  # between two clicks: not in step with what is posted
RECENT = 200
MOST_SOCKETS = 20  # of somebody who wants to have one to each process
DELETED = Marker(b'"type":"message.deleted"', b"}")

_MAKE_ACCOUNTS = """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from chat.models import Membership, Room, User
from chat.sessions import SessionStore
for number in range({count}):
    user = User.objects.create_user(f"person{{number}}")
    if not number:
        Membership.objects.create(room=Room.objects.get(slug="{room}"), user=user, role="moderator")
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session.save()
    print(session.session_key)
"""


class Person:
    """An account's socket, which notes the names of what was posted by it, and when the server closed it."""

    CLOSED = b"\x88\x02" + (4503).to_bytes(2, "big")  # not to come back
    _POSTED = re.compile(rb'"type":"posted","key":"[^"]*","mid":"([0-9A-Z]{26})"')
    _LONGEST = 150  # beyond what any of what is looked for has

    def __init__(self, fd: int, load: Load, *, may_be_banned: bool = False) -> None:
        self.fd = fd
        self.load = load
        self.mids: list[str] = []
        self.closed_at: int | None = None  # nanoseconds
        self._may_be_banned = may_be_banned
        self._tail = b""

    def receive(self, buffer: bytearray) -> int | None:
        length = self.load.sockets[self.fd].recv_into(buffer)
        said = self._tail + buffer[:length]
        if not self._may_be_banned and b'"type":"error"' in said:
            raise Failed(f"What somebody asked for was refused: {bytes(said[-300:])!r}.")
        read = 0
        for found in self._POSTED.finditer(said):
            self.mids.append(found[1].decode())
            read = found.end()
        if self._may_be_banned and said.endswith(self.CLOSED):
            self.closed_at = monotonic_ns()
            self.load.close([self.fd])
            return None
        self._tail = bytes(said[max(read, len(said) - self._LONGEST) :])
        return length

    def send(self, **frame: object) -> None:
        self.load.send(self.fd, wire.client_frame(json.dumps(frame)))

    def post(self, count: int) -> None:
        """Have so many messages posted, which are not counted."""
        goal = len(self.mids) + count
        for number in range(count):
            self.send(type="post", message=wire.text(number, 0, wire.OTHER))
        self.load.until(lambda: len(self.mids) >= goal, PATIENCE_SECONDS, "What is to be deleted was posted")


class Stage:
    """A room on two processes: a thousand who follow, a moderator, those whom the moderator acts against, and somebody
    who posts besides."""

    def __init__(self, bench: Bench, running: Running, load: Load, people: int) -> None:
        made = manage(
            running.environment, "shell", "-v0", "-c", _MAKE_ACCOUNTS.format(count=people + 1, room=ROOM)
        ).split()
        self.load = load
        self._running = running
        self.following = {name: follow(load, running, name, count, [ROOM]) for name, count in FOLLOWERS.items()}
        self.everybody = [fd for theirs in self.following.values() for fd in theirs]
        for name, theirs in self.following.items():
            if len(self._processes(theirs)) < WORKERS:
                raise Failed(f"Not every process has followers over {name}.")
        self.moderator = self.join(made[0])
        self.session_keys = made[1:]
        self._other = Publisher(load, running, ROOM, begin=wire.OTHER)
        self._due = monotonic()

    def join(self, session_key: str, **more: bool) -> Person:
        joined: list[Person] = []

        def receiver(fd: int) -> Callable[[bytearray], int | None]:
            joined.append(Person(fd, self.load, **more))
            return joined[0].receive

        system, port = self._running.system, self._running.port
        request = system.account_request(ROOM, port, session_key)
        self.load.open(1, lambda _: request, port, system.ready(WS), receiver=receiver)
        return joined[0]

    def join_everywhere(self, session_key: str) -> list[Person]:
        """Sockets of somebody who may be banned, at least one to each process."""
        joined: list[Person] = []
        while len(self._processes([person.fd for person in joined])) < WORKERS:
            if len(joined) == MOST_SOCKETS:
                raise Failed(f"All of {MOST_SOCKETS} sockets came to one process.")
            joined.append(self.join(session_key, may_be_banned=True))
        return joined

    def _processes(self, fds: Sequence[int]) -> set[int]:
        """Which processes have these connections."""
        ends = {self.load.sockets[fd].getsockname() for fd in fds}
        return {
            process.pid
            for process in self._running.process.children()
            if any(one.raddr and tuple(one.raddr) in ends for one in process.net_connections("tcp4"))
        }

    def pause(self) -> None:
        end = monotonic() + PAUSE_SECONDS
        self.until(lambda: monotonic() >= end, "A pause ended")

    def until(self, condition: Callable[[], object], what: str) -> int:
        """Post at a pace until something is so. Returns the moment, in nanoseconds."""
        began = monotonic()
        while not condition():
            now = monotonic()
            if now - began > PATIENCE_SECONDS:
                raise Failed(f"{what}: not within {PATIENCE_SECONDS} s.")
            if now >= self._due:
                self._other.post()
                self._due = max(self._due + 1 / PER_SECOND, now - 1 / PER_SECOND)
            self.load.turn(min(max(self._due - now, 0), 0.01))
        return monotonic_ns()

    def click(self, gone: list[str], **frame: object) -> int:
        """How many nanoseconds after the moderator has asked for it all followers have been told that the messages
        ``gone`` are, of which none was before."""
        counts = self.load.counts
        goal = sum(counts[fd] for fd in self.everybody) + len(gone) * len(self.everybody)
        began = monotonic_ns()
        self.moderator.send(**frame)
        told = self.until(
            lambda: sum(counts[fd] for fd in self.everybody) >= goal, "Not everybody was told of what was deleted"
        )
        return told - began

    def verify(self, gone: list[str]) -> None:
        """That each follower was told once of each that is gone, and of all that was said, in order. Raises
        ``Failed``."""
        self.load.rest(0.5)
        wrong = [fd for fd in self.everybody if self.load.counts[fd] != len(gone)]
        if wrong:
            told = self.load.counts[wrong[0]]
            raise Failed(f"{len(wrong)} connections were told of {told} deletions instead of {len(gone)}.")
        for name, theirs in self.following.items():
            for payloads in sampled(self.load, name, theirs):
                check(wire.events(payloads), gone)


def check(told: list[dict], gone: list[str]) -> None:
    """That one who was told of these events missed none, and heard once of each message that is gone. Raises
    ``Failed``."""
    numbers = [event["id"] for event in told]
    if numbers != list(range(numbers[0], numbers[0] + len(numbers)) if numbers else ()):
        raise Failed("A follower missed an event, or was told of it twice or in another order.")
    if sorted(event["mid"] for event in told if event["type"] == "message.deleted") != sorted(gone):
        raise Failed("A follower was told of other deletions than there were.")


def _delete(stage: Stage, clicks: int) -> tuple[list[int], list[str]]:
    """One message at a time."""
    author = stage.join(stage.session_keys[0])
    author.post(clicks)
    took = []
    for mid in author.mids:
        stage.pause()
        took.append(stage.click([mid], type="delete", mid=mid))
    return took, author.mids


def _delete_recent(stage: Stage, clicks: int) -> tuple[list[int], list[str]]:
    """All that one after the other has said."""
    authors = [stage.join(session_key) for session_key in stage.session_keys[:clicks]]
    for author in authors:
        author.post(RECENT)
    took = []
    for author in authors:
        stage.pause()
        took.append(stage.click(author.mids, type="delete_recent", mid=author.mids[-1]))
    return took, [mid for author in authors for mid in author.mids]


def _ban(stage: Stage, clicks: int) -> tuple[list[int], list[str]]:
    """One after the other is put out."""
    took = []
    for session_key in stage.session_keys[:clicks]:
        theirs = stage.join_everywhere(session_key)
        theirs[0].post(1)
        stage.pause()
        began = monotonic_ns()
        stage.moderator.send(type="ban", mid=theirs[0].mids[0])
        stage.until(lambda: all(one.closed_at for one in theirs), "Not all sockets were closed")  # noqa: B023
        took.append(max(one.closed_at for one in theirs) - began)
    return took, []


# By the action: what it does, and how often in a quick run and otherwise.
_ACTIONS = {
    "delete a message": (_delete, 15, 60),
    f"delete {RECENT} messages of one author": (_delete_recent, 3, 15),
    "ban somebody": (_ban, 5, 30),
}


def measure(bench: Bench, case: Case) -> Figures:
    act, quick, full = _ACTIONS[case.more["action"]]
    clicks = bench.of(quick, full)
    with bench.running(case) as running, bench.load(running, WS, marker=DELETED) as load:
        stage = Stage(bench, running, load, clicks)
        stage.pause()
        cpu, busy, began = running.cpu(), Busy(), monotonic()
        took, gone = act(stage, clicks)
        seconds = monotonic() - began
        figures = {
            "server_cpu_share": (running.cpu() - cpu) / seconds,
            "load_cpu_share": busy.share(),
            "clicks": len(took),
        }
        stage.verify(gone)
        return {**latencies(took), **figures}


def moderation(quick: bool, systems: list[str]) -> list[list[Case]]:
    return [
        [
            Case(
                "moderation",
                f"{action}, {title}",
                key,
                measure,
                options={"redis": True, "workers": WORKERS, "database": database},
                more={"action": action},
            )
            for key in systems
            if key == "engawa-daphne"
        ]
        for database, title in (("sqlite", "SQLite"), ("postgres", "PostgreSQL"))[: 1 if quick else 2]
        for action in _ACTIONS
    ]
