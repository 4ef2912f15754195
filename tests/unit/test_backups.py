"""What a backup file must be, and what is told where it is not."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.db import connection

from chat import backups, restoring, upgrading
from chat.backups import Manifest
from chat.schedule import CannotBeDone

MANIFEST = Manifest(
    format=backups.FORMAT,
    engawa="9.9.9",
    made_at="2026-11-22T12:00:00+00:00",
    database="sqlite",
    server="3.40.1",
    schema="",
    migrations={"chat": ["0001_initial"]},
    counts={"rooms": 1},
    secret="",
    member="database.sqlite3",
    bytes=4,
    sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
)


def archive(path: Path, content: bytes = b"test", **changes: object) -> Path:
    with ZipFile(path, "w") as file:
        file.writestr("database.sqlite3", content)
        file.writestr("manifest.json", json.dumps({**asdict(MANIFEST), **changes}))
    return path


def test_a_backup_is_read_as_it_was_written(tmp_path: Path) -> None:
    with backups.opened(archive(tmp_path / "good.zip")) as (manifest, copy):
        assert manifest == MANIFEST
        copy.check()
        assert copy.open().read() == b"test"
        restoring.check(manifest, tmp_path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": 2}, "was made by a newer Engawa .9.9.9.: update the code first"),
        ({"colour": "green"}, "is not a backup of Engawa"),
        ({"format": None}, "is not a backup of Engawa"),
        ({"database": "postgresql"}, "is a backup of PostgreSQL, and DATABASE_URL names SQLite"),
        ({"migrations": {"chat": ["0999_later"]}}, "newer Engawa .9.9.9, with the migration chat.0999_later.: update"),
        ({"sha256": "0"}, "is damaged"),
        ({"member": "nothing"}, "is damaged"),
    ],
)
def test_what_cannot_be_restored_is_told_in_a_sentence(tmp_path: Path, changes: dict, sentence: str) -> None:
    path = archive(tmp_path / "bad.zip", **changes)
    with pytest.raises(CannotBeDone, match=sentence), backups.opened(path) as (manifest, copy):
        restoring.check(manifest, path)
        copy.check()


def test_an_app_that_this_code_does_not_have_makes_no_backup_newer(tmp_path: Path) -> None:
    with backups.opened(archive(tmp_path / "good.zip", migrations={"gone": ["0001_initial"]})) as (manifest, _):
        restoring.check(manifest, tmp_path)


def test_what_is_no_archive_is_told_in_a_sentence(tmp_path: Path) -> None:
    other = tmp_path / "other.zip"
    other.write_bytes(b"a page of something else")
    for path, sentence in [
        (other, "is not a backup of Engawa"),
        (tmp_path / "nowhere.zip", "there is no file"),
        (tmp_path, "cannot read"),
    ]:
        with pytest.raises(CannotBeDone, match=sentence), backups.opened(path):
            pass
    with ZipFile(other, "w") as file:
        file.writestr("photo.jpg", b"")
    with pytest.raises(CannotBeDone, match="is not a backup of Engawa"), backups.opened(other):
        pass


def test_a_cut_off_file_is_damaged(tmp_path: Path) -> None:
    path = archive(tmp_path / "good.zip", content=os.urandom(100_000))
    path.write_bytes(path.read_bytes()[:50_000])
    with pytest.raises(CannotBeDone, match="or is damaged"), backups.opened(path):
        pass


def test_nothing_is_written_over_or_left_lying(tmp_path: Path) -> None:
    there = tmp_path / "there.zip"
    there.write_text("mine")
    with pytest.raises(CannotBeDone, match="is there already"):
        backups.make(there)
    draft = tmp_path / "draft"
    draft.write_text("another")
    with pytest.raises(CannotBeDone, match="is there already"):  # it came while the other was made
        backups._name_it(draft, there)
    assert there.read_text() == "mine"
    with pytest.raises(CannotBeDone, match="there is no folder"):
        backups.make(tmp_path / "nowhere" / "new.zip")


def test_the_scratch_of_those_who_still_work_stays(tmp_path: Path) -> None:
    with backups.scratch_in(tmp_path) as first:
        with backups.scratch_in(tmp_path) as second:
            assert first.exists()
        assert not second.exists()
    assert os.listdir(tmp_path) == []
    left = tmp_path / f"{backups.SCRATCH}left"
    left.mkdir()
    (left / "lock").touch()
    with backups.scratch_in(tmp_path):
        assert not left.exists()


def test_the_newest_are_kept_and_only_what_is_named_by_its_time_goes(tmp_path: Path) -> None:
    names = [f"engawa-2026112{day}T040000Z.zip" for day in range(5)]
    for name in [*names, "engawa-before-the-move.zip", "notes.txt"]:
        (tmp_path / name).touch()
    assert [path.name for path in backups.keep_last(tmp_path, 2)] == names[:3]
    assert sorted(os.listdir(tmp_path)) == sorted([*names[3:], "engawa-before-the-move.zip", "notes.txt"])


def test_one_upgrades_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "NAME", str(tmp_path / "db.sqlite3"))
    monkeypatch.setattr(upgrading, "LOOK_SECONDS", 0.0)
    told: list[str] = []
    tries = iter([False, False, True])
    upgrading._take(lambda: next(tries), told.append)
    assert told == ["Another process upgrades the database; waiting for it."]
    with upgrading.one_at_a_time(), (tmp_path / "db.sqlite3.upgrade").open() as other:
        assert not upgrading._locked(other)
    with (tmp_path / "db.sqlite3.upgrade").open() as other:
        assert upgrading._locked(other)
