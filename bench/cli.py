"""``bin/bench``: what is asked for, measured, and written down."""

import argparse
import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from bench import machine, report
from bench.known import OURS, PEERS, SYSTEMS
from bench.measuring import Bench
from bench.placement import cores, on_core
from bench.runner import run
from bench.scenarios import SCENARIOS
from bench.services import Services
from tests.servers import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
FULL_RUNS, QUICK_RUNS = 3, 1
QUICK_SYSTEMS = ("engawa-daphne", "tutorial", "eventstream")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="bin/bench", description="Measure Engawa beside other systems, on this machine, in one run."
    )
    made.add_argument("scenarios", nargs="*", metavar="scenario", help="what to measure; without any: everything")
    made.add_argument("--list", action="store_true", help="say which scenarios and systems there are")
    made.add_argument("--quick", action="store_true", help="smaller and once: under three minutes")
    made.add_argument("--peers", action="store_true", help="beside Node ws, Socket.IO and nchan, which are installed")
    made.add_argument("--systems", type=lambda names: names.split(","), help="only these, separated by commas")
    made.add_argument("--runs", type=_positive, help=f"how often each is measured ({FULL_RUNS}; quick: {QUICK_RUNS})")
    made.add_argument("--json", type=Path, metavar="FILE", help="write all figures of all runs to a file")
    made.add_argument(
        "--merge",
        type=Path,
        metavar="FILE",
        action="append",
        default=[],
        help="add the rows of an earlier --json that are not new; may be given several times",
    )
    made.add_argument("--write", action="store_true", help="write docs/benchmarks.md, though not everything was run")
    return made


def _positive(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of runs")
    return int(text)


def read(arguments: list[str]) -> argparse.Namespace:
    """The arguments, checked. Exits with a sentence where they make no sense."""
    made = parser()
    given = made.parse_args(arguments)
    unknown = [name for name in given.scenarios if name not in SCENARIOS]
    if unknown:
        made.error(f"there is no scenario {unknown[0]!r}; there are: {', '.join(SCENARIOS)}")
    known = [*OURS, *PEERS]
    strangers = [name for name in given.systems or () if name not in known]
    if strangers:
        made.error(f"there is no system {strangers[0]!r}; there are: {', '.join(known)}")
    return given


def main(arguments: list[str]) -> int:
    given = read(arguments)
    if given.list:
        for scenario in SCENARIOS.values():
            print(f"{scenario.name:14} {scenario.title}{'' if scenario.is_quick else ' (not in a quick run)'}")
        print("Systems:", ", ".join(OURS), "and with --peers:", ", ".join(PEERS))
        return 0
    names = given.scenarios or [name for name, one in SCENARIOS.items() if one.is_quick or not given.quick]
    systems = given.systems or [*(QUICK_SYSTEMS if given.quick else OURS), *(PEERS if given.peers else ())]
    results = measure(given, names, systems)
    for earlier in given.merge:
        results = report.merged(results, json.loads(earlier.read_text()))
    if given.json:
        given.json.write_text(json.dumps(results, indent=1))
    print(report.summary(results))
    is_full = not (given.scenarios or given.quick or given.systems)
    if is_full or given.write:
        from bench import plots  # what it draws with takes seconds to load

        plots.write(results, PAGE.parent / "benchmarks")
        PAGE.write_text(report.page(results))
        print(f"written to {PAGE.relative_to(ROOT)}")
    failures = [row for row in results["rows"] if row["failures"]]
    return 1 if failures else 0


def command(given: argparse.Namespace) -> str:
    """What was asked for, without the files of this machine."""
    words = ["bin/bench", *(f"--{name}" for name in ("quick", "peers") if getattr(given, name))]
    if given.runs:
        words.append(f"--runs {given.runs}")
    if given.systems:
        words.append(f"--systems {','.join(given.systems)}")
    return " ".join([*words, *given.scenarios])


_ENDINGS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def _leave(number: int, frame: object) -> None:
    """Stop what was started, and end as one who is told to. A second signal does not disturb that."""
    for other in _ENDINGS:
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + number)


def measure(given: argparse.Namespace, names: list[str], systems: list[str]) -> dict[str, Any]:
    began, placed = monotonic(), cores()
    for number in _ENDINGS:
        signal.signal(number, _leave)
    machine.raise_file_limit()
    runs = given.runs or (QUICK_RUNS if given.quick else FULL_RUNS)
    with Services(placed) as services, on_core(placed.load):
        for system in systems:
            SYSTEMS[system].prepare()
        bench = Bench(services, quick=given.quick)
        rows = []
        for name in names:
            rows += run(bench, SCENARIOS[name].cases(given.quick, systems), runs)
        used = services.versions()
    return {
        "command": command(given),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "seconds": round(monotonic() - began),
        "repetitions": runs,
        "quick": given.quick,
        "commit": machine.commit(),
        "machine": {**machine.machine(placed), **used},
        "versions": {key: SYSTEMS[key].version() for key in systems},
        "rows": [row.as_dict() for row in rows],
    }
