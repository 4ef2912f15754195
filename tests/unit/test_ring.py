from chat import events
from chat.events import LoggedEvent
from chat.ring import Ring


def message(seq: int, mid: str = "", text: str = "x") -> LoggedEvent:
    json = events.encode({"id": seq, "type": "message", "room": "r", "mid": mid, "at": "now", "message": text})
    return LoggedEvent(seq, events.MESSAGE, mid, json)


def numbers(found: list[LoggedEvent] | None) -> list[int] | None:
    return None if found is None else [event.seq for event in found]


def test_answers_from_where_it_reaches() -> None:
    ring = Ring(max_events=3, max_chars=10_000)
    assert ring.after(0, 10) is None
    for seq in range(5, 10):
        ring.append(message(seq))
    assert numbers(ring.after(6, 10)) == [7, 8, 9]
    assert numbers(ring.after(7, 1)) == [8]
    assert numbers(ring.after(9, 10)) == []
    assert ring.after(5, 10) is None


def test_is_bounded_in_characters_and_keeps_the_newest() -> None:
    ring = Ring(max_events=100, max_chars=500)
    for seq in range(1, 20):
        ring.append(message(seq, text="y" * 100))
    assert len(ring) < 5
    ring.append(message(20, text="z" * 5000))
    assert numbers(ring.after(19, 10)) == [20]


def test_redacting_takes_the_text_and_keeps_the_number() -> None:
    ring = Ring(10, 10_000)
    ring.append(message(1, "A", "secret"))
    ring.append(message(2, "B", "other"))
    ring.redact("A")
    first, second = ring.after(0, 10)
    assert (first.seq, first.type) == (1, events.REDACTED)
    assert "secret" not in first.json
    assert "other" in second.json
