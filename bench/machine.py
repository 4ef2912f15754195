"""What a run ran on."""

import platform
import sqlite3
import subprocess
import sys
from pathlib import Path

import psutil

from bench.placement import Cores


def machine(cores: Cores) -> dict[str, str]:
    return {
        "CPU": _cpu_model(),
        "cores": f"{len(cores.all)}: {cores}",
        "memory": f"{psutil.virtual_memory().total / 1024**3:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": sys.version.split()[0],
        "SQLite": sqlite3.sqlite_version,
    }


def commit() -> str:
    """The commit that was measured, where there is a repository; with a plus where files differ from it."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"],  # noqa: S607 – as it is on PATH
        capture_output=True,
        text=True,
    )
    return said.stdout.strip() or "unknown"


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def raise_file_limit() -> int:
    """As many open files as this user may have."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
