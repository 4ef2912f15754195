"""When a message starts a day, and when it goes on where its author had just been speaking."""

import json
import os
import subprocess

from tests.parts import node
from tests.servers import ROOT

AUTHOR = {"id": "g:1", "name": "Aki", "kind": "guest", "role": "none"}


def run(cases: list[tuple[dict, dict | None]], zone: str = "UTC") -> list[list[bool]]:
    """Of each message after another: whether it starts a day, and whether it goes on."""
    module = (ROOT / "static/js/lib/grouping.js").as_uri()
    program = (
        f"import {{ goesOn, startsDay }} from {json.dumps(module)};\n"
        f"const cases = {json.dumps(cases)}.map(([one, before]) => [one, before ?? undefined]);\n"
        "console.log(JSON.stringify(cases.map((each) => [startsDay(...each), goesOn(...each)])));"
    )
    command = [node(), "--input-type=module", "--eval", program]
    environment = {**os.environ, "TZ": zone}
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)


def message(at: str, **more: object) -> dict:
    return {"mid": at, "at": f"2026-03-03T{at}Z", "message": "", "html": "", "author": AUTHOR, **more}


def test_the_same_author_goes_on_for_five_minutes() -> None:
    first = message("10:00:00")
    cases = [
        (first, None),
        (message("10:04:59"), first),
        (message("10:05:00"), first),
        (message("10:01:00", author={**AUTHOR, "id": "g:2"}), first),
        (message("10:01:00", author={**AUTHOR, "name": "Mio"}), first),
        (message("10:01:00", author={**AUTHOR, "role": "moderator"}), first),
        (message("10:01:00", reply_to="x"), first),
        (message("10:01:00", edited_at="2026-03-03T10:02:00Z"), first),
    ]
    assert run(cases) == [[True, False], [False, True], *[[False, False]] * 6]


def test_a_day_begins_at_the_readers_midnight() -> None:
    cases = [(message("15:00:00"), message("14:59:00"))]
    assert run(cases, "Asia/Tokyo") == [[True, False]]
    assert run(cases, "Europe/Berlin") == [[False, True]]
