"""Pushpin and zurl, run by the very script and files that ship, on ports of our own."""

import base64
import os
import secrets
import shutil
import socket
import tempfile
from pathlib import Path

import httpx
import psutil

from tests.parts import pushpin_programs
from tests.servers import ROOT, Process, free_port


class Pushpin(Process):
    """In front of the process at ``target`` (host:port). ``base`` is where viewers come, ``grip_url`` what a process of
    ours is told of it. It keeps its ports and its key when it is started again. ``before`` is what comes before the
    script in its command."""

    def __init__(
        self,
        folder: Path,
        target: str,
        *,
        before: list[str] | None = None,
        user: str | None = None,
        wait: bool = True,
        **settings: str,
    ) -> None:
        pushpin_programs()
        self.port, self.publish_port = free_port(), free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.run = Path(tempfile.mkdtemp(prefix="pp-", dir="/tmp"))
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        self.grip_url = f"http://127.0.0.1:{self.publish_port}?iss=engawa&key=base64:{key}"
        (self.run / "grip_key").write_text(f"{key}\n")
        environment = {
            **os.environ,
            "PUSHPIN_TARGET": target,
            "PUSHPIN_LISTEN": f"127.0.0.1:{self.port}",
            "PUSHPIN_PUBLISH": f"127.0.0.1:{self.publish_port}",
            "PUSHPIN_RUN": str(self.run / "run"),
            "GRIP_KEY_FILE": str(self.run / "grip_key"),
            **settings,
        }
        if user:
            for path in (self.run, self.run / "grip_key"):
                shutil.chown(path, user)
        command = [*(before or []), str(ROOT / "deploy" / "pushpin" / "run")]
        super().__init__(command, folder / "pushpin.log", environment, user=user)
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        self.wait_until(lambda: _listens(self.publish_port) and self.asked() != 0)

    def asked(self, path: str = "/health/ready") -> int:
        """The status that it answers with. 0 where it does not."""
        try:
            return httpx.get(f"{self.base}{path}", timeout=5).status_code
        except httpx.TransportError:
            return 0

    def processes(self) -> list[psutil.Process]:
        """What it consists of."""
        return psutil.Process(self.pid).children(recursive=True)

    def kill(self) -> None:
        theirs = self.processes()
        super().kill()
        for process in theirs:
            process.kill()
        psutil.wait_procs(theirs)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.run, ignore_errors=True)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
