"""Pages as a phone shows them, judged by Lighthouse."""

import json
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import bench
from bench.errors import Failed
from bench.long_history import ROOM, long_history
from bench.measuring import Bench, Case, Figures
from bench.placement import on_core
from tests.parts import chromium, node, node_packages

HERE = Path(bench.__file__).resolve().parent / "lighthouse"
MESSAGES = 200
PATIENCE_SECONDS = 180
PAGES = {"start page": "/", "room page": f"/chat/{ROOM}/", "watch page": f"/feeds/{ROOM}/"}


def measure(bench: Bench, case: Case) -> Figures:
    database = bench.services.folder / "lighthouse.sqlite3"
    shutil.copy(long_history(bench.services, MESSAGES), database)
    connection = sqlite3.connect(database)
    with connection:
        connection.execute("UPDATE chat_room SET is_indexed = 1 WHERE slug = ?", [ROOM])
    connection.close()
    cores = bench.services.cores
    others = [core for core in cores.all if core != cores.server] or [cores.server]
    with bench.running(case, DATABASE_URL=f"sqlite:///{database}") as running, on_core(*others):
        judged = judge(f"http://127.0.0.1:{running.port}{PAGES[case.situation]}")
    scores = judged["scores"]
    for missed in judged["missed"]:
        print(f"\n  {missed}", end="")
    return {
        "performance": scores["performance"] * 100,
        "accessibility": scores["accessibility"] * 100,
        "best_practices": scores["best-practices"] * 100,
        "seo": scores["seo"] * 100,
        **{name: judged[name] for name in ("first_ms", "largest_ms", "blocked_ms", "shift")},
        "kilobytes": judged["bytes"] / 1024,
    }


def judge(address: str) -> dict:
    """What ``judge.js`` says of a page."""
    node_packages(HERE)
    environment = {**os.environ, "CHROME_PATH": chromium()}
    done = subprocess.run(  # noqa: S603 – a command of ours
        [node(), str(HERE / "judge.js"), address],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    if done.returncode:
        raise Failed(f"Lighthouse: {(done.stderr.strip() or 'it said nothing').splitlines()[-1]}")
    return json.loads(done.stdout)


def lighthouse(quick: bool, systems: list[str]) -> list[list[Case]]:
    return [[Case("lighthouse", page, key, measure) for page in PAGES for key in systems if key == "engawa-daphne"]]
