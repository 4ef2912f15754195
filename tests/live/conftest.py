"""What takes long because time must pass, and not because there is much to do, is begun before the first test here."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.lanes import is_front
from tests.servers import ROOT


@pytest.fixture(scope="session", autouse=True)
def begun_early(request: pytest.FixtureRequest) -> None:
    """Begins ``half_open`` where a test will ask for it. Of two lanes, the one that comes to that test first."""
    if is_front(request.config) and any(item.path.stem == "test_half_open" for item in request.session.items):
        request.getfixturevalue("half_open")


@pytest.fixture(scope="session")
def half_open(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen]:
    """``tests.live.half_open`` in a network of its own: nearly all of its minute is silence."""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    folder = tmp_path_factory.mktemp("half_open")
    with subprocess.Popen(
        ["unshare", "--net", *as_root, sys.executable, "-m", "tests.live.half_open", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()
