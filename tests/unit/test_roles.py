"""The role without pages: what it loads, what it needs installed, and in what order things are imported."""

import os
import re
import subprocess
import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from django.apps import apps
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from chat.models import User
from tests.imports import ROOT, Imports, imports_of
from tests.servers import engawa_environment

ENTRIES = ("config.asgi_websocket", "config.serve", "config.serving", "config.server")
ONLY_FOR_PAGES = {
    "pages and what they are made of": "config.urls config.asgi config.delivery servestatic csp segno rcssmin rjsmin",
    "Django's pages": "django.contrib.admin django.contrib.staticfiles django.contrib.messages django.shortcuts",
    "the API": "ninja pydantic chat.api chat.api_door chat.api_schemas chat.middleware",
    "archives, and webhooks once there are some": "tqdm httpx httpcore",
    "our pages": "feeds chat.pages chat.words chat.pwa chat.admin_app chat.admin_site chat.accounts chat.listing",
    "GRIP, where there is a proxy": "django_eventstream django_grip gripcontrol pubcontrol requests jwt",
}
OURS = {"config", "chat", "feeds"}
GRIP_URL = "http://127.0.0.1:5561?iss=engawa&key=base64:a2V5"


def environment(folder: Path, **settings: str) -> dict[str, str]:
    return engawa_environment(
        folder, **{"REDIS_URL": "redis://127.0.0.1:1/0", "ROLE": "", "GRIP_URL": "", "PYTHONWARNINGS": "", **settings}
    )


def run(folder: Path, code: str, **settings: str) -> tuple[int, str]:
    """Run ``code`` in a process of its own. Returns its exit code and all that it said."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(folder, **settings),
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def imports(tmp_path_factory: pytest.TempPathFactory) -> Imports:
    return imports_of(environment(tmp_path_factory.mktemp("imports")), *ENTRIES)


# What is loaded -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("why", ONLY_FOR_PAGES)
def test_what_only_pages_need_is_not_imported(imports: Imports, why: str) -> None:
    found = [name for package in ONLY_FOR_PAGES[why].split() for name in imports.within(package)[:1]]
    assert not found, "\n".join(f"only for pages ({why}): {imports.chain(name)}" for name in found)


def test_no_module_of_pages_is_imported_whatever_its_name(imports: Imports) -> None:
    """Of those that are not there yet."""
    of_pages = re.compile(r"(chat|feeds|config)\.(\w+_)?(views|forms|urls|admin)\b")
    found = [name for name in imports.askers if of_pages.match(name)]
    assert not found, "\n".join(map(imports.chain, found))


def test_the_way_to_an_import_is_told(tmp_path: Path) -> None:
    everything = imports_of(environment(tmp_path), "config.asgi")
    assert everything.chain("csp").startswith("config.asgi -> ")
    assert everything.chain("csp").endswith(" -> csp")
    assert "chat.admin" in everything
    assert "feeds.streams" in everything


def test_with_a_grip_proxy_publishing_is_loaded_and_no_page(tmp_path: Path) -> None:
    imports = imports_of(environment(tmp_path, GRIP_URL=GRIP_URL), *ENTRIES)
    assert set(imports.within("feeds")) == {
        "feeds",
        *(f"feeds.{name}" for name in ("apps", "encoders", "grip", "publishing")),
    }
    for package in ("config.urls", "django.contrib.admin", "csp", "ninja", "servestatic", "httpx"):
        assert not imports.within(package), imports.chain(package)


# What is installed ----------------------------------------------------------------------------------------


def lines(file: str) -> list[str]:
    return [line for line in (ROOT / file).read_text().splitlines() if line and not line.startswith("#")]


def test_the_requirements_are_a_strict_part_of_all() -> None:
    assert set(lines("requirements-websocket.txt")) < set(lines("requirements.txt"))


def closure(requirements: list[str]) -> set[str]:
    """The names of these distributions and of all that they need."""
    found: set[tuple[str, str]] = set()
    waiting = [(Requirement(line), "") for line in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        for wanted in ("", *requirement.extras):
            key = canonicalize_name(requirement.name), wanted
            if key not in found:
                found.add(key)
                needs = distribution(requirement.name).requires or []
                waiting += [(Requirement(need), wanted) for need in needs]
    return {name for name, _ in found}


@pytest.mark.parametrize("grip_url", ["", GRIP_URL])
def test_nothing_is_imported_that_they_do_not_bring(tmp_path: Path, grip_url: str) -> None:
    imports = imports_of(environment(tmp_path, GRIP_URL=grip_url), *ENTRIES)
    enough = closure(lines("requirements-websocket.txt"))
    owners = packages_distributions()
    strangers = {
        name: imports.chain(name)
        for name, file in imports.files.items()
        if "site-packages" in file
        for owned_by in [{canonicalize_name(owner) for owner in owners.get(name.partition(".")[0], [])}]
        if owned_by and not owned_by & enough
    }
    # What a library of those asks for and does not bring, it does without where it is not there.
    asked_by_us = [chain for name, chain in strangers.items() if imports.askers[name].partition(".")[0] in OURS]
    assert not asked_by_us, "\n".join(asked_by_us)
    assert len(imports.files) > 500, "or nothing was looked at"


# In what order --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["chat.routing", "chat.models", "chat.consumers", "config.server", "chat.health"])
@pytest.mark.parametrize("knows_settings", [True, False])
def test_ours_before_django_is_set_up_says_what_to_do(tmp_path: Path, first: str, knows_settings: bool) -> None:
    entry = tmp_path / "wrong.py"
    entry.write_text(f"import {first}\nimport django\ndjango.setup(set_prefix=False)\n")
    code = f"import runpy; runpy.run_path({str(entry)!r})"
    more = {"DJANGO_SETTINGS_MODULE": "config.settings"} if knows_settings else {}
    status, said = run(tmp_path, code, **more)
    assert status == 1
    last = said.strip().splitlines()[-1]
    assert last.startswith("chat.order.ImportedTooEarly: Engawa's models and doors were imported before Django was")
    assert f"by {entry}:1" in last
    assert "Call django.setup(set_prefix=False) first" in last


def test_choosing_the_role_too_late_says_what_to_do(tmp_path: Path) -> None:
    status, said = run(tmp_path, "import config.asgi; import config.asgi_websocket")
    assert status == 1
    last = said.strip().splitlines()[-1]
    assert last.startswith("config.role.TooLate: Settings were loaded for ROLE=all before ROLE=websocket was chosen.")
    assert "set ROLE=websocket in the environment, or import config.asgi_websocket first" in last


def test_pages_are_not_served_with_the_settings_of_sockets(tmp_path: Path) -> None:
    status, said = run(tmp_path, "import config.asgi", ROLE="websocket")
    assert status == 1
    assert "ROLE: config.asgi serves pages, which websocket has not. Serve config.asgi_websocket" in said


def test_sockets_alone_need_a_redis(tmp_path: Path) -> None:
    status, said = run(tmp_path, "import config.asgi_websocket", REDIS_URL="")
    assert status == 1
    assert "REDIS_URL: the role websocket is one of several processes, which need a Redis between them." in said


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "usage: python -m config.serve {web,websocket}"),
        (["all"], 2, "usage: python -m config.serve {web,websocket}"),
        (["web", "websocket"], 2, "usage: python -m config.serve {web,websocket}"),
        (["websocket"], 1, "engawa: PORT: 0 is not between 1 and 65535"),
    ],
)
def test_a_wrong_call_is_explained(tmp_path: Path, arguments: list[str], status: int, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "config.serve", *arguments],
        cwd=ROOT,
        env=environment(tmp_path, PORT="0"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr.strip(), done.stdout) == (status, said, "")


# Tables ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["all", "web", "websocket"])
def test_no_role_has_other_models(tmp_path: Path, role: str) -> None:
    code = (
        "import django\ndjango.setup(set_prefix=False)\nfrom django.core.management import call_command\n"
        "call_command('makemigrations', check=True, dry_run=True)"
    )
    status, said = run(tmp_path, code, ROLE=role, DJANGO_SETTINGS_MODULE="config.settings")
    assert (status, said.strip()) == (0, "No changes detected")


def test_commands_know_every_table_whatever_the_role(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "showmigrations"],
        cwd=ROOT,
        env=environment(tmp_path, ROLE="websocket"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    known = {line for line in done.stdout.splitlines() if line and not line.startswith(" ")}
    assert known == {config.label for config in apps.get_app_configs() if os.path.isdir(f"{config.path}/migrations")}


def test_what_is_left_out_refers_to_accounts_alone() -> None:
    """A row that another app's rows refer to can only be deleted where that app is known. Sockets delete no account."""
    of_sockets = {"chat", "auth", "contenttypes", "sessions"}
    others = [model for model in apps.get_models() if model._meta.app_label not in of_sockets]
    referred = {
        field.related_model
        for model in others
        for field in model._meta.get_fields()
        if field.many_to_one and field.related_model._meta.app_label in of_sockets - {"contenttypes"}
    }
    assert referred == {User}


# Secrets in files -----------------------------------------------------------------------------------------


def test_the_addresses_of_database_and_redis_may_be_in_files(tmp_path: Path) -> None:
    (tmp_path / "database").write_text(f"sqlite:///{tmp_path}/other.sqlite3\n")
    (tmp_path / "redis").write_text("redis://one:6379/0, redis://two:6379/0\n")
    code = "from config import settings; print(settings.DATABASES['default']['NAME'], *settings.REDIS_URLS)"
    files = {"DATABASE_URL_FILE": str(tmp_path / "database"), "REDIS_URL_FILE": str(tmp_path / "redis")}
    status, said = run(tmp_path, code, DATABASE_URL="", REDIS_URL="", **files)
    assert status == 0, said
    assert said.split() == [f"{tmp_path}/other.sqlite3", "redis://one:6379/0", "redis://two:6379/0"]
    status, said = run(tmp_path, code, **files)
    assert status == 1
    assert "DATABASE_URL and DATABASE_URL_FILE are both set: keep one of them." in said
