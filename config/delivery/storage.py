"""The files as they are delivered: made of the sources, in ``STATIC_ROOT``.

A file's name has a hash of what it holds, so that one which is there is never written again, and a process with older
code, or a page that was opened before, still finds its own. Django's ``collectstatic`` ends here, too.
"""

import json
import os
import posixpath
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.core.files.storage import Storage
from servestatic.compress import Compressor

from config.delivery.bundles import Module, bundled, in_order, taken_apart
from config.delivery.errors import Broken
from config.delivery.sources import OURS, SCRIPTS, minified, renamed

MANIFEST = "delivery.json"
HASH_CHARS = 12
KEPT_SECONDS = 30 * 24 * 3600  # how long a page may have been open that still asks for its own scripts
_MADE_BY = ("Django", "brotli", "servestatic")

Paths = Mapping[str, tuple[Storage, str]]


class DeliveryStorage(StaticFilesStorage):
    """Knows the delivered name of each file once ``read`` was called; until then, and where there are none, the
    sources' own names hold."""

    names: dict[str, str] = {}

    def url(self, name: str | None) -> str:
        return super().url(self.names.get(name, name))

    def read(self) -> str:
        """Take the names that there are. Returns what they were made of; nothing where there are none."""
        made = self._manifest()
        self.names = made.get("names", {})
        return made.get("sources", "")

    def post_process(self, paths: Paths, dry_run: bool = False, **options: Any) -> Iterator[tuple[str, str, bool]]:
        """Make the files of the sources at ``paths``. Yields each one's name, and its new one. Raises ``Broken``."""
        if dry_run:
            return
        contents = read_sources(paths)
        names = _Making(Path(self.location), contents).make()
        self._let_go(keep=set(names.values()))
        _replace(Path(self.path(MANIFEST)), json.dumps({"sources": digest(contents), "names": names}).encode())
        for name, new_name in names.items():
            yield name, new_name, True

    def _manifest(self) -> dict[str, Any]:
        try:
            return json.loads(Path(self.path(MANIFEST)).read_bytes())
        except (OSError, ValueError):
            return {}

    def _let_go(self, keep: set[str]) -> None:
        """Delete what has not been in use for a while. What was until now is not old, whenever it was made."""
        for name in self._manifest().get("names", {}).values():
            with suppress(OSError):
                os.utime(self.path(name))
        root = Path(self.location)
        before = time.time() - KEPT_SECONDS
        for path in delivered(root):
            if path.relative_to(root).as_posix() not in keep and path.stat().st_mtime < before:
                for suffix in ("", ".gz", ".br"):
                    Path(f"{path}{suffix}").unlink(missing_ok=True)


class _Making:
    """One time that the files are made."""

    def __init__(self, root: Path, contents: dict[str, bytes]) -> None:
        self._root = root
        self._contents = contents
        self._names: dict[str, str] = {}
        self._underway: list[str] = []
        self._modules: dict[str, Module] = {}
        self._orders: dict[str, list[Module]] = {}
        self._loaders: dict[str, set[str]] = {}  # of those that are imported later, the scripts that do so
        self._compressor = Compressor(use_zstd=False, quiet=True)

    def make(self) -> dict[str, str]:
        self._find_loaders()
        for name in sorted(self._contents):
            if not name.startswith(SCRIPTS) or is_pages_own(name):
                self._name_of(name)  # other scripts are part of those that import them, or are made when one is named
        return self._names

    def _name_of(self, name: str) -> str:
        """The new name of a file, made with all that it names: their names are part of what it holds."""
        if name in self._names:
            return self._names[name]
        if name in self._underway:
            circle = self._underway[self._underway.index(name) :]
            raise Broken(f"these name each other, so that none can be named first: {', '.join(circle)}")
        self._underway.append(name)
        self._names[name] = self._write(name, self._content_of(name))
        self._underway.pop()
        return self._names[name]

    def _content_of(self, name: str) -> bytes:
        if not is_ours(name):
            return self._read(name)
        if name.endswith(".css"):
            style = minified(name, self._read(name).decode())
            return renamed(name, style, self._name_of).encode()
        modules = self._in_order(name)
        if len(modules) == 1 and not modules[0].later and not modules[0].exports:
            return minified(name, self._read(name).decode()).encode()
        # What whoever imports it has in any case need not come again.
        before = [{module.name for module in self._in_order(loader)} for loader in self._loaders.get(name, ())]
        there = set.intersection(*before) if before and not is_pages_own(name) else set()
        needed = [module for module in modules if module.name not in there or module.name == name]
        return bundled(needed, self._name_of).encode()

    def _find_loaders(self) -> None:
        scripts = [name for name in self._contents if is_pages_own(name)]
        for script in scripts:  # which grows meanwhile
            for later in (name for module in self._in_order(script) for name in module.later):
                if later not in self._loaders and later not in scripts:
                    scripts.append(later)
                self._loaders.setdefault(later, set()).add(script)

    def _read(self, name: str) -> bytes:
        if name not in self._contents:
            raise Broken(f"{name} is named, and is not there")
        return self._contents[name]

    def _module(self, name: str) -> Module:
        if name not in self._modules:
            self._modules[name] = taken_apart(name, minified(name, self._read(name).decode()))
        return self._modules[name]

    def _in_order(self, name: str) -> list[Module]:
        if name not in self._orders:
            self._orders[name] = in_order(name, self._module)
        return self._orders[name]

    def _write(self, name: str, content: bytes) -> str:
        stem, suffix = os.path.splitext(name)
        new_name = f"{stem}.{sha256(content).hexdigest()[:HASH_CHARS]}{suffix}"
        path = self._root / new_name
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = Path(f"{path}.{os.getpid()}.new")
            unfinished.write_bytes(content)
            made = self._compressor.compress(unfinished) if self._compressor.should_compress(name) else []
            for compressed in map(Path, made):
                compressed.replace(f"{path}{compressed.suffix}")
            unfinished.replace(path)  # last: what is there is whole
        return new_name


def is_ours(name: str) -> bool:
    return name.startswith(OURS) and name.endswith((".js", ".css"))


def is_pages_own(name: str) -> bool:
    """Whether it is a script that pages name, and not one that others import."""
    return name.endswith(".js") and posixpath.dirname(name) == SCRIPTS.rstrip("/")


def delivered(root: Path) -> Iterator[Path]:
    """The files that were made, without their compressed forms."""
    for path in root.rglob(f"*.{'[0-9a-f]' * HASH_CHARS}.*"):
        if path.suffix not in (".gz", ".br", ".new"):
            yield path


def found() -> dict[str, tuple[Storage, str]]:
    """All sources by their names, ours and those of the apps that we use."""
    paths: dict[str, tuple[Storage, str]] = {}
    for finder in finders.get_finders():
        for path, storage in finder.list(["CVS", ".*", "*~", "released/*"]):
            paths.setdefault(path.replace(os.sep, "/"), (storage, path))
    return paths


def read_sources(paths: Paths) -> dict[str, bytes]:
    contents = {}
    for name, (storage, path) in paths.items():
        with storage.open(path) as file:
            contents[name] = file.read()
    return contents


def digest(contents: Mapping[str, bytes]) -> str:
    """What differs where other files would be made."""
    hashed = sha256()
    for package in _MADE_BY:
        hashed.update(f"{package} {version(package)}\n".encode())
    for code in sorted(Path(__file__).parent.glob("*.py")):
        hashed.update(code.read_bytes())
    for name in sorted(contents):
        hashed.update(f"{name} {sha256(contents[name]).hexdigest()}\n".encode())
    return hashed.hexdigest()


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(f"{path}.{os.getpid()}.new")
    unfinished.write_bytes(content)
    unfinished.replace(path)
