"""Runs cases: those of a group in turn, then all again, so that a machine that drifts does so for everybody."""

import gc
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from bench.errors import Failed
from bench.measuring import Bench, Case, Figures, is_limited_by_load
from bench.statistics import joined


@dataclass
class Row:
    """A case, and what its runs gave."""

    case: Case
    runs: list[Figures] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "scenario": self.case.scenario,
            "situation": self.case.situation,
            "system": self.case.system,
            "figures": {name: spread.as_dict() for name, spread in joined(self.runs).items()},
            "runs": self.runs,
            "failures": self.failures,
            "limited_by_load": any(map(is_limited_by_load, self.runs)),
        }


def run(bench: Bench, groups: Sequence[Sequence[Case]], repetitions: int) -> list[Row]:
    """Measure every case ``repetitions`` times. One that fails is not tried again, and says why."""
    rows: list[Row] = []
    for group in groups:
        found = [Row(case) for case in group]
        rows += found
        for repetition in range(repetitions):
            for row in found:
                if not row.failures:
                    _measure(bench, row, repetition)
    return rows


def _measure(bench: Bench, row: Row, repetition: int) -> None:
    print(f"{row.case.title} ({repetition + 1})", end=" … ", file=sys.stderr, flush=True)
    began = monotonic()
    gc.disable()  # the load must not pause
    try:
        row.runs.append(row.case.measure(bench, row.case))
        said = ", ".join(f"{name} {value:,.1f}" for name, value in list(row.runs[-1].items())[:3])
    except Failed as failure:
        row.failures.append(str(failure))
        said = f"failed: {failure}"
    except Exception as error:  # a defect of one case is no reason to lose the others' figures
        traceback.print_exc()
        row.failures.append(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
        said = f"failed: {row.failures[-1]}"
    finally:
        gc.enable()
        gc.collect()
    print(f"{said} ({monotonic() - began:.0f} s)", file=sys.stderr, flush=True)
