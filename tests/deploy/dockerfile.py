"""The Dockerfile, read, and what its stages would hold: the very files, laid out in a folder, with a Python that finds
the packages of that stage and no others."""

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import distribution
from io import BytesIO
from pathlib import Path, PurePosixPath

from dockerfile_parse import DockerfileParser
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.servers import ROOT

FILE = ROOT / "Dockerfile"
# What is installed for whoever starts from what, and what is run there to make files: all else that is run needs a
# system of its own.
REQUIREMENTS = {"packages-web": "requirements.txt", "packages-websocket": "requirements-websocket.txt"}
RUN_FOR_FILES = ("code",)


@dataclass
class Stage:
    name: str
    base: str  # another stage, or an image
    steps: list[tuple[str, str]] = field(default_factory=list)  # instruction and value, in order

    def last(self, instruction: str) -> str:
        """What it says with its last ``instruction``, or nothing."""
        return next((value for name, value in reversed(self.steps) if name == instruction), "")

    def copies(self) -> list["Copy"]:
        return [Copy(value) for name, value in self.steps if name == "COPY"]


class Copy:
    """``source`` is the stage to copy ``paths`` from, or nothing for what lies here."""

    def __init__(self, value: str) -> None:
        words = value.split()
        self.source = next((word.removeprefix("--from=") for word in words if word.startswith("--from=")), "")
        *self.paths, self.target = [word for word in words if not word.startswith("--")]


def read() -> tuple[dict[str, str], dict[str, Stage]]:
    """The arguments before the first stage, and the stages by name."""
    arguments: dict[str, str] = {}
    stages: dict[str, Stage] = {}
    stage = None
    for step in DockerfileParser(fileobj=BytesIO(FILE.read_bytes()), build_args={}).structure:
        instruction, value = step["instruction"], step["value"]
        if instruction == "FROM":
            base, _, name = value.split()
            stage = stages[name] = Stage(name, base)
        elif instruction == "ARG" and stage is None:
            name, _, default = value.partition("=")
            arguments[name] = default
        elif instruction != "COMMENT":
            stage.steps.append((instruction, value))
    return arguments, stages


ARGUMENTS, STAGES = read()


def line_of(name: str) -> list[Stage]:
    """A stage and those it starts from, the first of them first."""
    stage = STAGES[name]
    return [*(line_of(stage.base) if stage.base in STAGES else []), stage]


def last(name: str, instruction: str) -> str:
    """What holds in a stage: said there, or in what it starts from."""
    return next((value for stage in reversed(line_of(name)) if (value := stage.last(instruction))), "")


class Layout:
    """What a stage holds, in a folder. What is run there finds its files, and a Python with its packages. What another
    has laid out is not made again."""

    def __init__(self, name: str, folder: Path, other: "Layout | None" = None) -> None:
        self._folder = folder
        self._roots: dict[str, Path] = {} if other is None else {**other._roots}
        self._python(requirements_of(name))
        self.root = self._lay_out(name)
        self.cwd = _within(self.root, last(name, "WORKDIR"))

    @property
    def python(self) -> str:
        return str(self._folder / "bin" / "python")

    def environment(self, **settings: str) -> dict[str, str]:
        return {"PATH": f"{self._folder / 'bin'}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1", **settings}

    def run(self, command: list[str], **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.cwd, env=self.environment(**settings), capture_output=True, text=True, timeout=60
        )

    def files(self) -> dict[str, int]:
        """Every file there, and when it was last written to."""
        return {str(path): path.stat().st_mtime_ns for path in self.root.rglob("*")}

    def _python(self, requirements: str) -> None:
        """A ``python`` that has the packages that are required and none beside."""
        packages = self._folder / "packages"
        packages.mkdir()
        (self._folder / "bin").mkdir()
        for name in distributions(requirements):
            for file in distribution(name).files or ():
                top = file.parts[0]
                if top not in ("..", "/", "__pycache__") and not (packages / top).exists():
                    (packages / top).symlink_to(distribution(name).locate_file(top))
        python = Path(self.python)
        # Without what is installed for the tests: -S leaves it out.
        python.write_text(
            f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(packages))} exec {shlex.quote(sys.executable)} -S "$@"\n'
        )
        python.chmod(0o755)

    def _lay_out(self, name: str) -> Path:
        """The root of a stage's files, made where that was not done yet."""
        if name in self._roots:
            return self._roots[name]
        root = self._roots[name] = self._folder / name
        where = PurePosixPath("/")
        for stage in line_of(name):
            for instruction, value in stage.steps:
                if instruction == "WORKDIR":
                    where = where / value
                elif instruction == "COPY":
                    self._copy(Copy(value), root, where)
                elif instruction == "RUN" and stage.name in RUN_FOR_FILES:
                    self._run_for_files(value, _within(root, str(where)))
        return root

    def _copy(self, copy: Copy, root: Path, where: PurePosixPath) -> None:
        if copy.source in REQUIREMENTS or any(path in REQUIREMENTS.values() for path in copy.paths):
            return  # what packages are there is seen to
        source = self._lay_out(copy.source) if copy.source else ROOT
        for path in copy.paths:
            found, target = _within(source, path), _within(root, str(where / copy.target))
            if found.is_dir():
                shutil.copytree(found, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
            else:
                target = target / found.name if copy.target.endswith("/") else target
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(found, target)

    def _run_for_files(self, script: str, cwd: Path) -> None:
        script = script.replace("/opt/venv/bin/python", "python")
        done = subprocess.run(["sh", "-ec", script], cwd=cwd, env=self.environment(), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def requirements_of(name: str) -> str:
    """The file that says what packages a stage has."""
    return next(REQUIREMENTS[copy.source] for copy in copies_of(name) if copy.source in REQUIREMENTS)


def copies_of(name: str) -> list[Copy]:
    return [copy for stage in line_of(name) for copy in stage.copies()]


def distributions(file: str) -> set[str]:
    """The names of all that is installed by a file of requirements."""
    waiting = [Requirement(line) for line in (ROOT / file).read_text().splitlines() if line and line[0] not in "#-"]
    found: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        for extra in ("", *requirement.extras):
            name = canonicalize_name(requirement.name)
            if (name, extra) in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
                continue
            found.add((name, extra))
            for line in distribution(name).requires or ():
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    needed.marker = None
                    waiting.append(needed)
    return {name for name, _ in found}


def _within(root: Path, path: str) -> Path:
    return root / path.lstrip("/")
