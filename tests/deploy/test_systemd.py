"""The units, as systemd itself reads them, and held against what they start."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from config import settings
from tests.servers import ROOT

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
EXPOSURE = 15  # tenths, of 100, as systemd rates it; what serves a network cannot have much less
SET_BY_UNITS = {"HOST", "PORT", "METRICS_HOST", "SCHEDULER"}
analyze = shutil.which("systemd-analyze")


@pytest.fixture
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A unit that finds its program here, and has a number where it takes one."""
    source: Path = request.param
    found = tmp_path / source.name.replace("@", "@1")
    found.write_text(source.read_text().replace("/srv/engawa/.venv/bin/python", shutil.which("python3")))
    return found


every_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name, indirect=True)


@pytest.mark.skipif(not analyze, reason="there is no systemd")
@every_unit
def test_systemd_understands_it_and_finds_it_hardened(unit: Path) -> None:
    for command in (["verify"], ["security", "--offline=true", f"--threshold={EXPOSURE}"]):
        done = subprocess.run([analyze, *command, unit], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert not done.stderr, done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_it_starts_what_is_there_with_settings_that_are(unit: Path) -> None:
    text = unit.read_text()
    (command,) = re.findall(r"^ExecStart=/srv/engawa/\.venv/bin/python (.*)$", text, re.MULTILINE)
    named = {
        name for line in re.findall(r"^Environment=(.*)$", text, re.MULTILINE) for name in re.findall(r"(\w+)=", line)
    }
    assert named <= settings.env.names & SET_BY_UNITS
    assert command in {
        "-m config.serve web",
        "-m config.serve websocket",
        "manage.py schedule",
    }
    assert int(re.search(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)[1]) >= settings.DRAIN_SECONDS + 5


def test_they_are_hardened_alike() -> None:
    shared = {unit.read_text().partition("# Leaves by itself")[2] for unit in UNITS}
    assert len(shared) == 1
    assert len(UNITS) == 3
