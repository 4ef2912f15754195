"""What tools that others wrote make of us. The scripts beside this are run by Node: see ``tests.parts``."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.parts import node_command
from tests.unit.conftest import cast

__all__ = ["cast"]
NODE_SECONDS = 60


@pytest.fixture(scope="session")
def node() -> Callable[..., Any]:
    """Runs a script with arguments and something on its standard input; what it prints is JSON."""

    def run(script: str, *arguments: str, given: str = "") -> Any:
        command = node_command(script, *arguments)
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=NODE_SECONDS)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
