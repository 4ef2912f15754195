"""How scripts, styles and images reach a browser: as they lie in ``static/``, or as ``collectstatic`` leaves them,
under names that have a hash of what they hold, compressed, and kept by browsers for ever.

Django rewrites what modules import, ServeStatic compresses; all that is ours is when that is done.
"""

import fcntl
import filecmp
import logging
import os
import shutil
import tempfile
from hashlib import sha256
from importlib.metadata import version
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from servestatic.compress import Compressor
from servestatic.storage import CompressedManifestStaticFilesStorage

from chat.schedule import CannotBeDone

BUILT, SOURCES = "built", "sources"
NOT_DELIVERED = ["released"]  # of these feeds.scripts sees to itself
FAILURES = (CommandError, OSError, ValueError)
_MADE_BY = ("Django", "brotli", "rjsmin", "servestatic")

logger = logging.getLogger(__name__)


class ScriptCompressor(Compressor):
    """Takes comments out of scripts before it compresses them. Styles stay as they are: what is written for them does
    not know rules within rules."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._scripts = Compressor(**{**options, "minify": True})

    def compress(self, path: str | PathLike[str]) -> list[str]:
        return self._scripts.compress(path) if fspath(path).endswith(".js") else super().compress(path)


class DeliveryStorage(CompressedManifestStaticFilesStorage):
    """Names the sources until ``prepare`` has seen to it that what was made of them is there."""

    support_js_module_import_aggregation = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.forget()

    def forget(self) -> None:
        self.hashed_files = {}

    def learn(self) -> None:
        self.hashed_files, self.manifest_hash = self.load_manifest()

    def read_manifest(self) -> str | None:
        try:
            return super().read_manifest()
        except OSError:  # where nothing can lie, nothing does
            return None

    def stored_name(self, name: str) -> str:
        is_known = self.hash_key(self.clean_name(name)) in self.hashed_files
        return super().stored_name(name) if is_known else name

    def create_compressor(self, **options: Any) -> Compressor:
        return ScriptCompressor(**options)


def prepare() -> None:
    """Have the files made where they are not, or not of the sources as they are. Where that cannot be, pages name the
    sources, which work as well and take longer to load."""
    if settings.STATIC_FILES != BUILT:
        return
    try:
        make()
        staticfiles_storage.learn()
    except FAILURES as error:
        staticfiles_storage.forget()
        logger.warning("static files are served as they lie: %s", error)


def make() -> None:
    """Have the files made where they are not, or not of the sources as they are. Where they are, nothing is written: in
    an image they lie where nothing can be. Raises one of ``FAILURES``."""
    root = Path(settings.STATIC_ROOT)
    made_of = root.with_name(f"{root.name}.sha256")
    wanted = _digest()
    if _says(made_of, wanted):
        return
    root.mkdir(parents=True, exist_ok=True)
    with root.with_name(f"{root.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the first of several processes makes them
        if not _says(made_of, wanted):
            call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=NOT_DELIVERED)
            made_of.write_text(wanted)


def _says(file: Path, wanted: str) -> bool:
    return file.is_file() and file.read_text() == wanted


def copy_to(folder: Path) -> int:
    """Have the files made, and copy what ``folder`` does not have. Each appears there whole, and nothing goes: pages
    that are open find theirs. Returns how many. Raises ``CannotBeDone``."""
    if settings.STATIC_FILES != BUILT:
        raise CannotBeDone("STATIC_FILES is sources, so there are no static files to copy")
    root = Path(settings.STATIC_ROOT)
    copied = 0
    try:
        make()
        if folder.resolve() == root.resolve():
            return 0
        for source in sorted(path for path in root.rglob("*") if path.is_file()):
            target = folder / source.relative_to(root)
            if target.exists() and filecmp.cmp(source, target, shallow=False):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            descriptor, draft = tempfile.mkstemp(dir=target.parent, prefix=".")
            try:
                with os.fdopen(descriptor, "wb") as file, source.open("rb") as content:
                    shutil.copyfileobj(content, file)
                os.chmod(draft, 0o644)  # for the proxy, whoever that is
                os.replace(draft, target)
            except BaseException:
                os.unlink(draft)
                raise
            copied += 1
    except FAILURES as error:
        raise CannotBeDone(f"static files could not be copied to {folder}: {error}") from error
    return copied


def _digest() -> str:
    """What differs where other files would be made."""
    hashed = sha256(" ".join(f"{package} {version(package)}" for package in _MADE_BY).encode())
    hashed.update(Path(__file__).read_bytes())
    for finder in finders.get_finders():
        for path, storage in sorted(finder.list(NOT_DELIVERED), key=lambda found: found[0]):
            hashed.update(path.encode())
            with storage.open(path) as file:
                hashed.update(sha256(file.read()).digest())
    return hashed.hexdigest()
