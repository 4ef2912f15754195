"""What is done once when new code comes: again and again, if need be, and never in the way of what is open."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from chat import reindexing, upgrading
from chat.models import SearchIndex
from chat.schedule import CannotBeDone
from config import delivery


def upgrade(*words: str) -> str:
    said = StringIO()
    call_command("upgrade", *words, "-v0", stdout=said)
    return said.getvalue()


@pytest.mark.django_db
def test_it_may_be_done_again_and_enters_what_searches_would_miss() -> None:
    SearchIndex.objects.update(is_complete=False)
    assert "0 migrations were applied" in upgrade()
    assert reindexing.is_complete()
    assert "0 migrations were applied" in upgrade()


@pytest.mark.parametrize("seconds", ["-1", "3601"])
def test_how_long_it_waits_has_bounds(seconds: str) -> None:
    with pytest.raises(CommandError, match="--wait is 0 to 3600 seconds"):
        upgrade(f"--wait={seconds}")


def test_it_waits_for_a_database_that_is_not_there_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([OperationalError("connection refused\nIs it running?"), OperationalError("starting up"), None])

    def connect() -> None:
        if (answer := next(answers)) is not None:
            raise answer

    monkeypatch.setattr(upgrading, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(connection, "ensure_connection", connect)
    monkeypatch.setattr(connection, "vendor", "postgresql")
    with pytest.raises(CannotBeDone, match=r"connection refused$"):
        upgrading.wait_for_database(0)
    upgrading.wait_for_database(10)
    assert next(answers, "asked") == "asked"


@pytest.mark.django_db
def test_a_migration_that_finds_a_table_in_use_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = iter([OperationalError("canceling statement due to lock timeout"), None])

    def migrate(*_: object, **__: object) -> None:
        if (answer := next(tries)) is not None:
            raise answer

    monkeypatch.setattr(upgrading, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(upgrading, "call_command", migrate)
    assert upgrading.migrate(10) == 0
    tries = iter([OperationalError("canceling statement due to lock timeout")])
    with pytest.raises(CannotBeDone, match="lock timeout"):
        upgrading.migrate(0)


@pytest.fixture
def built(settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of built files that is there already."""
    settings.STATIC_FILES = delivery.BUILT
    settings.STATIC_ROOT = tmp_path / "static"
    (settings.STATIC_ROOT / "js").mkdir(parents=True)
    (settings.STATIC_ROOT / "js" / "room.1.js").write_text("one")
    (tmp_path / "static.sha256").write_text(delivery._digest())
    return settings.STATIC_ROOT


@pytest.mark.django_db
def test_static_files_are_copied_and_never_taken_away(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "proxy"
    assert "1 static files were copied" in upgrade("--static", str(folder))
    assert (folder / "js" / "room.1.js").read_text() == "one"
    assert (folder / "js" / "room.1.js").stat().st_mode & 0o777 == 0o644
    (built / "js" / "room.1.js").unlink()
    (built / "js" / "room.2.js").write_text("two")
    (built / "names.json").write_text("2")
    (folder / "names.json").write_text("1")
    assert "2 static files were copied" in upgrade("--static", str(folder))
    there = {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert there == {"room.1.js": "one", "room.2.js": "two", "names.json": "2"}
    assert "0 static files were copied" in upgrade("--static", str(folder))
    assert "0 static files were copied" in upgrade("--static", str(built))


def test_a_file_appears_whole_or_not_at_all(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def disk_full(source: object, target: object) -> None:
        target.write(b"o")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(delivery.shutil, "copyfileobj", disk_full)
    with pytest.raises(CannotBeDone, match="No space left on device"):
        delivery.copy_to(tmp_path / "proxy")
    assert [path for path in (tmp_path / "proxy").rglob("*") if path.is_file()] == []


def test_there_is_nothing_to_copy_where_sources_are_served(settings, tmp_path: Path) -> None:
    settings.STATIC_FILES = delivery.SOURCES
    with pytest.raises(CannotBeDone, match="STATIC_FILES is sources"):
        delivery.copy_to(tmp_path)
