"""The comparison's own arithmetic: what it counts, how it sums up, what it writes. No figure is measured here."""

import json
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import cli, report, statistics, wire
from bench.counting import Marker
from bench.errors import Failed
from bench.known import SYSTEMS
from bench.load import Load
from bench.measuring import Case, Window, verify
from bench.runner import Row
from bench.scenarios import SCENARIOS, moderation
from bench.targets import TARGETS, row

# Statistics -------------------------------------------------------------------------------------------------


def test_a_median_is_the_middle_or_between_the_two_in_the_middle() -> None:
    assert statistics.median([9, 1, 5]) == 5
    assert statistics.median([4, 1, 2, 9]) == 3
    with pytest.raises(ValueError, match="no values"):
        statistics.median([])


def test_a_percentile_is_the_nearest_rank() -> None:
    hundred = list(range(1, 101))
    assert [statistics.percentile(hundred, percent) for percent in (0, 1, 50, 99, 100)] == [1, 1, 50, 99, 100]
    assert statistics.percentile([7], 99) == 7
    assert statistics.percentile([1, 2, 3], 50) == 2


def test_latencies_are_in_milliseconds_in_whatever_order_they_came() -> None:
    found = statistics.latencies([3_000_000, 1_000_000, 2_000_000])
    assert found == {"p50_ms": 2, "p90_ms": 3, "p99_ms": 3, "max_ms": 3}


def test_runs_are_joined_figure_by_figure() -> None:
    joined = statistics.joined([{"a": 1, "b": 5}, {"a": 3}, {"a": 2}])
    assert joined["a"].as_dict() == {"median": 2, "min": 1, "max": 3, "runs": 3}
    assert joined["b"].runs == 1


# Counting ---------------------------------------------------------------------------------------------------

MARKER = Marker(b'"message":"~', b"}")


def server_frame(content: bytes) -> bytes:
    return b"\x81\x7e" + len(content).to_bytes(2, "big") + content


def event(number: int, moment: int = 0) -> bytes:
    text = wire.text(number, moment)
    return json.dumps({"id": number, "message": text, "html": f"<p>{text}</p>"}, separators=(",", ":")).encode()


def pieces_of(content: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted({cut % (len(content) + 1) for cut in cuts} | {len(content)})
    return [content[start:end] for start, end in zip([0, *ends], ends, strict=False) if start < end]


awkward = st.sampled_from(
    [b'"message":"', b'"message":"-', b'"mess', b'"', b'""message"', b"~", b"}", b"\x81\x7e\x00\x7e"]
)
cuts = st.lists(st.integers(0, 10_000), max_size=40)


@given(between=st.lists(awkward, max_size=12), places=cuts)
def test_a_marker_is_counted_once_wherever_the_pieces_are_cut(between: list[bytes], places: list[int]) -> None:
    content = b"".join(event(number) + noise for number, noise in enumerate(between))
    found, tail = 0, b""
    for piece in pieces_of(content, places):
        more, tail = MARKER.count(piece, tail)
        found += more
    assert found == content.count(MARKER.bytes) >= len(between)


@given(moments=st.lists(st.integers(0, 10**18), max_size=8), places=cuts)
def test_a_moment_is_read_whole_wherever_the_pieces_are_cut(moments: list[int], places: list[int]) -> None:
    marker = Marker(MARKER.bytes, b"}", len(MARKER.bytes) + wire.MOMENT_END)
    content = b"".join(server_frame(event(number, moment)) for number, moment in enumerate(moments))
    skip, end = len(marker.bytes) + wire.MOMENT_AT, len(marker.bytes) + wire.MOMENT_END
    found, tail = [], b""
    for piece in pieces_of(content, places):
        positions, joined, tail = marker.positions(piece, tail)
        found += [int(joined[at + skip : at + end]) for at in positions]
    assert found == moments


class Sender:
    """The other end of one connection of a load, which is sent one piece at a time."""

    def __init__(self, load: Load) -> None:
        self.load = load
        with socket.create_server(("127.0.0.1", 0)) as listening:
            opened: list[int] = []
            port = listening.getsockname()[1]
            self.fd = load.begin(wire.socket_request("/", port), port, b"\r\n\r\n", opened, is_sample=True)
            load.turn(1)
            self.socket, _ = listening.accept()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.recv(4096)
        self.send(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        assert opened == [self.fd]

    def send(self, piece: bytes) -> None:
        self.socket.sendall(piece)
        before = sum(self.load.reads)
        while sum(self.load.reads) == before:
            self.load.turn(1)


@pytest.fixture(params=[False, True], ids=["counting", "timing"])
def sender(request: pytest.FixtureRequest) -> Any:
    extent = len(MARKER.bytes) + wire.MOMENT_END if request.param else 0
    load = Load(Marker(MARKER.bytes, b"}", extent), timed=request.param)
    made = Sender(load)
    yield made
    made.socket.close()
    load.close_all()


@pytest.mark.parametrize("size", [1, 3, 7, 64, 100_000])
def test_the_load_counts_what_a_connection_is_sent_in_pieces(sender: Sender, size: int) -> None:
    content = b"".join(server_frame(event(number)) for number in range(1, 6))
    for start in range(0, len(content), size):
        sender.send(content[start : start + size])
    assert sender.load.counts[sender.fd] == sender.load.total == 5
    verify(sender.load, "ws", [sender.fd], 5)


def test_what_is_joined_into_one_frame_is_counted_message_by_message(sender: Sender) -> None:
    events = b",".join(event(number) for number in range(1, 26))
    batch = server_frame(b'{"type":"batch","events":[' + events + b"]}")
    sender.send(batch)
    assert sender.load.counts[sender.fd] == sender.load.total == 25
    verify(sender.load, "ws", [sender.fd], 25)
    if sender.load.timed:
        assert len(sender.load.under_way) == 25


def test_a_window_says_how_many_messages_came_with_a_read(sender: Sender) -> None:
    class Idle:
        def cpu(self) -> float:
            return 0.0

    sender.send(server_frame(event(1)))
    window = Window(sender.load, Idle(), [sender.fd])
    window.start()
    sender.send(server_frame(event(2)))
    sender.send(b"".join(server_frame(event(number)) for number in range(3, 7)))
    assert window.figures()["messages_per_read"] == 2.5


@pytest.mark.parametrize("numbers", [[1, 3, 2], [1, 2, 2], [2, 3, 4]])
def test_what_comes_in_another_order_or_twice_is_found_out(sender: Sender, numbers: list[int]) -> None:
    sender.send(b"".join(server_frame(event(number)) for number in numbers))
    with pytest.raises(Failed, match="another order"):
        verify(sender.load, "ws", [sender.fd], 3)


def test_too_many_messages_are_found_out(sender: Sender) -> None:
    sender.send(b"".join(server_frame(event(number)) for number in (1, 2, 3)))
    with pytest.raises(Failed, match="told of 3 messages instead of 2"):
        verify(sender.load, "ws", [sender.fd], 2)


def test_a_connection_that_the_server_ends_is_a_failure(sender: Sender) -> None:
    sender.socket.close()
    with pytest.raises(Failed, match="ended a connection"):
        sender.load.turn(1)


# Bytes ------------------------------------------------------------------------------------------------------


def test_frames_and_batches_are_read_as_messages() -> None:
    batch = b'{"type":"batch","events":[' + event(2) + b"," + event(3) + b"]}"
    content = b"HTTP/1.1 101\r\n\r\n" + server_frame(event(1)) + b"\x89\x00" + server_frame(batch)
    said = wire.posted(wire.frames(content + b"\x81\x7e\x01"))
    assert [wire.number_of(message["message"]) for message in said] == [1, 2, 3]


def test_a_chunked_stream_is_read_as_messages() -> None:
    body = b"event: message\nid: room:1\ndata: " + event(1) + b"\n\n:\nevent: heartbeat\ndata: {}\n\n"
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (body[:40], body[40:]))
    said = wire.posted(wire.blocks(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks))
    assert [wire.number_of(message["message"]) for message in said] == [1]


def test_a_text_has_the_length_that_is_said() -> None:
    assert len(wire.text(1, 10**18)) == wire.TEXT_BYTES
    assert wire.number_of(wire.text(123, 10**18)) == 123


def test_of_all_that_an_engawa_connection_is_told_the_events_of_the_log_are_read() -> None:
    told = [
        b'{"type":"welcome","room":"here","head":3}',
        b'{"type":"posted","mid":"A","id":4}',
        b'{"type":"batch","events":[{"id":4,"type":"message","room":"here"},{"id":5,"type":"x","room":"here"}]}',
        b'{"type":"presence","participants":3}',
        b'{"id":6,"type":"message.deleted","room":"here"}',
    ]
    assert [event["id"] for event in wire.events(iter(told))] == [4, 5, 6]


def test_an_account_says_so_with_its_cookie() -> None:
    lines = SYSTEMS["engawa-daphne"].account_request("here", 80, "abc").split(b"\r\n")
    assert lines[0] == b"GET /ws/chat/here/ HTTP/1.1"
    assert b"Cookie: sessionid=abc" in lines


# Moderation -------------------------------------------------------------------------------------------------


def deletion(number: int, mid: str) -> dict[str, Any]:
    return {"id": number, "room": "here", "type": "message.deleted", "mid": mid}


def test_who_was_told_of_everything_that_is_gone_has_missed_nothing() -> None:
    moderation.check([deletion(7, "B"), {"id": 8, "type": "message", "mid": "C"}, deletion(9, "A")], ["A", "B"])


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ([deletion(7, "A"), deletion(9, "B")], "missed an event"),
        ([deletion(7, "A"), deletion(7, "A"), deletion(8, "B")], "missed an event"),
        ([deletion(8, "A"), deletion(7, "B")], "missed an event"),
        ([deletion(7, "A")], "other deletions"),
        ([deletion(7, "A"), deletion(8, "A"), deletion(9, "B")], "other deletions"),
        ([], "other deletions"),
    ],
)
def test_who_was_not_told_once_of_what_is_gone_is_found_out(told: list[dict[str, Any]], sentence: str) -> None:
    with pytest.raises(Failed, match=sentence):
        moderation.check(told, ["A", "B"])


MIDS = [f"{number:026}" for number in range(3)]
TOLD = b"".join(
    server_frame(b'{"type":"posted","key":"0b9d1c7e-53f4-4c52-9a39-0d6e1f1f7c11","mid":"%b","id":7}' % mid.encode())
    for mid in MIDS
)


@given(places=cuts)
def test_a_person_notes_what_was_posted_and_the_end_wherever_the_pieces_are_cut(places: list[int]) -> None:
    near, far = socket.socketpair()
    with near, far:
        load = Load(moderation.DELETED)
        load.sockets[1] = near
        ended: list[list[int]] = []
        load.close = ended.append
        person = moderation.Person(1, load, may_be_banned=True)
        for piece in pieces_of(TOLD + server_frame(b'{"type":"error","code":"banned"}') + person.CLOSED, places):
            assert person.closed_at is None
            far.sendall(piece)
            person.receive(bytearray(1000))
        assert person.mids == MIDS
        assert person.closed_at is not None
        assert ended == [[1]]
        load.sockets.clear()


def test_a_moderator_who_is_refused_is_a_failure() -> None:
    near, far = socket.socketpair()
    with near, far:
        load = Load(moderation.DELETED)
        load.sockets[1] = near
        far.sendall(server_frame(b'{"type":"error","code":"not_allowed"}'))
        with pytest.raises(Failed, match="not_allowed"):
            moderation.Person(1, load).receive(bytearray(1000))
        load.sockets.clear()


# Results ----------------------------------------------------------------------------------------------------


def test_a_result_holds_each_run_beside_the_least_and_the_most() -> None:
    runs = [{"posts_per_second": 3.0, "load_cpu_share": 0.5}, {"posts_per_second": 1.0, "load_cpu_share": 0.95}]
    found = Row(Case("posts", "here", "engawa-daphne", lambda *_: {}), runs).as_dict()
    assert found["figures"]["posts_per_second"] == {"median": 2.0, "min": 1.0, "max": 3.0, "runs": 2}
    assert found["runs"] == runs
    assert found["limited_by_load"] is True


# Reports ----------------------------------------------------------------------------------------------------


def results(value: float = 1.0) -> dict[str, Any]:
    """A run of everything that gave ``value`` for each figure, as it is read from a file."""
    keys = [key for key in SYSTEMS if key != "null"]
    rows = [
        {
            "scenario": case.scenario,
            "situation": case.situation,
            "system": case.system,
            "figures": {
                column.figure: {"median": value, "min": value / 2, "max": value * 2, "runs": 3}
                for column in scenario.columns
            },
            "runs": [],
            "failures": [],
            "limited_by_load": False,
        }
        for scenario in SCENARIOS.values()
        for group in scenario.cases(False, keys)
        for case in group
    ]
    made = {
        "command": "bin/bench --peers",
        "date": "2026-11-21",
        "seconds": 1800,
        "repetitions": 3,
        "quick": False,
        "commit": "0123456789ab",
        "machine": {"CPU": "one"},
        "versions": dict.fromkeys(keys, "1.0"),
        "rows": rows,
    }
    return json.loads(json.dumps(made))


def test_the_page_has_every_scenario_with_its_plots_and_says_what_made_it() -> None:
    page = report.page(results())
    assert "Generated on 2026-11-21" in page
    assert "by `bin/bench --peers`; do not edit it" in page
    assert "the median of 3 runs" in page
    assert "## How it was measured" in page
    assert "## What cannot be concluded" in page
    for scenario in SCENARIOS.values():
        assert f"## {scenario.title}" in page
        assert f'srcset="benchmarks/{scenario.name}-dark.svg"' in page
    lines = [line for line in page.splitlines() if line.startswith("|")]
    assert lines
    assert "**not reached**" in page


def test_every_target_is_judged_by_rows_that_there_are() -> None:
    judged = report.verdicts(results())
    assert len(judged) == len(TARGETS)


def test_a_target_is_reached_at_its_number_and_not_below() -> None:
    (target,) = [target for target in TARGETS if target.what == "Durable posts, PostgreSQL"]
    assert target.judge(results(1500)["rows"]).target.is_reached
    assert not target.judge(results(1499)["rows"]).target.is_reached
    assert target.judge(results(5000)["rows"]).moonshot.is_reached
    assert not target.judge(results(4999)["rows"]).moonshot.is_reached
    assert target.judge([]) is None


def set_median(rows: list[dict[str, Any]], scenario: str, system: str, situation: str, name: str, value: float) -> None:
    row(rows, scenario, system, situation)["figures"][name]["median"] = value


def test_a_target_may_be_a_multiple_of_another_system_or_of_another_situation() -> None:
    rows = results(100)["rows"]
    fanout = next(target for target in TARGETS if target.scenario == "fanout-ws")
    set_median(rows, "fanout-ws", "engawa-daphne", "20 in", "deliveries_per_second", 210)
    set_median(rows, "fanout-ws", "nchan", "20 in", "deliveries_per_second", 300)
    row(rows, "fanout-ws", "nchan", "20 in")["limited_by_load"] = True
    verdict = fanout.judge(rows)
    assert (verdict.target.goal, verdict.target.found, verdict.target.is_reached) == (
        "≥ 2 × node-ws at its best",
        "2.1 ×",
        True,
    )
    assert verdict.moonshot.found == "0.7 ×, nchan limited by the load"
    assert not verdict.moonshot.is_reached

    set_median(rows, "fanout-ws", "nchan", "100 in", "deliveries_per_second", 600)
    assert fanout.judge(rows).moonshot.found == "0.35 ×"  # it does best with more in flight

    (rooms,) = [target for target in TARGETS if target.what == "Posts in 100 rooms"]
    set_median(rows, "growth", "engawa-daphne", "posts in 100 rooms", "posts_per_second", 79)
    assert not rooms.judge(rows).target.is_reached
    set_median(rows, "growth", "engawa-daphne", "posts in 1 room", "posts_per_second", 79)
    assert rooms.judge(rows).moonshot.is_reached


def test_a_target_without_what_it_is_compared_with_is_said_to_be_open() -> None:
    made = results(100)
    made["rows"] = [one for one in made["rows"] if one["system"] != "node-ws"]
    verdict = next(verdict for verdict in report.verdicts(made) if verdict.target.goal.startswith("≥ 2 × node-ws"))
    assert verdict.target.is_reached is None
    assert "| ≥ 2 × node-ws at its best | nothing to compare with |" in report.page(made)


def test_a_target_whose_run_failed_is_not_reached() -> None:
    made = results(10_000)
    failed = row(made["rows"], "reconnect", "engawa-daphne", "streams")
    failed["failures"], failed["figures"] = ["A connection was lost."], {}
    verdict = next(verdict for verdict in report.verdicts(made) if verdict.what.startswith("Lost streams"))
    assert verdict.target.is_reached is False
    assert verdict.moonshot.is_reached is False
    assert verdict.measured == "failed: A connection was lost."


def test_a_ratio_is_with_the_same_situation_of_the_other() -> None:
    made = results()
    ours, theirs = (
        next(row for row in made["rows"] if row["scenario"] == "fanout-ws" and row["system"] == key)
        for key in ("engawa-daphne", "tutorial")
    )
    ours["figures"]["deliveries_per_second"]["median"] = 30.0
    theirs["figures"]["deliveries_per_second"]["median"] = 2.0
    (line,) = [line for line in report.page(made).splitlines() if "| 30 <sub>" in line]
    assert "× 15" in line


def test_a_failure_and_a_limit_are_said_in_the_table() -> None:
    made = results()
    made["rows"][1]["failures"] = ["It cannot keep up."]
    made["rows"][2]["limited_by_load"] = True
    page = report.page(made)
    assert "failed: It cannot keep up." in page
    assert "(limited by the load)" in page


def test_rows_of_an_earlier_run_fill_what_a_later_one_left_out() -> None:
    earlier, later = results(1), results(2)
    later["rows"] = [row for row in later["rows"] if row["scenario"] == "posts"]
    rows = report.merged(later, earlier)["rows"]
    assert len(rows) == len(earlier["rows"])
    assert {row["figures"]["p99_ms"]["median"] for row in rows if row["scenario"] == "posts"} == {2}


def test_a_summary_says_what_was_reached_and_what_was_not() -> None:
    lines = report.summary(results(3000)).splitlines()
    assert (
        "Durable posts, SQLite: 3,000 a second; target ≥ 2,000 a second reached; moonshot ≥ 8,000 a second NOT REACHED"
        in lines
    )


# The command line -------------------------------------------------------------------------------------------


def test_scenarios_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--list"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in SCENARIOS)


def test_the_command_is_said_without_the_files_of_this_machine() -> None:
    given = cli.read(["--quick", "idle", "--json", "/somewhere/a.json", "--merge", "b.json", "--runs", "2"])
    assert cli.command(given) == "bin/bench --quick --runs 2 idle"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["fanout"], "there is no scenario 'fanout'; there are: ceiling, fanout-ws"),
        (["--systems", "engawa"], "there is no system 'engawa'; there are: engawa-daphne"),
        (["--runs", "0"], "'0' is no number of runs"),
    ],
)
def test_what_there_is_not_is_refused_with_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.read(arguments)
    assert end.value.code == 2
    assert sentence in capsys.readouterr().err
