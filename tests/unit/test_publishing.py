"""What a GRIP proxy is sent, and what becomes of what cannot be sent."""

import threading
from base64 import b64encode
from collections.abc import Iterator
from time import time

import jwt
import pytest
from django.db import DatabaseError

from chat.events import LoggedEvent
from chat.identity import Grant
from feeds import grip, links, publishing
from feeds.links import Held
from feeds.publishing import Publisher

URL = "http://127.0.0.1:1?iss=engawa&key=base64:YWJj"


class Proxy:
    """What was sent, in place of a connection. While it is away nothing can be."""

    def __init__(self) -> None:
        self.sent: list[dict] = []
        self.is_away = False
        self.holds = threading.Event()
        self.holds.set()

    def take(self, publisher: Publisher, items: list[dict]) -> None:
        assert self.holds.wait(10)
        if self.is_away:
            raise ConnectionRefusedError
        self.sent += items

    @property
    def told(self) -> list[str]:
        return [item.get("id") or item["channel"] for item in self.sent]


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    proxy = Proxy()
    monkeypatch.setattr(Publisher, "_send", lambda self, items: proxy.take(self, items))
    monkeypatch.setattr(publishing, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(publishing, "_concerns_anybody", lambda room_id: True)
    return proxy


def event(seq: int, type: str = "message") -> LoggedEvent:
    return LoggedEvent(seq, type, f"m{seq}", f'{{"id":{seq}}}')


def test_events_go_in_order_and_questions_before_the_change(proxy: Proxy) -> None:
    publisher = Publisher(URL)
    publisher.hear(7, "lobby", [event(1), event(2), event(3, "room.changed"), event(4)])
    publisher.hear_of("user", 9)
    publisher.hear_of("queue", 7)
    assert publisher.flush(10)
    assert proxy.told == ["1", "2", "people-7", "anybody-7", "3", "4", "user-9"]
    assert proxy.sent[0]["prev-id"] == "0"
    assert proxy.sent[0]["formats"]["http-stream"]["content"] == 'event: message\nid: lobby:1\ndata: {"id":1}\n\n'


def test_what_could_not_be_sent_is_asked_for_and_not_kept(proxy: Proxy) -> None:
    publisher = Publisher(URL)
    proxy.is_away = True
    publisher.hear(7, "lobby", [event(1)])
    publisher.flush(0.2)
    proxy.is_away = False
    while not proxy.sent:
        publisher.flush(0.05)
    publisher.hear(7, "lobby", [event(2)])
    while "2" not in proxy.told:
        publisher.flush(0.05)
    assert proxy.told == ["everybody", "2"]


def test_each_of_several_proxies_is_told_and_none_waits_for_another(
    settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.GRIP_URL = f"{URL}, http://127.0.0.1:2?iss=engawa&key=base64:eHl6"
    heard: dict[int, list[str]] = {1: [], 2: []}
    stands_still = threading.Event()

    def send(publisher: Publisher, items: list[dict]) -> None:
        if publisher._control.port == 1:
            stands_still.wait(10)
        heard[publisher._control.port] += [item["id"] for item in items]

    monkeypatch.setattr(Publisher, "_send", send)
    sinks: list[Publisher] = []
    monkeypatch.setattr(publishing.broadcast, "add_sink", lambda sink: sinks.append(sink.__self__))
    monkeypatch.setattr(publishing.site, "add_sink", lambda sink: None)
    publishing.connect()
    for publisher in sinks:
        publisher.hear(7, "lobby", [event(1), event(2)])
    assert sinks[1].flush(10)
    assert heard == {1: [], 2: ["1", "2"]}
    stands_still.set()
    assert sinks[0].flush(10)
    assert heard == {1: ["1", "2"], 2: ["1", "2"]}


def test_a_request_may_be_signed_by_any_of_them(settings: object) -> None:
    ours, theirs, others = (letter * 32 for letter in (b"a", b"b", b"c"))
    settings.GRIP_URL = ",".join(f"http://a:1?iss=x&key=base64:{b64encode(key).decode()}" for key in (ours, theirs))
    claim = {"iss": "pushpin", "exp": int(time()) + 60}
    answers = [grip.is_signed(jwt.encode(claim, key, algorithm="HS256")) for key in (ours, theirs, others)]
    assert answers == [True, True, False]


def test_what_waits_is_bounded(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "MAX_WAITING_EVENTS", 10)
    publisher = Publisher(URL)
    proxy.holds.clear()
    for seq in range(1, 100):
        publisher.hear(7, "lobby", [event(seq)])
        assert len(publisher._waiting) <= 10
    proxy.holds.set()
    while "everybody" not in proxy.told:
        publisher.flush(0.05)
    assert len(proxy.told) < 25


def test_a_database_that_is_away_does_not_end_it(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(room_id: int) -> bool:
        raise DatabaseError

    monkeypatch.setattr(publishing, "_concerns_anybody", away)
    publisher = Publisher(URL)
    publisher.hear_of("room", 7)
    while not proxy.sent:
        publisher.flush(0.05)
    assert proxy.told == ["everybody"]


def test_a_link_says_whom_it_is_about_to_us_alone() -> None:
    for held in (
        Held(language="ja", crowd="a", ban=3),
        Held(grant=Grant(1, 2, 3.5), after=7),
        Held(session_key="s" * 32, network="n", rights="{}"),
    ):
        link = links.sealed("lobby", held)
        assert links.opened("lobby", link) == held
        assert links.sealed("lobby", held) == link, "viewers who are alike are one request"
        assert "/" not in link
        assert "ssss" not in link
        for room, other in [("garden", link), ("lobby", link[:-2] + "AA"), ("lobby", ""), ("lobby", "ü")]:
            assert links.opened(room, other) is None
