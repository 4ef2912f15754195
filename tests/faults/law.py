"""The law: what was acknowledged is told to everybody, once, in one order; and nobody is left behind.

``hold`` checks it on a crowd and adds a row to the table that the tests print at their end.
"""

from collections import Counter
from dataclasses import astuple, dataclass, fields

import pytest

from tests.faults.crowd import Crowd
from tests.faults.wire import Said

STUCK_SECONDS = 10


@dataclass
class Row:
    fault: str
    times: int
    acknowledged: int
    lost: int
    doubled: int
    longest_recovery: str
    connections: int

    @classmethod
    def heading(cls) -> tuple[str, ...]:
        return tuple(field.name.replace("_", " ") for field in fields(cls))


table: list[Row] = []


async def hold(crowd: Crowd, fault: str, times: int, recoveries: list[float]) -> Row:
    """Have the crowd finish, and hold everything that anybody was told against the law."""
    recoveries = [*recoveries, await crowd.finish(STUCK_SECONDS)]
    acknowledged = {ack.mid for ack in crowd.acknowledged}
    lost: set[str] = set()
    for follower in crowd.followers:
        lost |= acknowledged - {said.mid for said in follower.seen}
    row = Row(
        fault=fault,
        times=times,
        acknowledged=len(crowd.acknowledged),
        lost=len(lost),
        doubled=_doubled(crowd),
        longest_recovery=f"{max(recoveries):.1f} s",
        connections=sum(client.connections for client in crowd.clients),
    )
    table.append(row)
    assert not crowd.complaints, f"{row}\n" + "\n".join(crowd.complaints) + f"\n{crowd.cluster.output()}"
    assert not crowd.resets, f"nothing was pruned, and yet these were reset: {crowd.resets[:10]}"
    assert (row.lost, row.doubled) == (0, 0), f"{row}\n{crowd}"
    assert len(acknowledged) == len(crowd.acknowledged), "two posts were acknowledged as one message"
    _one_order(crowd)
    assert crowd.cluster.tracebacks() == crowd.tracebacks, f"a server stumbled\n{crowd.cluster.output()}"
    return row


def _doubled(crowd: Crowd) -> int:
    """Messages that anybody was told twice, and keys that made two messages."""
    twice: set[str] = set()
    mids_of: dict[str, set[str]] = {}
    for follower in crowd.followers:
        twice |= {mid for mid, count in Counter(said.mid for said in follower.seen).items() if count > 1}
    for said in crowd.followers[0].seen:
        mids_of.setdefault(said.key, set()).add(said.mid)
    return len(twice) + sum(len(mids) > 1 for mids in mids_of.values())


def _one_order(crowd: Crowd) -> None:
    """Every follower was told the same under every number, and the acknowledgements said so, too."""
    truth: dict[int, Said] = {}
    for follower in crowd.followers:
        for said in follower.seen:
            assert truth.setdefault(said.id, said) == said, f"{follower.name} was told something else as {said.id}"
    assert sorted(truth) == list(range(crowd.start + 1, crowd.start + 1 + len(truth)))
    for ack in crowd.acknowledged:
        said = truth[ack.id]
        assert (said.mid, said.key) == (ack.mid, ack.key)


def tell(terminal: pytest.TerminalReporter) -> None:
    """Write the table of all rows so far, where there are any."""
    if not table:
        return
    rows = [Row.heading(), *(tuple(map(str, astuple(row))) for row in table)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    terminal.section("faults")
    for row in rows:
        terminal.write_line("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
