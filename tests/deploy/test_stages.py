"""Every command and health check of the images, run on the very files that each holds, with the packages that it has,
and no other."""

import asyncio
import http.client
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.clients import participant
from tests.deploy.compose import Compose
from tests.deploy.dockerfile import Layout, last
from tests.imports import ROOT, imports_of
from tests.servers import Postgres, Process, Redis, free_port
from tests.unit.test_roles import ENTRIES, GRIP_URL, environment

DOMAIN = "chat.example.org"
HEADERS = {"Host": DOMAIN, "X-Forwarded-Proto": "https"}
SERVICES = Compose({"DOMAIN": DOMAIN}).services


class Started(Process):
    """A service's command in a layout, as a process."""

    def __init__(self, layout: Layout, name: str, settings: dict[str, str], folder: Path) -> None:
        self.layout, self.settings = layout, settings
        _, *command = SERVICES[name].command
        super().__init__(
            [layout.python, *command], folder / f"{name}.log", layout.environment(**settings), cwd=layout.cwd
        )

    def is_well(self) -> bool:
        done = self.layout.run(list(SERVICES["web"].health_check), **self.settings)
        return done.returncode == 0 and done.stdout == "ready\n"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return Layout("web", tmp_path_factory.mktemp("web"))


@pytest.fixture(scope="module")
def websocket(web: Layout, tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return Layout("websocket", tmp_path_factory.mktemp("websocket"), web)


@pytest.fixture(scope="module")
def secrets(web: Layout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made by the job that does so."""
    folder = tmp_path_factory.mktemp("secrets") / "run"
    *command, _ = SERVICES["setup"].command
    made = web.run([*command, str(folder)])
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="module")
def given(secrets: Path, postgres: Postgres, redis: Redis) -> dict[str, str]:
    """What compose.yaml gives to all roles, with places of this machine."""
    database = secrets / "database_url"
    database.chmod(0o600)
    database.write_text(postgres.fresh_database())
    said = {name: value for name, value in SERVICES["web"].environment.items() if value}
    places = {name: str(secrets / Path(value).name) for name, value in said.items() if name.endswith("_FILE")}
    grip = {"GRIP_URL_FILE": str(secrets / "grip_url")}  # so that what only it needs is looked for as well
    here = {"HOST": "127.0.0.1", "METRICS_HOST": "127.0.0.1", "METRICS_PORT": "0", "REDIS_URL": redis.url}
    return {**said, **places, **grip, **here}


@pytest.fixture(scope="module")
def static(web: Layout, given: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the job that brings all up to date puts files for Caddy."""
    folder = tmp_path_factory.mktemp("static")
    *command, _ = SERVICES["migrate"].command
    done = web.run([*command, str(folder)], **given)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@contextmanager
def running(layout: Layout, name: str, given: dict[str, str], folder: Path) -> Iterator[dict[str, str]]:
    """A service, which leaves when told to, and has written nowhere. Gives its settings."""
    settings = {**given, "PORT": str(free_port())}
    before = layout.files()
    process = Started(layout, name, settings, folder)
    try:
        process.wait_until(process.is_well)
        yield settings
    finally:
        ended = process.stop()
    assert ended == 0, process.output()
    assert layout.files() == before


def asked(settings: dict[str, str], path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", int(settings["PORT"]), timeout=10)
    connection.request("GET", path, headers=HEADERS)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


@pytest.mark.usefixtures("static")
def test_pages_name_files_that_caddy_has(web: Layout, given: dict[str, str], static: Path, tmp_path: Path) -> None:
    with running(web, "web", given, tmp_path) as settings:
        status, page = asked(settings, "/")
    assert status == 200
    named = re.findall(r'"/static/([^"?]+\.(?:js|css))"', page)
    assert named
    assert [name for name in named if not (static / name).is_file()] == []


@pytest.mark.parametrize("grip", ["", GRIP_URL])
def test_what_sockets_import_is_in_their_image(websocket: Layout, tmp_path: Path, grip: str) -> None:
    imports = imports_of(environment(tmp_path, GRIP_URL=grip), *ENTRIES)
    ours = {Path(file).relative_to(ROOT): name for name, file in imports.files.items() if _is_ours(file)}
    assert len(ours) > 50, "or nothing was looked at"
    read = {Path("pyproject.toml"): "config.collector"}  # for the version
    ours |= read
    missing = [path for path in ours if not (websocket.cwd / path).is_file()]
    assert not missing, "\n".join(f"{path} is not in it: {imports.chain(ours[path])}" for path in missing)
    if grip:  # of what is copied file by file
        there = {path.relative_to(websocket.cwd) for path in (websocket.cwd / "feeds").rglob("*.py")}
        assert there <= set(ours), "these nobody imports"


def _is_ours(file: str) -> bool:
    return Path(file).is_relative_to(ROOT) and not Path(file).relative_to(ROOT).parts[0].startswith((".", "tests"))


@pytest.mark.usefixtures("static")
async def test_sockets_need_no_more_than_their_image_has(
    web: Layout, websocket: Layout, given: dict[str, str], tmp_path: Path
) -> None:
    made = await asyncio.to_thread(web.run, ["python", "manage.py", "create_room", "lobby"], **given)
    assert made.returncode == 0, made.stderr
    assert not (websocket.cwd / "templates").exists()
    with running(websocket, "websocket", given, tmp_path) as settings:
        assert (await asyncio.to_thread(asked, settings, "/"))[0] == 426
        here = {"host": "127.0.0.1", "port": int(settings["PORT"])}
        come = partial(participant, f"ws://{DOMAIN}", "lobby", origin=f"https://{DOMAIN}", **here)
        async with come() as one, come() as other:
            assert (await one.post("hello"))["type"] == "posted"
            assert (await other.event())["message"] == "hello"


def test_one_container_needs_nothing(web: Layout, tmp_path: Path) -> None:
    """On a volume, which has what the image has there, as Docker sees to."""
    layout = Layout("single", tmp_path, web)
    port = str(free_port())
    _, *command = json.loads(last("single", "CMD"))
    check = json.loads(last("single", "HEALTHCHECK").partition("CMD ")[2])
    settings = {"PORT": port, "HOST": "127.0.0.1"}
    process = Process([layout.python, *command], tmp_path / "log", layout.environment(**settings), cwd=layout.cwd)
    try:
        process.wait_until(lambda: layout.run(check, **settings).stdout == "ready\n")
    finally:
        assert process.stop() == 0
    assert {"db.sqlite3", "secret_key", "static"} <= {path.name for path in (layout.cwd / "var").iterdir()}
