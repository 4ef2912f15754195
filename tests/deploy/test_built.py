"""The images, built for real from the Dockerfile, and what is in them run as in a container: as their user, on a
read-only root, with the volumes that compose.yaml gives them and no other place to write to. The base that the
Dockerfile names cannot be had everywhere; so Debian's own Python stands in for it.

For the long run: it takes minutes, and has to be root.
"""

import asyncio
import http.client
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from time import monotonic

import psutil
import pytest
import yaml

from tests import parts
from tests.clients import viewer
from tests.deploy.compose import FILE, interpolated, seconds
from tests.deploy.dockerfile import last
from tests.servers import ROOT, Postgres, Process, Redis, free_port

pytestmark = [
    pytest.mark.skipif(not parts.LONG, reason="it takes minutes"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root makes images here"),
    pytest.mark.timeout(900),
]
BASE = "localhost/base"
TARGETS = ("web", "websocket", "single", "pushpin")
COMPILERS = {"cc", "gcc", "g++", "c++", "clang", "make", "ld", "as", "strip"}
PATH = "/opt/venv/bin:/usr/local/bin:/usr/bin:/bin"
DOMAIN = "chat.example.org"
HEADERS = {"Host": DOMAIN, "X-Forwarded-Proto": "https"}
USER = 10001
SERVICES = interpolated(yaml.safe_load(FILE.read_text()), {"DOMAIN": DOMAIN})["services"]
SMALL_KIBIBYTES = 32  # of /tmp, for what should need none of it
SMALL = f"size={SMALL_KIBIBYTES}k"
POST = """
from chat import posting
from chat.identity import new_guest
from chat.models import Room
posting.post(new_guest(), Room.objects.get(slug="veranda").pk, "hello")
"""
SAID = "from chat.models import Message; print([each.text for each in Message.objects.all()])"


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

    @cache  # noqa: B019 – there is one, for as long as the tests of this file
    def image(self, target: str) -> Path:
        """Build a target. Returns where the files of its image can be looked at."""
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        given = [option for name, value in pip.items() for option in ("--env", f"{name}={value}")]
        for path in {value for value in pip.values() if Path(value).is_absolute() and Path(value).exists()}:
            given += ["--volume", f"{path}:{path}:ro"]
        ways = ["--format", "docker", "--isolation", "chroot", "--layers", "--pull-never"]
        name = f"localhost/{target}"
        self("bud", *ways, *given, "--build-arg", f"BASE={BASE}", "--target", target, "-t", name, ".")
        return Path(self("mount", self("from", "--pull-never", name)))


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


every_image = pytest.mark.parametrize("target", TARGETS)


class Contained:
    """What is in an image, run as a container of a service is, or of none: a read-only root, its user, its volumes in
    the folder ``volumes``, which have at first what the image has there, and of memory what the service says."""

    def __init__(self, builder: Builder, volumes: Path, service: str = "", target: str = "", tmp: str = "") -> None:
        said = SERVICES[service] if service else {}
        self.target = target or said["build"]["target"]
        self.root = builder.image(self.target)
        self.volumes = volumes
        self._memory = dict(where.split(":", 1) for where in said.get("tmpfs", ["/tmp:size=64m"]))
        if tmp:
            self._memory["/tmp"] = tmp
        own = last(self.target, "VOLUME")
        self._mounts = [mount.split(":") for mount in said.get("volumes", [f"own:{own}"] if own else [])]
        for name, where, *_ in self._mounts:
            self._make(volumes / name, self.root / where.lstrip("/"))

    def _make(self, volume: Path, there: Path) -> None:
        there.mkdir(parents=True, exist_ok=True)  # as an engine does for who mounts something there
        if not volume.exists():
            subprocess.run(["cp", "--archive", there, volume], check=True)

    def command(self, words: list[str]) -> list[str]:
        where, user = last(self.target, "WORKDIR") or "/", last(self.target, "USER")
        steps = [f"mount --bind {self.root} {self.root}", f"mount -o remount,ro,bind {self.root}"]
        steps += [f"mount -t tmpfs -o {options} none {self.root}{place}" for place, options in self._memory.items()]
        for name, place, *how in self._mounts:
            steps.append(f"mount --bind {self.volumes / name} {self.root}{place}")
            if how == ["ro"]:
                steps.append(f"mount -o remount,ro,bind {self.root}{place}")
        steps += [
            f"mount -t proc proc {self.root}/proc",
            f"mount --bind /dev {self.root}/dev",
            f"exec {shutil.which('chroot', path=os.defpath + ':/usr/sbin')} --userspec={user} {self.root} "
            f"/bin/sh -c {shlex.quote(f'cd {where} && exec {shlex.join(words)}')}",
        ]
        return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", "\n".join(steps)]

    def tried(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(list(words)), env={"PATH": PATH, **settings}, capture_output=True, text=True, timeout=120
        )

    def run(self, *words: str, **settings: str) -> str:
        """What it says, which must end well."""
        done = self.tried(*words, **settings)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def started(self, log: Path, settings: dict[str, str]) -> Iterator[Process]:
        """Its image's command, until it is well; then it leaves when it is told to."""
        check = words_of(self.target, "HEALTHCHECK")
        process = Process(self.command(words_of(self.target, "CMD")), log, {"PATH": PATH, **settings})
        try:
            process.wait_until(lambda: self.tried(*check, **settings).returncode == 0)
            theirs = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            for each in theirs:
                assert set(each.uids()) == {USER}, each
            yield process
        finally:
            ended = process.stop()
        assert ended == 0, process.output()
        assert not psutil.wait_procs(theirs, timeout=1)[1]


def words_of(target: str, instruction: str) -> list[str]:
    """The command that CMD or HEALTHCHECK has."""
    return json.loads(last(target, instruction).rpartition("CMD ")[2])


def walked(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        yield from (Path(folder) / name for name in (*folders, *files))


# What is in them ------------------------------------------------------------------------------------------


@every_image
def test_nobody_can_become_somebody_else_or_write(builder: Builder, target: str) -> None:
    root = builder.image(target)
    own = ("/srv/static", "/srv/backups", "/run/")
    for path in walked(root):
        if path.is_symlink():
            continue
        mode, name = path.lstat().st_mode, f"/{path.relative_to(root)}"
        assert not (path.is_file() and mode & 0o6000), f"{name} has the rights of its owner"
        if not mode & 0o1000 and not name.startswith(("/dev", "/proc", "/sys")):
            assert not mode & 0o002, f"{name} can be written to by everybody"
        owned = path.lstat().st_uid == USER
        assert not owned or name.startswith(own) or target == "single", f"{name} is its user's"


@every_image
def test_what_is_not_needed_stays_behind(builder: Builder, target: str) -> None:
    root = builder.image(target)
    programs = {
        path.name for folder in ("usr/bin", "usr/local/bin", "opt/venv/bin") for path in (root / folder).glob("*")
    }
    assert not {name for name in programs if re.sub(r"-\d+$", "", name.split("-linux-gnu-")[-1]) in COMPILERS}
    assert not list((root / "usr/share/perl").glob("5.*")), "there is all of Perl, and not only Debian's own"
    assert not (root / "opt/venv/bin/pip").exists()
    assert not list((root / "var/lib/apt/lists").glob("*_*"))
    assert not list((root / "root").glob(".cache/*"))
    for name in (".env", "tests", "docs", ".git", "requirements.txt"):
        assert not (root / "app" / name).exists()
    assert not list((root / "app").rglob("secret_key"))
    assert not [path for folder in ("opt", "app") for path in (root / folder).rglob("*.po")]
    assert {path.parent.name for path in (root / "opt").rglob("test")} <= {"django"}


# What they do ---------------------------------------------------------------------------------------------


class Site:
    """A machine with the volumes and networks of compose.yaml, on which the two jobs have been done."""

    def __init__(self, builder: Builder, folder: Path, postgres: Postgres, redis: Redis) -> None:
        self.builder, self.folder = builder, folder
        self.volumes = folder / "volumes"
        self.volumes.mkdir()
        self.published_at = free_port()
        setup = self.of("setup")
        setup.run(*SERVICES["setup"]["command"])
        self.tell("database_url", lambda said: postgres.fresh_database())
        self.tell("grip_url", lambda said: said.replace("pushpin:5561", f"127.0.0.1:{self.published_at}"))
        here = {"HOST": "127.0.0.1", "METRICS_HOST": "127.0.0.1", "REDIS_URL": redis.url, "LOG_FORMAT": "line"}
        self.here = {**here, "METRICS_PORT": "0", "TRUSTED_PROXIES": "127.0.0.1"}
        job = self.of("migrate")
        self.said = job.run(*SERVICES["migrate"]["command"], **self.settings("migrate"))

    def of(self, service: str, **more: str) -> Contained:
        return Contained(self.builder, self.volumes, service, **more)

    def tell(self, secret: str, change: Callable[[str], str]) -> None:
        """Have a secret, which its owner alone may read, name a place of this machine."""
        path = self.volumes / "secrets" / secret
        assert (path.stat().st_uid, path.stat().st_mode & 0o077) == (USER, 0)
        path.chmod(0o600)
        path.write_text(change(path.read_text()))

    def settings(self, service: str, **more: str) -> dict[str, str]:
        said = {name: str(value) for name, value in SERVICES[service]["environment"].items()}
        return {**said, **self.here, **more}

    def manage(self, service: str, *words: str, **options: str) -> str:
        return self.of(service, **options).run("python", "manage.py", *words, **self.settings(service))


@pytest.fixture
def site(builder: Builder, tmp_path: Path, postgres: Postgres, redis: Redis) -> Site:
    return Site(builder, tmp_path, postgres, redis)


@pytest.mark.parametrize("service", ["web", "websocket"])
def test_it_serves_on_what_cannot_be_written_to(site: Site, service: str) -> None:
    assert "static files were copied to /srv/static." in site.said
    assert list((site.volumes / "static").rglob("*.js"))
    here = site.of(service)
    metrics = free_port()
    settings = site.settings(service, PORT=str(free_port()), METRICS_PORT=str(metrics))
    for place in ("/app", "/srv/static", "/srv/backups", "/run/engawa", "/run", "/var/tmp", "/home"):
        assert here.tried("touch", f"{place}/here").stderr.endswith("Read-only file system\n"), place
    with here.started(site.folder / "log", settings):
        assert "engawa_" in asked(metrics, "/metrics")
        if service == "web":
            found = here.run("python", "manage.py", "doctor", "--inside", **settings)
            assert "WRONG" not in found, found
            assert "goes through the channel layer" in found


def asked(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers=HEADERS)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == 200, text
    return text


def test_what_is_due_is_done_and_backups_are_made_and_put_back(site: Site) -> None:
    """With next to nothing in /tmp, which is memory."""
    site.manage("scheduler", "create_room", "veranda")
    site.manage("scheduler", "shell", "-v0", "-c", POST)
    site.manage("scheduler", "schedule", "--once", tmp=SMALL)
    assert site.manage("scheduler", *SERVICES["scheduler"]["healthcheck"]["test"][3:]) == "What is due is done.\n"
    (made,) = (site.volumes / "backups").glob("engawa-*.zip")
    assert made.stat().st_size > 2 * SMALL_KIBIBYTES * 1024
    assert (made.stat().st_uid, made.stat().st_mode & 0o077) == (USER, 0)
    site.manage("scheduler", "backup", "/srv/backups/mine.zip", tmp=SMALL)
    site.manage("scheduler", "delete_room", "veranda", "--yes")
    assert site.manage("scheduler", "shell", "-v0", "-c", SAID) == "[]\n"
    site.manage("scheduler", "restore", "/srv/backups/mine.zip", "--yes", tmp=SMALL)
    assert site.manage("scheduler", "shell", "-v0", "-c", SAID) == "['hello']\n"


async def test_pushpin_holds_viewers_and_ends_when_it_is_told_to(site: Site) -> None:
    site.manage("scheduler", "create_room", "veranda")
    ours, port = free_port(), free_port()
    grip = {"GRIP_URL_FILE": "/run/engawa/grip_url"}
    addresses = {
        "PUSHPIN_TARGET": f"127.0.0.1:{ours}",
        "PUSHPIN_LISTEN": f"127.0.0.1:{port}",
        "PUSHPIN_PUBLISH": f"127.0.0.1:{site.published_at}",
        "PORT": str(port),
    }
    said = {name: str(value) for name, value in SERVICES["pushpin"]["environment"].items()}
    web = site.of("web").started(site.folder / "web.log", site.settings("web", PORT=str(ours), **grip))
    pushpin = site.of("pushpin").started(site.folder / "pushpin.log", {**said, **addresses})
    with web as process, pushpin as holding:
        async with viewer(f"http://127.0.0.1:{port}", "veranda", headers=HEADERS) as watching:
            post = site.of("scheduler").run
            words = ("python", "manage.py", "shell", "-v0", "-c", POST)
            await asyncio.to_thread(post, *words, **site.settings("scheduler", **grip))
            assert (await watching.event())["message"] == "hello"
            held = [each for each in psutil.Process(process.pid).net_connections("tcp") if each.laddr.port == ours]
            assert [each for each in held if each.status == psutil.CONN_ESTABLISHED][1:] == [], "we hold somebody"
        began = monotonic()
        holding.popen.terminate()
        await asyncio.to_thread(holding.popen.wait, 60)
        assert monotonic() - began < seconds(SERVICES["pushpin"]["stop_grace_period"])


def test_one_container_keeps_its_data(builder: Builder, tmp_path: Path) -> None:
    settings = {"PUBLIC_URL": f"https://{DOMAIN}", "PORT": str(free_port())}
    for time in range(2):
        box = Contained(builder, tmp_path, target="single")  # another container, on the same volume
        assert box.tried("touch", "/app/here").stderr.endswith("Read-only file system\n")
        with box.started(tmp_path / f"{time}.log", settings):
            if time == 0:
                box.run("python", "manage.py", "create_room", "veranda", **settings)
                secret = (tmp_path / "own" / "secret_key").read_text()
            assert "veranda" in asked(int(settings["PORT"]), "/chat/")
    assert (tmp_path / "own" / "secret_key").read_text() == secret
