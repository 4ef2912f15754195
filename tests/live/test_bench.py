"""The comparison runs from end to end, small. Nothing is said of how long anything takes."""

import signal
import sys
from pathlib import Path

import psutil
import pytest

from bench.measuring import Bench, Case
from bench.placement import cores
from bench.runner import run
from bench.scenarios import archives, fanout
from bench.services import BENCH_FOLDER, Services
from tests.servers import Process


@pytest.mark.parametrize("transport", ["ws", "sse"])
def test_a_small_crowd_is_told_of_everything_and_counted(transport: str) -> None:
    with Services(cores()) as services:
        bench = Bench(services, quick=True)
        more = {"transport": transport, "in_flight": 3, "followers": 6, "warm": 0.1, "seconds": 0.3}
        (row,) = run(bench, [[Case("fanout-ws", "small", "engawa-daphne", fanout.measure, more=more)]], 1)
    assert row.failures == []
    assert row.runs[0]["deliveries_per_second"] > 0
    assert row.runs[0]["cpu_us_per_delivery"] >= 0
    assert row.runs[0]["messages_per_read"] >= 1


def test_a_short_history_is_looked_at_and_taken_and_that_is_measured() -> None:
    with Services(cores()) as services:
        bench = Bench(services, quick=True)
        page = Case(
            "archive", "small", "engawa-daphne", archives.measure_page, more={"page": "a day", "messages": 20_000}
        )
        file = Case(
            "export", "small", "engawa-daphne", archives.measure_export, more={"form": "csv", "messages": 20_000}
        )
        looked, taken = run(bench, [[page], [file]], 1)
    assert looked.failures == taken.failures == []
    assert looked.runs[0]["queries"] == 4
    assert taken.runs[0]["messages_per_second"] > 0
    assert taken.runs[0]["megabytes"] > 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
def test_a_run_that_is_killed_leaves_no_server_and_the_next_no_files(number: signal.Signals, tmp_path: Path) -> None:
    before = set(BENCH_FOLDER.glob("run-*"))
    command = [sys.executable, "-m", "bench", "--quick", "--systems", "engawa-daphne", "fanout-ws"]
    bench = Process(command, tmp_path / "bench.log")

    def servers() -> list[psutil.Process]:
        return [one for one in psutil.Process(bench.pid).children(recursive=True) if "start" in one.cmdline()]

    bench.wait_until(servers)
    started = servers()
    bench.popen.send_signal(number)
    assert bench.popen.wait(30) == (-number if number == signal.SIGKILL else 128 + number)
    _, alive = psutil.wait_procs(started, timeout=30)
    assert alive == []
    with Services(cores()):  # what the next run begins with
        pass
    assert set(BENCH_FOLDER.glob("run-*")) <= before
