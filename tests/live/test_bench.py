"""The comparison runs from end to end, small. Nothing is said of how long anything takes."""

import pytest

from bench.measuring import Bench, Case
from bench.placement import cores
from bench.runner import run
from bench.scenarios import fanout
from bench.services import Services


@pytest.mark.parametrize("transport", ["ws", "sse"])
def test_a_small_crowd_is_told_of_everything_and_counted(transport: str) -> None:
    with Services(cores()) as services:
        bench = Bench(services, quick=True)
        more = {"transport": transport, "in_flight": 3, "followers": 6, "warm": 0.1, "seconds": 0.3}
        (row,) = run(bench, [[Case("fanout-ws", "small", "engawa-daphne", fanout.measure, more=more)]], 1)
    assert row.failures == []
    assert row.runs[0]["deliveries_per_second"] > 0
    assert row.runs[0]["cpu_us_per_delivery"] >= 0
