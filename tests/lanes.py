"""The whole run in two lanes beside each other, each a pytest of its own: what bin/test has pytest-xdist do.

All files lie in one queue, and none is torn apart. At its front is what starts many processes and watches how they
fare; one lane works from there, so that such tests run one after another and never beside each other. At its back is
what computes in one process; the other lane works from there. They meet where they meet, and end together.
"""

from collections import Counter
from dataclasses import astuple
from time import monotonic
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

from tests.faults import law

FOLDERS = ("deploy", "faults", "live", "browser", "conformance", "unit")  # from the front to the back
NAMES = {"gw0": "front", "gw1": "back"}


def is_front(config: pytest.Config) -> bool:
    """Whether this is the lane that works from the front, or a run without lanes."""
    return NAMES[getattr(config, "workerinput", {}).get("workerid", "gw0")] == "front"


class TwoEnds(LoadFileScheduling):
    """Gives the lane at the front the first file that is left, the one at the back the last; tells of each that is
    done."""

    def __init__(self, config: pytest.Config, log: Any, progress: "Progress") -> None:
        super().__init__(config, log)
        self._progress = progress

    def _assign_work_unit(self, node: WorkerController) -> None:
        if NAMES[node.gateway.id] == "back":
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        file = self._split_scope(self.registered_collections[node][item_index])
        self._progress.took(file, duration)
        super().mark_test_complete(node, item_index, duration)
        if all(self.assigned_work[node][file].values()):
            self._progress.write(NAMES[node.gateway.id], file)


class Progress:
    """A line for each file that is done, and for each test that fails: among dots of two lanes nobody knows his own."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal
        self._began = monotonic()
        self._outcomes: dict[str, Counter[str]] = {}
        self._seconds: Counter[str] = Counter()

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> TwoEnds:
        return TwoEnds(config, log, self)

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self) -> tuple[str, str, Any]:
        category, _, word = yield
        return category, "", word

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            self._outcomes.setdefault(_file(report.nodeid), Counter())[report.outcome] += 1
        if report.failed:
            why = report.longreprtext.strip().split("\n")[-1]
            self._terminal.write_line(f"       FAILED {report.nodeid} ({report.when}): {why}", red=True)

    def took(self, file: str, seconds: float) -> None:
        self._seconds[file] += seconds

    def write(self, lane: str, file: str) -> None:
        minutes, seconds = divmod(round(monotonic() - self._began), 60)
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in self._outcomes[file].items())
        self._terminal.write_line(
            f"{minutes:3}:{seconds:02} {lane:5} {file} {outcomes} in {self._seconds[file]:.1f} s", flush=True
        )

    def pytest_testnodedown(self, node: WorkerController) -> None:
        law.table += [law.Row(*row) for row in getattr(node, "workeroutput", {}).get("faults", ())]


def _file(nodeid: str) -> str:
    return nodeid.split("::")[0]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (FOLDERS.index(item.path.parent.name), item.path))


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Progress(config.pluginmanager.getplugin("terminalreporter")))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["faults"] = [astuple(row) for row in law.table]
