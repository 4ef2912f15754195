"""manage.py replay: a recorded conversation in a room of today."""

import asyncio
from pathlib import Path

from tests.clients import participant, viewer
from tests.servers import Engawa

LOG = """\
[04:46] <Aki> is anybody on the veranda?
=== Mio is now known as Mio_
[04:47]  * Aki listens
[04:47] <Mio_> \ufeffyes, see https://example.org
[04:47] <Aki> <script>alert(1)</script>
not a line
[04:48] <|Sven|>
[04:48] <Sven^> ok
"""


async def test_every_follower_gets_every_line(server: Engawa, tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    file.write_text(LOG)
    async with participant(server.sockets) as somebody, viewer(server.base) as watching:
        said = await asyncio.to_thread(server.manage, "replay", str(file), "--room", "lobby", "--rate", "500", "-v0")
        assert "4 messages posted to lobby" in said
        assert "1 refused, 3 lines not understood, 8 lines in all" in said
        for events in await asyncio.gather(somebody.events_until("ok"), watching.events_until("ok")):
            assert [(event["author"]["name"], event["message"]) for event in events] == [
                ("Aki", "is anybody on the veranda?"),
                ("Mio_", "\ufeffyes, see https://example.org"),
                ("Aki", "<script>alert(1)</script>"),
                ("Sven^", "ok"),
            ]
            assert events[0]["author"]["id"] == events[2]["author"]["id"]


def test_what_cannot_be_played_is_a_sentence(server: Engawa) -> None:
    import subprocess
    import sys

    from tests.servers import ROOT

    for arguments, sentence in [
        (["/nowhere", "--room", "lobby"], "cannot read /nowhere"),
        (["manage.py", "--room", "stream"], "That name is reserved"),
        (["manage.py", "--room", "lobby", "--rate", "0"], "a rate is more than 0"),
    ]:
        done = subprocess.run(
            [sys.executable, "manage.py", "replay", *arguments],
            cwd=ROOT,
            env=server.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode != 0
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
