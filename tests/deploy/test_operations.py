"""Commands that operators start, several at once and told to stop in the middle."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT, Postgres, Process, engawa_environment, manage

AT_ONCE = 3


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Of a machine with an empty database."""
    if request.param == "sqlite":
        return engawa_environment(tmp_path)
    postgres: Postgres = request.getfixturevalue("postgres")
    return engawa_environment(tmp_path, DATABASE_URL=postgres.fresh_database())


def together(environment: dict[str, str], *arguments: str) -> list[str]:
    """Run a command several times at once. Returns all that each said."""
    running = [
        subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(AT_ONCE)
    ]
    said = [each.communicate(timeout=120)[0] for each in running]
    assert [each.returncode for each in running] == [0] * AT_ONCE, said
    return said


def test_of_several_at_once_each_does_what_is_left(environment: dict[str, str], tmp_path: Path) -> None:
    """Upgrades make each table once, and schedulers do each thing once."""
    applied = [int(re.search(r"(\d+) migrations were applied", said)[1]) for said in together(environment, "upgrade")]
    assert sorted(applied)[:-1] == [0] * (AT_ONCE - 1)
    assert max(applied) > 20

    folder = tmp_path / "backups"
    folder.mkdir()
    environment["BACKUP_FOLDER"] = str(folder)
    said = "".join(together(environment, "schedule", "--once"))
    assert said.count("backup: done") == 1, said
    assert len(list(folder.glob("engawa-*.zip"))) == 1


def test_a_scheduler_ends_at_once_where_it_is_told_to(tmp_path: Path) -> None:
    environment = engawa_environment(tmp_path, BACKUP_FOLDER=str(tmp_path))
    manage(environment, "upgrade", "-v0")
    scheduler = Process([sys.executable, "manage.py", "schedule"], tmp_path / "scheduler.log", environment)
    scheduler.wait_until(lambda: list(tmp_path.glob("engawa-*.zip")))
    assert scheduler.stop() == 0
    assert "Traceback" not in scheduler.output()
