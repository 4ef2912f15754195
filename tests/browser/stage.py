"""A house with rooms in every state, and an empty one, for looking at every page in every state."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.servers import Engawa

NOON = datetime(2026, 5, 16, 12, tzinfo=UTC)  # of the day on which most was said
PREPARE = "import json; from tests.browser.stage_data import build; print(json.dumps(build()))"
# So that a page holds few messages, and has earlier ones.
FULL = {"PAGE_MESSAGES": "24", "POSTS_PER_MINUTE": "0", "REPORTS_PER_HOUR": "0", "SEARCHES_PER_MINUTE": "0"}
BARE = {"POSTS_PER_MINUTE": "1"}
PREPARE_BARE = "from chat import actions; actions.make_room(None, 'hush', 'Hush', 'unlisted')"


class Stage:
    """Two servers: the ``full`` house, and the ``bare`` one, where nobody is yet and little is allowed at once."""

    def __init__(self, full: Engawa, bare: Engawa) -> None:
        self.full, self.bare = full, bare
        made = json.loads(full.shell(PREPARE))
        bare.shell(PREPARE_BARE)
        self.facts: dict[str, str] = made["facts"]
        self.sessions: dict[str, str] = made["sessions"]
        self.guests: dict[str, str] = made["guests"]

    def cookies(self, who: str) -> list[dict[str, str]]:
        """What the browser of somebody keeps."""
        found = {"sessionid": self.sessions.get(who), "guest": self.guests.get(who)}
        return [{"name": name, "value": value, "url": self.full.base} for name, value in found.items() if value]


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    with ExitStack() as stack:
        servers = []
        for name, settings in (("full", FULL), ("bare", BARE)):
            (folder / name).mkdir(parents=True)
            servers.append(Engawa(folder / name, wait=False, **settings))
            stack.callback(servers[-1].stop)
        for server in servers:
            server.wait_until_ready()
        yield Stage(*servers)
