"""compose.yaml, the Dockerfile and what belongs to them, held against each other, against what they are written in, and
against the code."""

import fnmatch
import json
import re
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import settings
from tests.deploy.compose import FILE, interpolated, seconds
from tests.deploy.dockerfile import ARGUMENTS, STAGES, copies_of, last, line_of
from tests.parts import caddy
from tests.servers import ROOT

DOMAIN = "chat.example.org"
VARIABLE = re.compile(r"\$\{(\w+)")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|KEY|_URL$")
ADDRESSES = {"PUBLIC_URL", "REDIS_URL"}  # that hold no secret
TARGETS = ("web", "websocket", "single", "pushpin")
SECRETS = {  # who has which
    "secrets": {"web", "websocket", "scheduler", "migrate", "setup"},
    "secrets-postgres": {"postgres", "setup"},
    "secrets-pushpin": {"pushpin", "setup"},
}


def composed(**variables: str) -> dict[str, Any]:
    return interpolated(yaml.safe_load(FILE.read_text()), {"DOMAIN": DOMAIN, **variables})


COMPOSE = composed()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("engawa-")}
ENGAWA = {name: service for name, service in OURS.items() if "env_file" in service}
every_service = pytest.mark.parametrize("name", SERVICES)


def environment(name: str) -> dict[str, str]:
    return {key: str(value) for key, value in SERVICES[name].get("environment", {}).items()}


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


# compose.yaml ---------------------------------------------------------------------------------------------


def test_compose_is_as_its_specification_has_it() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_whoever_forgets_the_domain_is_told() -> None:
    with pytest.raises(ValueError, match=f"DOMAIN: .*DOMAIN={DOMAIN}"):
        interpolated(yaml.safe_load(FILE.read_text()), {})


def test_every_variable_is_documented() -> None:
    names = set(VARIABLE.findall(FILE.read_text()))
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \|", read("docs/deployment.md"), re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"\w+", row)}
    assert names - settings.env.names <= documented


@pytest.mark.parametrize("name", ENGAWA)
def test_every_setting_is_one(name: str) -> None:
    assert set(environment(name)) <= settings.env.names


@every_service
def test_no_secret_is_in_an_environment(name: str) -> None:
    told = {key for key in environment(name) if SECRET.search(key)}
    assert {key for key in told - ADDRESSES if not key.endswith("_FILE")} == set()
    assert not re.search(r"://[^/\s]*:[^/\s]*@", json.dumps(SERVICES[name])), "an address has a password in it"


@pytest.mark.parametrize("volume", SECRETS)
def test_each_secret_is_for_those_who_need_it(volume: str) -> None:
    who = {
        name: mount.split(":")
        for name, service in SERVICES.items()
        for mount in service.get("volumes", ())
        if mount.split(":")[0] == volume
    }
    assert set(who) == SECRETS[volume]
    assert {name for name, mount in who.items() if mount[2:] != ["ro"]} == {"setup"}


def test_every_path_and_name_is_there() -> None:
    mounts = [mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", ())]
    paths = {mount for mount in mounts if mount.startswith(".")}
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert set(mounts) - paths == set(COMPOSE["volumes"])
    networks = {network for service in SERVICES.values() for network in service.get("networks", ())}
    assert networks == set(COMPOSE["networks"])
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            condition = how["condition"]
            assert condition != "service_healthy" or "test" in SERVICES[other]["healthcheck"], (name, other)
            assert (condition == "service_completed_successfully") == (SERVICES[other]["restart"] == "no"), (
                name,
                other,
            )


@every_service
def test_every_container_has_what_it_needs_and_no_more(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert service["logging"]["options"]["max-size"]
    assert service["restart"] == ("no" if name in ("setup", "migrate") else "unless-stopped")
    assert "healthcheck" in service
    assert ("ports" in service) == (name == "caddy"), "one door"
    assert ("outside" in service.get("networks", ())) == (name == "caddy")


@every_service
def test_every_image_is_fixed_or_built_here(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].rpartition(":")
    assert image
    assert re.search(r"\d|^local$", tag)
    assert (name in OURS) == ("build" in SERVICES[name])
    if name in OURS:
        assert image == f"engawa-{SERVICES[name]['build']['target']}"


def test_as_many_may_come_as_is_said() -> None:
    """docs/scaling.md says what a connection takes; what Pushpin's take, docs/deployment.md."""
    assert _bytes("caddy") >= 10_000 * 110_000
    (most,) = re.findall(r"--stream-maxconn=(\d+)", read("deploy/pushpin/run"))
    assert _bytes("pushpin") >= int(most) * 50_000
    assert SERVICES["pushpin"]["ulimits"]["nofile"] > int(most)
    first, last_port = map(int, SERVICES["caddy"]["sysctls"]["net.ipv4.ip_local_port_range"].split())
    assert last_port - first > int(most)
    assert SERVICES["caddy"]["ulimits"]["nofile"] > 2 * int(most)
    for name in ("caddy", "web", "websocket", "pushpin"):
        assert SERVICES[name]["sysctls"]["net.core.somaxconn"] >= 4096, name
    redis = SERVICES["redis"]["command"]
    assert _amount(redis[redis.index("--maxmemory") + 1]) < _bytes("redis")


def _bytes(name: str) -> int:
    """How much memory a service may take."""
    return _amount(SERVICES[name]["deploy"]["resources"]["limits"]["memory"])


def _amount(said: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([gm])b?", said).groups()
    return int(number) * 1024 ** {"m": 2, "g": 3}[unit]


def test_backups_are_made_where_they_stay() -> None:
    folder = environment("scheduler")["BACKUP_FOLDER"]
    assert f"backups:{folder}" in SERVICES["scheduler"]["volumes"]
    assert any(f" {folder}" in value for _, value in STAGES["runtime"].steps), "its user may write there"
    assert composed(BACKUP_FOLDER="")["services"]["scheduler"]["environment"]["BACKUP_FOLDER"] == ""


@pytest.mark.parametrize("name", ENGAWA)
def test_who_leaves_has_the_time_for_it(name: str) -> None:
    if SERVICES[name]["restart"] != "no":
        assert seconds(SERVICES[name]["stop_grace_period"]) >= settings.DRAIN_SECONDS + 5
        longer = composed(STOP_SECONDS="610")["services"][name]
        assert seconds(longer["stop_grace_period"]) == 610


def test_addresses_and_ports_agree() -> None:
    front = COMPOSE["networks"]["front"]["ipam"]["config"]
    assert [config["subnet"] for config in front] == [environment("web")["TRUSTED_PROXIES"]]
    assert all(ip_network(config["subnet"]).is_private for config in front)
    port, metrics = environment("web")["PORT"], environment("web")["METRICS_PORT"]
    assert last("web", "EXPOSE").split() == [port, metrics]
    assert {environment(name)["PORT"] for name in ("web", "websocket", "caddy")} == {port}
    assert environment("pushpin")["PUSHPIN_TARGET"] == f"web:{port}"
    held = environment("pushpin")["PUSHPIN_LISTEN"]
    published = environment("pushpin")["PUSHPIN_PUBLISH"].split(":")[1]
    assert last("pushpin", "EXPOSE").split() == [held, published]
    assert f"PORT={held}" in last("pushpin", "ENV").split()
    assert f"http://pushpin:{published}?" in read("config/secrets.py")
    assert f"{{$PORT:{port}}}" in read("deploy/caddy/Caddyfile")
    assert f"{{$PUSHPIN:pushpin:{held}}}" in read("deploy/caddy/Caddyfile")
    for file in (ROOT / "deploy").glob("prometheus/prometheus.y*ml"):
        assert set(re.findall(r"port: (\d+)", file.read_text())) == {metrics}
    ports = {mount.split(":")[0] for mount in SERVICES["caddy"]["ports"]}
    assert ports == {"80", "443"}, "no other is seen from outside"


def test_the_edge_is_one_switch() -> None:
    edge = composed(COMPOSE_PROFILES="edge")["services"]
    assert SERVICES["pushpin"]["profiles"] == ["edge"]
    assert (environment("caddy")["EDGE"], edge["caddy"]["environment"]["EDGE"]) == ("", "on")
    assert environment("web")["GRIP_URL_FILE"] == ""
    assert edge["web"]["environment"]["GRIP_URL_FILE"] == "/run/engawa/grip_url"


# The Dockerfile -------------------------------------------------------------------------------------------


def test_hadolint_finds_nothing() -> None:
    done = subprocess.run(
        [Path(sys.prefix) / "bin" / "hadolint", "--no-color", ROOT / "Dockerfile"], capture_output=True
    )
    assert (done.returncode, done.stdout.decode()) == (0, "")


def test_the_base_is_fixed() -> None:
    assert re.fullmatch(r"python:3\.\d+-slim-\w+@sha256:[0-9a-f]{64}", ARGUMENTS["BASE"])
    assert {stage.base for stage in STAGES.values()} - set(STAGES) == {"${BASE}"}


@pytest.mark.parametrize("name", TARGETS)
def test_every_image_runs_as_nobody_in_particular(name: str) -> None:
    assert last(name, "USER").split(":")[0] == "10001"
    assert "useradd --uid 10001 " in STAGES["base"].last("RUN")
    assert json.loads(last(name, "HEALTHCHECK").partition("CMD ")[2])


@pytest.mark.parametrize("name", ["web", "websocket", "pushpin"])
def test_an_image_and_its_service_say_the_same(name: str) -> None:
    assert SERVICES[name]["build"]["target"] == name
    assert json.loads(last(name, "CMD")) == SERVICES[name]["command"]
    assert ["CMD", *json.loads(last(name, "HEALTHCHECK").partition("CMD ")[2])] == SERVICES[name]["healthcheck"]["test"]


def test_all_that_is_copied_is_there_and_goes_to_the_builder() -> None:
    let_in = [line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")]
    here = {path for name in STAGES for copy in STAGES[name].copies() if not copy.source for path in copy.paths}
    assert here
    for path in here:
        assert (ROOT / path).exists(), path
        assert any(path == name or path.startswith(name + "/") for name in let_in), path
    assert {name for name in let_in if not any(path == name or path.startswith(name + "/") for path in here)} == set()


def test_nothing_private_and_no_tests_go_to_the_builder() -> None:
    lines = read(".dockerignore").splitlines()
    assert next(line for line in lines if not line.startswith("#")) == "*"
    let_in = [line[1:] for line in lines if line.startswith("!")]
    for path in (".env", ".git", "var/secret_key", "tests", "docs", "bench"):
        assert not any(fnmatch.fnmatch(path, name) or path.startswith(name + "/") for name in let_in), path
    assert "**/.*" in lines


def test_only_what_makes_images_has_what_makes_packages() -> None:
    assert any("ensurepip" in value for _, value in STAGES["runtime"].steps)
    for name in ("web", "websocket", "single"):
        assert "runtime" in [stage.name for stage in line_of(name)]
        assert not {"packages", "code"} & {stage.name for stage in line_of(name)}
        assert "requirements.txt" not in {path for copy in copies_of(name) for path in copy.paths}


# Caddy ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profiles", ["", "edge"])
def test_caddy_takes_its_file_as_compose_gives_it(profiles: str) -> None:
    given = composed(COMPOSE_PROFILES=profiles, PROXY_OPTIONS=" ", BUFFERS="buffer_requests")["services"]["caddy"][
        "environment"
    ]
    file = ROOT / "deploy" / "caddy" / "Caddyfile"
    done = subprocess.run(
        [caddy(), "validate", "--config", file, "--adapter", "caddyfile"],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **{key: str(value) for key, value in given.items()}},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    formatted = subprocess.run([caddy(), "fmt", file], capture_output=True, text=True)
    assert formatted.stdout == file.read_text()


def test_every_variable_of_caddy_is_documented() -> None:
    names = set(re.findall(r"\{\$(\w+)", read("deploy/caddy/Caddyfile")))
    assert names <= set(re.findall(r"^\| `([A-Z_]+)`", read("docs/deployment.md"), re.MULTILINE))
