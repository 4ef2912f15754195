"""The images, built for real from the Dockerfile, and what is in them run as in a container: as their user, on a
read-only root. The base that the Dockerfile names cannot be had everywhere; so Debian's own Python stands in for it.

For the long run: it takes minutes, and has to be root.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import parts
from tests.deploy.dockerfile import last
from tests.servers import ROOT, Postgres, Process, Redis, free_port

pytestmark = [
    pytest.mark.skipif(not parts.LONG, reason="it takes minutes"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root makes images here"),
    pytest.mark.timeout(900),
]
BASE = "localhost/base"
COMPILERS = {"cc", "gcc", "g++", "c++", "clang", "make", "ld", "as"}
PATH = "/opt/venv/bin:/usr/local/bin:/usr/bin:/bin"
SECRET = "a secret for tests, and for nothing else at all"


class Builder:
    """buildah, with a storage of its own."""

    def __init__(self, folder: Path) -> None:
        self._options = [
            "--root",
            str(folder / "root"),
            "--runroot",
            str(folder / "run"),
            "--storage-driver",
            "overlay",
        ]

    def __call__(self, *arguments: object) -> str:
        command = [parts.buildah(), *self._options, *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout.strip()

    def mount(self, image: str) -> Path:
        """Where the files of an image can be looked at."""
        return Path(self("mount", self("from", "--pull-never", image)))


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    folder = tmp_path_factory.mktemp("builder")
    system = folder / "system"
    packages = "python3,python3-venv,python3-pip,ca-certificates"
    made = subprocess.run(
        [parts.debootstrap(), "--variant=minbase", f"--include={packages}", "bookworm", system],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert made.returncode == 0, made.stdout[-4000:]
    (system / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    shutil.rmtree(system / "var/lib/apt/lists")
    builder = Builder(folder)
    container = builder("from", "scratch")
    builder("copy", "-q", container, system, "/")
    builder("commit", "-q", container, BASE)
    shutil.rmtree(system)
    try:
        yield builder
    finally:
        builder("umount", "--all")
        builder("rm", "--all")


@pytest.fixture(scope="module", params=["web", "websocket", "single", "pushpin"])
def image(builder: Builder, request: pytest.FixtureRequest) -> tuple[str, Path]:
    """A target, and the files of its image."""
    target = request.param
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    given = [option for name, value in pip.items() for option in ("--env", f"{name}={value}")]
    for path in {value for value in pip.values() if Path(value).is_absolute() and Path(value).exists()}:
        given += ["--volume", f"{path}:{path}:ro"]
    ways = ["--format", "docker", "--isolation", "chroot", "--layers", "--pull-never"]
    builder("bud", *ways, *given, "--build-arg", f"BASE={BASE}", "--target", target, "-t", f"localhost/{target}", ".")
    return target, builder.mount(f"localhost/{target}")


def contained(root: Path, target: str, command: str) -> list[str]:
    """The command that runs ``command`` on ``root`` as a container does: nothing can be written to but /tmp."""
    where, user = last(target, "WORKDIR") or "/", last(target, "USER")
    steps = [
        f"mount --bind {root} {root}",
        f"mount -o remount,ro,bind {root}",
        f"mount -t tmpfs none {root}/tmp",
        f"mount -t proc proc {root}/proc",
        f"mount --bind /dev {root}/dev",
        f"exec {shutil.which('chroot', path=os.defpath + ':/usr/sbin')} --userspec={user} {root} "
        f"/bin/sh -c {shlex.quote(f'cd {where} && exec {command}')}",
    ]
    return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", "\n".join(steps)]


def run(root: Path, target: str, command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        contained(root, target, command),
        env={"PATH": PATH, **settings},
        capture_output=True,
        text=True,
        timeout=120,
    )


def walked(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        yield from (Path(folder) / name for name in (*folders, *files))


def test_nobody_can_become_somebody_else_or_write(image: tuple[str, Path]) -> None:
    target, root = image
    for path in walked(root):
        if path.is_symlink():
            continue
        mode, name = path.lstat().st_mode, f"/{path.relative_to(root)}"
        assert not (path.is_file() and mode & 0o6000), f"{name} has the rights of its owner"
        if not mode & 0o1000 and not name.startswith(("/dev", "/proc", "/sys")):
            assert not mode & 0o002, f"{name} can be written to by everybody"
        owned = path.lstat().st_uid == 10001
        assert not owned or name.startswith(("/srv/static", "/run/")) or target == "single", f"{name} is its user's"


def test_what_makes_programs_stays_behind(image: tuple[str, Path]) -> None:
    _, root = image
    programs = {
        path.name for folder in ("usr/bin", "usr/local/bin", "opt/venv/bin") for path in (root / folder).glob("*")
    }
    assert not {name for name in programs if re.sub(r"-\d+$", "", name.split("-linux-gnu-")[-1]) in COMPILERS}
    assert not (root / "opt/venv/bin/pip").exists()
    assert not list((root / "var/lib/apt/lists").glob("*_*"))
    assert not list((root / "root").glob(".cache/*"))
    for name in (".env", "tests", "docs", ".git", "requirements.txt"):
        assert not (root / "app" / name).exists()
    assert not list((root / "app").rglob("secret_key"))


@contextmanager
def serving(root: Path, target: str, folder: Path, settings: dict[str, str]) -> Iterator[None]:
    command = shlex.join(["python", *words_of(target, "CMD")[1:]])
    process = Process(contained(root, target, command), folder / f"{target}.log", {"PATH": PATH, **settings})
    check = shlex.join(words_of(target, "HEALTHCHECK"))
    try:
        process.wait_until(lambda: run(root, target, check, **settings).stdout == "ready\n")
        assert "Uid:\t10001\t10001" in Path(f"/proc/{process.pid}/status").read_text()
        yield
    finally:
        ended = process.stop()
    assert ended == 0, process.output()


def words_of(target: str, instruction: str) -> list[str]:
    """The command that CMD or HEALTHCHECK has."""
    return json.loads(last(target, instruction).rpartition("CMD ")[2])


def test_it_serves_on_what_cannot_be_written_to(
    image: tuple[str, Path], builder: Builder, postgres: Postgres, redis: Redis, tmp_path: Path
) -> None:
    target, root = image
    if target not in ("web", "websocket"):
        pytest.skip("it is started in another way")
    settings = {
        "DATABASE_URL": postgres.fresh_database(),
        "REDIS_URL": redis.url,
        "SECRET_KEY": SECRET,
        "PUBLIC_URL": "https://chat.example.org",
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
    }
    assert run(root, target, "touch /app/here", **settings).stderr.endswith("Read-only file system\n")
    web = builder.mount("localhost/web")
    upgraded = run(web, "web", "python manage.py upgrade", **settings)
    assert upgraded.returncode == 0, upgraded.stdout + upgraded.stderr
    if target == "web":
        saved = run(web, "web", "sh -c 'python manage.py backup /tmp/saved && ls -s /tmp/saved'", **settings)
        assert saved.returncode == 0, saved.stdout + saved.stderr
    with serving(root, target, tmp_path, settings):
        pass
