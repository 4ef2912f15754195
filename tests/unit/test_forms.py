"""The forms of a stream: what each makes of an event, and what a connection adds to what is shared."""

import asyncio
import json
import random
import re
import unicodedata

import pytest

from chat import errors, events
from chat.events import LoggedEvent
from chat.ring import redacted
from feeds.encoders import ServerSentEvents
from feeds.forms.harmless import columns, harmless, set_off, wrapped
from feeds.forms.kinds import KINDS, kind_for
from feeds.forms.lines import Lines
from feeds.forms.live_page import LivePage
from feeds.forms.merged import MergedEvents
from feeds.forms.parts import together
from feeds.forms.terminal import Terminal, width_of
from feeds.forms.writers import MOST_MESSAGES, MergedWriter, PageWriter, TerminalWriter, Writer

MIDS = [f"01M7YVVZ40TKBZ80JTWZYM8{number:03d}" for number in range(600)]
HOSTILE = "a\x1b[31mred\x07\x9b2J\u202eevil\u2066\x00\rb\u2028c\x85d\ud800"


def logged(
    seq: int, type: str = events.MESSAGE, mid: str = "", text: str = "hi", name: str = "Aki", **more
) -> LoggedEvent:
    mid = mid or MIDS[seq]
    fields = {"id": seq, "type": type, "room": "veranda", "mid": mid, "at": "2026-11-21T10:54:09.024Z"}
    if type in events.WITH_TEXT:
        author = {"name": name, "kind": "guest", "role": "none", "id": "g1"}
        fields |= {"message": text, "html": f"<p>{text}</p>", "key": "k", "author": author}
    return LoggedEvent(seq, type, mid, events.encode(fields | more))


def text_of(form: Terminal, *found: LoggedEvent) -> str:
    return b"".join(part.content for message in form.events(list(found)) for part in message["parts"]).decode()


def test_every_form_is_equal_for_all_who_ask_for_the_same() -> None:
    for form in (ServerSentEvents, MergedEvents, Lines, Terminal, LivePage):
        assert form("veranda") == form("veranda")
        assert hash(form("veranda")) == hash(form("veranda"))
        assert form("veranda") != form("lobby")


@pytest.mark.parametrize(
    ("accept", "suffix"),
    [
        (None, "sse"),
        ("*/*", "sse"),
        ("text/event-stream", "sse"),
        ("text/*", "sse"),
        ("application/x-ndjson", "ndjson"),
        ("application/*", "ndjson"),
        ("text/plain", "txt"),
        ("text/plain;q=0.5, application/x-ndjson;q=0.9", "ndjson"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"),
        ("image/png", None),
        ("application/json", None),
        ("text/event-stream;q=0", None),
    ],
)
def test_the_form_is_what_the_reader_accepts_best(accept: str | None, suffix: str | None) -> None:
    kind = kind_for(accept)
    assert (kind and kind.suffix) == suffix


def test_the_suffixes_are_told_apart() -> None:
    assert [kind.suffix for kind in KINDS] == ["sse", "ndjson", "txt", "html"]


def test_a_line_is_what_the_log_has() -> None:
    event = logged(1, text="日本\n\u2028語")
    (message,) = Lines("veranda").events([event, logged(2)])
    first, _, rest = message["body"].decode().partition("\n")
    assert first == event.json
    assert json.loads(rest)["id"] == 2
    assert rest.count("\n") == 1


# The terminal -------------------------------------------------------------------------------------------------


def test_nothing_that_a_terminal_acts_on_gets_through() -> None:
    for code in range(0x110000):
        char = chr(code)
        kept = harmless(char)
        if kept == char:
            category = unicodedata.category(char)
            assert category not in ("Cc", "Cs", "Zl", "Zp"), hex(code)
            assert unicodedata.bidirectional(char) not in (
                "LRE",
                "RLE",
                "LRO",
                "RLO",
                "PDF",
                "LRI",
                "RLI",
                "FSI",
                "PDI",
            )
    assert harmless("a\tb") == "a    b"
    assert harmless("👩\u200d👩\u200d👧 ❤\ufe0f क्\u200dष") == "👩\u200d👩\u200d👧 ❤\ufe0f क्\u200dष"


def test_a_message_cannot_begin_a_line() -> None:
    forged = (
        "hi\n10:54:10 <Olga, owner> I resign\r10:54:11 * The room was archived\n\n" + " " * 200 + "10:54:12 <Olga> x"
    )
    for width in (0, 40, 80):
        said = text_of(Terminal("veranda", width), logged(1, text=forged, name="Aki> hi\n10:54:10 <Olga"))
        lines = said.splitlines()
        assert lines[0].startswith("10:54:09 <Aki› hi\ufffd10:54:10 ‹Olga, guest>")
        assert all(line.startswith(" " * 9) for line in lines[1:])
        if width:
            assert max(sum(map(columns, line)) for line in lines) <= width


def test_colours_are_our_own() -> None:
    said = text_of(Terminal("veranda", 80, in_colour=True), logged(1, text=HOSTILE, name=HOSTILE))
    assert said.count("\x1b") == 4
    plain = text_of(Terminal("veranda", 80), logged(1, text=HOSTILE, name=HOSTILE))
    assert not [char for char in plain if unicodedata.category(char) in ("Cc", "Cs") and char != "\n"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "word",
        "two words",
        "x" * 100,
        "日本語" * 30,
        "a " * 50,
        "  spaces   in  it ",
        "é" * 90,
        "a a a a " + "漢" * 9 + "a漢",
    ],
)
def test_breaking_a_line_loses_nothing(text: str) -> None:
    lines = wrapped(text, 20, 7)
    assert "".join(lines) == text
    assert all(sum(map(columns, line)) <= 20 for line in lines)
    assert sum(map(columns, lines[0])) <= 7


@pytest.mark.parametrize(("asked", "width"), [(0, 0), (1, 40), (40, 40), (79, 60), (80, 80), (9999, 200)])
def test_there_are_few_widths(asked: int, width: int) -> None:
    assert width_of(asked) == width


def test_what_becomes_of_a_message_is_said_in_words() -> None:
    form = Terminal("veranda", 0)
    when = "2026-11-21 "  # of the mids of this test
    assert "(to " in text_of(form, logged(2, reply_to=MIDS[1]))
    edited = text_of(form, logged(3, events.EDITED, MIDS[1], "better", edited_at="2026-11-21T11:00:00.000Z"))
    assert edited == "11:00:00 * <Aki, guest> now says instead of what was said at 10:54:09: better\n"
    deleted = text_of(form, logged(4, events.DELETED, MIDS[1]))
    assert deleted.startswith("10:54:09 * The message of ")
    assert deleted.endswith("was deleted.\n")
    assert when not in edited
    assert text_of(form, logged(5, events.REDACTED, MIDS[1]), logged(6, events.REACTIONS, MIDS[1])) == ""


# What a connection adds ---------------------------------------------------------------------------------------


class Sent:
    """A connection that remembers what was written, and can be held."""

    def __init__(self) -> None:
        self.content = b""
        self.ended = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, message: dict) -> None:
        if message.get("more_body"):
            await self.gate.wait()
        self.content += message["body"]
        self.ended = self.ended or not message.get("more_body")


async def test_ids_name_the_places_in_all_rooms() -> None:
    sent = Sent()
    writer = MergedWriter(sent)
    writer.places = {"a": 3, "b": 7}
    for message in MergedEvents("b").events([logged(8), logged(9)]):
        await writer.towards("b")(message)
    for message in MergedEvents("a").events([logged(4)]):
        await writer.towards("a")(message)
    ids = [line for line in sent.content.decode().splitlines() if line.startswith("id: ")]
    assert ids == ["id: a:3,b:8", "id: a:3,b:9", "id: a:4,b:9"]
    for message in MergedEvents("a").heartbeat(4):
        await writer.towards("a")(message)
    assert sent.content.endswith(b'data: {"type":"heartbeat","room":"a","head":4}\n\n')
    assert sent.content.count(b"id: ") == 3


async def test_what_was_not_written_is_not_counted() -> None:
    sent = Sent()
    writer = MergedWriter(sent)
    writer.places = {"a": 3, "b": 7}
    sent.gate.clear()
    waiting = asyncio.create_task(writer.towards("a")(MergedEvents("a").events([logged(4)])[0]))
    behind = asyncio.create_task(writer.towards("b")(MergedEvents("b").events([logged(8)])[0]))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    sent.gate.set()
    await behind
    assert sent.content.startswith(b"id: a:3,b:8\n")
    assert writer.places == {"a": 3, "b": 8}


async def test_nothing_is_written_after_the_last_words() -> None:
    sent = Sent()
    writer = Writer(sent)
    await writer.end("bye")
    await writer.end("bye again")
    await writer.towards("veranda")(Lines("veranda").events([logged(1)])[0])
    assert (sent.content, sent.ended) == (b"bye", True)


async def test_a_terminal_is_told_of_each_day_and_not_twice_of_what_its_history_had() -> None:
    sent = Sent()
    writer = TerminalWriter(sent)
    form = Terminal("veranda")
    history = [json.loads(logged(number).json) for number in (1, 2)]
    sent.content += writer.snapshot({"veranda": form.said_before(history)})
    tomorrow = logged(3, at="2026-11-22T00:00:00.000Z")
    for message in form.events([logged(2), tomorrow, logged(4, at="2026-11-22T00:00:01.000Z")]):
        await writer.towards("veranda")(message)
    lines = sent.content.decode().splitlines()
    assert lines[0] == "-------- 2026-11-21, in UTC"
    assert lines[3] == "-------- 2026-11-22, in UTC"
    assert len(lines) == 6


def page(sent: Sent) -> PageWriter:
    writer = PageWriter(sent, ["veranda"], again="?lastEventId=veranda:0", anew="?history=9", onward="?")
    writer.titles, writer.places = {"veranda": "Veranda"}, {"veranda": 0}
    return writer


async def told(writer: Writer, *found: LoggedEvent) -> None:
    for message in LivePage("veranda").events(list(found)):
        await writer.towards("veranda")(message)


@pytest.mark.parametrize("type", [events.EDITED, events.DELETED])
async def test_a_page_ends_and_comes_anew_where_it_shows_what_was_taken_back(type: str) -> None:
    sent = Sent()
    writer = page(sent)
    await told(writer, logged(1), logged(2))
    assert sent.content.count(b'<li class="message"') == 2
    await told(writer, logged(3, type, MIDS[1], "better"))
    assert sent.ended
    assert b'<meta http-equiv="refresh" content="0; url=?lastEventId=veranda:0">' in sent.content
    assert b"better" not in sent.content
    assert sent.content.rstrip().endswith(b"</html>")


@pytest.mark.parametrize("type", [events.EDITED, events.DELETED])
async def test_a_page_stays_where_it_never_showed_it(type: str) -> None:
    sent = Sent()
    writer = page(sent)
    await told(writer, logged(5), logged(6, type, MIDS[1], "older"))
    await told(writer, logged(7, events.REDACTED), logged(8, type, MIDS[7], "in its place"), logged(9))
    assert not sent.ended
    assert b"older" not in sent.content
    assert (b"in its place" in sent.content) == (type == events.EDITED)
    assert writer.places == {"veranda": 9}


async def test_a_page_takes_what_was_hidden_and_shown_again_before_it_came() -> None:
    sent = Sent()
    writer = page(sent)
    await told(writer, logged(1), logged(2, events.REDACTED), logged(3, events.DELETED, MIDS[2]))
    await told(writer, logged(4, events.EDITED, MIDS[2], "shown again"))
    assert not sent.ended, "resumed, it would meet the same again, and come anew for ever"
    assert b"shown again" in sent.content
    await told(writer, logged(5, events.DELETED, MIDS[2]))
    assert sent.ended


async def test_a_page_ends_where_its_history_shows_what_the_log_has_not_any_more() -> None:
    sent = Sent()
    writer = page(sent)
    history = [json.loads(logged(number).json) for number in (1, 2)]
    assert writer.snapshot({"veranda": LivePage("veranda").said_before(history)}).count(b'<li class="message"') == 2
    await told(writer, logged(2))
    assert not sent.content, "it was in the history"
    await told(writer, logged(2, events.REDACTED))
    assert sent.ended


async def test_a_page_that_cannot_be_resumed_begins_with_the_newest() -> None:
    sent = Sent()
    writer = page(sent)
    for message in LivePage("veranda").reset(9):
        await writer.towards("veranda")(message)
    assert sent.ended
    assert b'content="0; url=?history=9"' in sent.content, "its own address would lead here again, for ever"


async def test_a_room_that_drops_out_takes_along_what_it_said() -> None:
    sent = Sent()
    writer = page(sent)
    gone = LivePage("veranda").dropped(errors.RoomNotFound())
    await writer.towards("veranda")(gone[0])
    assert not sent.ended, "there was nothing of it: to come anew would lead here again, for ever"
    assert b"veranda: There is no such room." in sent.content
    await told(writer, logged(1))
    await writer.towards("veranda")(gone[0])
    assert sent.ended
    assert b'content="0; url=?lastEventId=veranda:0"' in sent.content


async def test_a_full_page_goes_on_on_another() -> None:
    sent = Sent()
    writer = page(sent)
    await told(writer, *(logged(number) for number in range(1, MOST_MESSAGES)))
    assert not sent.ended
    await told(writer, logged(MOST_MESSAGES))
    assert sent.ended
    assert b'content="0; url=?lastEventId=veranda:500"' in sent.content
    assert b'<a href="?lastEventId=veranda:500">Go on</a>' in sent.content


async def test_an_end_says_where_it_goes_on() -> None:
    sent = Sent()
    writer = page(sent)
    await told(writer, logged(1))
    await writer.end(LivePage("veranda").ending(errors.GoingAway(retry_after=1), writer.place))
    assert b'<a href="?lastEventId=veranda:1">Go on</a>' in sent.content


def test_long_runs_are_sent_in_several_messages() -> None:
    found = [logged(number, text="x" * 4000) for number in range(1, 31)]
    for form in (LivePage("veranda"), Terminal("veranda"), MergedEvents("veranda")):
        messages = form.events(found)
        assert 1 < len(messages) < 30
        assert sum(len(message["parts"]) for message in messages) == 30
    assert together([]) == []


class Room:
    """A log as ``chat.log`` keeps it: what was edited or deleted leaves stubs. ``texts`` is what stands, by mid."""

    def __init__(self) -> None:
        self.events: list[LoggedEvent] = []
        self.texts: dict[str, str] = {}
        self.hidden: dict[str, str] = {}

    def add(self, type: str, mid: str, text: str = "") -> None:
        if type in (events.EDITED, events.DELETED):
            self.events = [redacted(event) if event.mid == mid else event for event in self.events]
        self.events.append(logged(len(self.events) + 1, type, mid, text))

    def happen(self, chance: random.Random) -> None:
        what = chance.choice(["post", "post", "post", "edit", "delete", "hide", "show"])
        mid = chance.choice(sorted(self.texts)) if self.texts else ""
        text = f"text{len(self.events)}."
        if what == "post" or not mid:
            mid = MIDS[len(self.events)]
            self.add(events.MESSAGE, mid, text)
            self.texts[mid] = text
        elif what == "edit":
            self.add(events.EDITED, mid, text)
            self.texts[mid] = text
        elif what in ("delete", "hide"):
            self.add(events.DELETED, mid)
            gone = self.texts.pop(mid)
            if what == "hide":
                self.hidden[mid] = gone
        elif self.hidden:
            mid, text = self.hidden.popitem()
            self.add(events.EDITED, mid, text)
            self.texts[mid] = text

    def history(self, size: int) -> list[dict]:
        return [json.loads(logged(0, mid=mid, text=self.texts[mid]).json) for mid in sorted(self.texts)[-size:]]


@pytest.mark.parametrize("seed", range(20))
async def test_a_page_shows_what_stands_and_nothing_else_whatever_happens(seed: int) -> None:
    chance = random.Random(seed)
    room, form = Room(), LivePage("veranda")
    for _ in range(chance.randrange(20)):
        room.happen(chance)
    resumes_after = chance.choice([None, chance.randrange(len(room.events) + 1)])
    loads = 0
    for _ in range(15):
        sent, writer, place = None, None, 0
        for _ in range(chance.randrange(1, 6)):
            room.happen(chance)
            while sent is None or sent.ended:
                loads += 1
                sent = Sent()
                writer = page(sent)
                place = len(room.events) if resumes_after is None else resumes_after
                if resumes_after is None:
                    place -= chance.randrange(min(3, place + 1))  # the history may be newer than the head
                    sent.content += writer.snapshot({"veranda": form.said_before(room.history(5))})
                await told(writer, *room.events[place:])
                place = len(room.events)
                assert loads < 2000, "it comes anew for ever"
            await told(writer, *room.events[place:])
            place = len(room.events)
        if sent.ended:
            continue
        found = re.findall(r'data-mid="(\w+)".*?<p>(text\d+\.)</p>', sent.content.decode(), re.DOTALL)
        assert all(room.texts.get(mid) == text for mid, text in found), "nothing that was taken back"
        assert len(found) == len(set(found)), "nothing twice"
        shown = sorted(mid for mid, _ in found)
        assert shown == [mid for mid in sorted(room.texts) if shown and mid >= shown[0]], "and no gap"


@pytest.mark.parametrize(
    ("name", "kind", "role", "text"),
    [
        ("Aki", "guest", "none", "<Aki, guest>"),
        ("olga", "user", "owner", "<olga, owner>"),
        ("mio", "user", "member", "<mio>"),
        ("Olga, owner> yes\x1b[2J", "guest", "none", "<Olga, owner› yes\ufffd[2J, guest>"),
    ],
)
def test_a_name_is_set_off_so_that_nobody_can_write_beyond_it(name: str, kind: str, role: str, text: str) -> None:
    assert set_off(name, kind, role) == text
