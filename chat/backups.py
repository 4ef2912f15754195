"""A backup: one file, a ZIP archive with a copy of the database and a manifest that says what is in it.

It is made beside the server, in a folder that goes with whoever makes it, and gets its name when it is whole and on
the disk. It holds no secrets of ``var/`` or of the environment.
"""

import fcntl
import json
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from django.conf import settings
from django.db import connection
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from chat import dumps, indexing
from chat.schedule import Beat, CannotBeDone

FORMAT = 1
MANIFEST = "manifest.json"
SCRATCH = ".engawa-backup-"
CHUNK_BYTES = 1024 * 1024
MOST_MANIFEST_BYTES = 1024 * 1024
_NAME = re.compile(r"engawa-\d{8}T\d{6}Z\.zip")


@dataclass(frozen=True, slots=True)
class Manifest:
    """``made_at`` is ISO 8601, in UTC; ``database`` sqlite or postgresql, ``server`` its version. ``migrations`` are
    those that were applied, by app. ``secret`` tells one SECRET_KEY from another, and not what it is."""

    format: int
    engawa: str
    made_at: str
    database: str
    server: str
    schema: str
    migrations: dict[str, list[str]]
    counts: dict[str, int]
    secret: str
    member: str
    bytes: int
    sha256: str

    @property
    def content(self) -> str:
        counts = ", ".join(f"{count} {what}" for what, count in self.counts.items())
        return f"{counts}; {self.database} {self.server}, Engawa {self.engawa}"


@dataclass(frozen=True, slots=True)
class Made:
    path: Path
    manifest: Manifest
    bytes: int
    seconds: float

    @property
    def sentence(self) -> str:
        return f"{self.path}: {filesizeformat(self.bytes)} in {self.seconds:.1f} s ({self.manifest.content})."


def make(target: Path, beat: Beat = lambda: None) -> Made:
    """Make a backup: the file ``target``, or in the folder ``target`` a file named by the time. Everything that was
    committed before this was called is in it. Raises ``CannotBeDone``."""
    began, at = monotonic(), timezone.now()
    if target.is_dir():
        target = target / f"engawa-{at:%Y%m%dT%H%M%SZ}.zip"
    if target.exists():
        raise CannotBeDone(f"{target} is there already, and is not written over")
    try:
        with scratch_in(target.parent) as scratch:
            draft = scratch / "backup.zip"
            manifest = _write(draft, scratch, at.isoformat(timespec="seconds"), beat)
            _name_it(draft, target)
    except OSError as error:
        raise CannotBeDone(f"cannot write {target}: {error.strerror or error}") from error
    return Made(target, manifest, target.stat().st_size, monotonic() - began)


def _write(draft: Path, scratch: Path, made_at: str, beat: Beat) -> Manifest:
    kind = dumps.of_this_database()
    digest, size = sha256(), 0
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w+b") as file:
        with ZipFile(file, "w") as archive:
            member = ZipInfo(kind.MEMBER)
            member.compress_type = ZIP_STORED if kind.COMPRESSED else ZIP_DEFLATED
            with archive.open(member, "w", force_zip64=True) as out:

                def write(chunk: bytes) -> None:
                    nonlocal size
                    out.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)

                content = kind.copy_out(write, scratch, beat)
            manifest = Manifest(
                format=FORMAT,
                engawa=version(),
                made_at=made_at,
                database=connection.vendor,
                server=kind.version(),
                schema=content.schema,
                migrations=content.migrations,
                counts=content.counts,
                secret=indexing.fingerprint(),
                member=kind.MEMBER,
                bytes=size,
                sha256=digest.hexdigest(),
            )
            archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
        file.flush()
        os.fsync(file.fileno())
    return manifest


def _name_it(draft: Path, target: Path) -> None:
    """Under its name it is whole, also after a power failure, and takes nobody's place."""
    try:
        os.link(draft, target)
    except FileExistsError:
        raise CannotBeDone(f"{target} is there already, and is not written over") from None
    except OSError:  # a file system without links
        if target.exists():
            raise CannotBeDone(f"{target} is there already, and is not written over") from None
        draft.rename(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def scratch_in(folder: Path) -> Iterator[Path]:
    """A folder in ``folder`` that goes at the end. What is left there of processes that were killed goes at the
    beginning: nobody holds its lock."""
    if not folder.is_dir():
        raise CannotBeDone(f"there is no folder {folder}")
    for left in folder.glob(f"{SCRATCH}*"):
        with suppress(OSError), (left / "lock").open() as lock:  # of another that is being made now it is held
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left)
    scratch = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=folder))
    try:
        with (scratch / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def made_in(folder: Path) -> list[Path]:
    """The backups there that were named by their time, the newest last."""
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


def keep_last(folder: Path, count: int) -> list[Path]:
    """Delete all but the last ``count`` backups that were named by their time. Returns those that went."""
    gone = made_in(folder)[:-count]
    for path in gone:
        path.unlink(missing_ok=True)
    return gone


@contextmanager
def opened(path: Path) -> Iterator[tuple[Manifest, "Copy"]]:
    """A backup's manifest, and the copy in it. Raises ``CannotBeDone`` where that is no backup."""
    try:
        with ZipFile(path) as archive:
            manifest = _read_manifest(path, archive)
            yield manifest, Copy(path, archive, manifest)
    except FileNotFoundError:
        raise CannotBeDone(f"there is no file {path}") from None
    except BadZipFile as error:
        raise CannotBeDone(f"{path} is not a backup of Engawa, or is damaged ({error})") from error
    except OSError as error:
        raise CannotBeDone(f"cannot read {path}: {error.strerror or error}") from error


def _read_manifest(path: Path, archive: ZipFile) -> Manifest:
    try:
        with archive.open(MANIFEST) as file:
            fields: dict[str, Any] = json.loads(file.read(MOST_MANIFEST_BYTES))
        newer = fields["format"] > FORMAT
        manifest = None if newer else Manifest(**fields)
    except (KeyError, TypeError, ValueError):
        raise CannotBeDone(f"{path} is not a backup of Engawa") from None
    if manifest is None:
        raise CannotBeDone(f"{path} was made by a newer Engawa ({fields.get('engawa', '?')}): update the code first")
    return manifest


class Copy:
    """The copy of the database in a backup."""

    def __init__(self, path: Path, archive: ZipFile, manifest: Manifest) -> None:
        self._path = path
        self._archive = archive
        self._manifest = manifest

    def open(self) -> BinaryIO:
        return self._archive.open(self._manifest.member)

    def check(self) -> None:
        """Read it once, and hold it against what the manifest says."""
        digest = sha256()
        try:
            with self.open() as file:
                while chunk := file.read(CHUNK_BYTES):
                    digest.update(chunk)
            is_whole = digest.hexdigest() == self._manifest.sha256
        except (BadZipFile, KeyError, EOFError, ValueError):
            is_whole = False
        if not is_whole:
            raise CannotBeDone(f"{self._path} is damaged: the database in it is not what was put there")


def version() -> str:
    """Of the code that runs."""
    try:
        return tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
    except OSError:
        return "?"
