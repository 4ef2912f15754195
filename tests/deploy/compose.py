"""compose.yaml, read as Docker Compose reads it, as far as it says what runs."""

import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.servers import ROOT

FILE = ROOT / "compose.yaml"
STOP_SECONDS = 10.0  # where nothing is said
_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|(?P<bare>\w+)|\{(?P<name>\w+)(?:(?P<how>:?[-?+])(?P<other>[^}]*))?\})")
_DURATION = re.compile(r"(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?")


@dataclass(frozen=True)
class Volume:
    """``source`` is a volume's name, or a path that begins with ``.`` or ``/``."""

    source: str
    target: str
    is_read_only: bool


@dataclass(frozen=True)
class Service:
    name: str
    image: str
    command: tuple[str, ...]  # none: what the image has
    environment: Mapping[str, str]
    env_files: tuple[str, ...]
    volumes: tuple[Volume, ...]
    depends_on: Mapping[str, str]  # the condition of each
    health_check: tuple[str, ...]  # a command; none where there is no check
    restart: str
    replicas: int
    stop_signal: signal.Signals
    stop_seconds: float


class Compose:
    """The services that run with the profiles that COMPOSE_PROFILES names, by their names; its volumes, and the subnets
    of its networks."""

    def __init__(self, variables: Mapping[str, str], file: Path = FILE) -> None:
        content = interpolated(yaml.safe_load(file.read_text()), variables)
        profiles = set(variables.get("COMPOSE_PROFILES", "").split(","))
        self.services = {
            name: _service(name, said)
            for name, said in content["services"].items()
            if not said.get("profiles") or profiles & set(said["profiles"])
        }
        self.volumes = tuple(content.get("volumes", ()))
        self.subnets = {
            config["subnet"]
            for said in content.get("networks", {}).values()
            for config in (said or {}).get("ipam", {}).get("config", ())
        }


def interpolated(content: Any, variables: Mapping[str, str]) -> Any:
    """``content`` with its ``${…}`` filled in. Raises ``ValueError`` where one is asked for that is not there."""
    if isinstance(content, dict):
        return {key: interpolated(value, variables) for key, value in content.items()}
    if isinstance(content, list):
        return [interpolated(value, variables) for value in content]
    if not isinstance(content, str):
        return content

    def fill(found: re.Match[str]) -> str:
        if found["dollar"]:
            return "$"
        name, how, other = found["bare"] or found["name"], found["how"] or "", found["other"] or ""
        value = variables.get(name)
        is_there = value is not None and (value or ":" not in how)
        if how.endswith("+"):
            return other if is_there else ""
        if is_there:
            return value
        if how.endswith("?"):
            raise ValueError(f"{name}: {other or 'must be set'}")
        return other

    return _VARIABLE.sub(fill, content)


def seconds(said: str) -> float:
    """A duration, such as ``1m30s``. Raises ``ValueError``."""
    found = _DURATION.fullmatch(said)
    if not said or not found:
        raise ValueError(f"{said!r} is no duration")
    minutes, whole, thousandths = (int(part or 0) for part in found.groups())
    return minutes * 60 + whole + thousandths / 1000


def _service(name: str, said: dict[str, Any]) -> Service:
    checked = said.get("healthcheck", {})
    check = ["NONE"] if checked.get("disable") else checked.get("test", ["NONE"])
    assert isinstance(check, list), f"{name}: its health check is not a list"
    assert check[0] in ("CMD", "NONE"), f"{name}: its health check needs a shell"
    files = said.get("env_file", ())
    return Service(
        name=name,
        image=said["image"],
        command=tuple(said.get("command", ())),
        environment={key: str(value) for key, value in said.get("environment", {}).items()},
        env_files=tuple(file if isinstance(file, str) else file["path"] for file in files),
        volumes=tuple(map(_volume, said.get("volumes", ()))),
        depends_on={other: how["condition"] for other, how in said.get("depends_on", {}).items()},
        health_check=tuple(check[1:]),
        restart=said.get("restart", "no"),
        replicas=said.get("deploy", {}).get("replicas", 1),
        stop_signal=signal.Signals[said.get("stop_signal", "SIGTERM")],
        stop_seconds=seconds(said["stop_grace_period"]) if "stop_grace_period" in said else STOP_SECONDS,
    )


def _volume(said: str) -> Volume:
    source, target, *mode = said.split(":")
    return Volume(source, target, mode == ["ro"])
