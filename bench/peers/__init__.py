"""Systems that are not in Python, installed where they are asked for."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from bench import wire
from bench.errors import Failed
from bench.services import BENCH_FOLDER, Services
from bench.systems import SSE, WS, System
from tests.parts import install_packages
from tests.servers import Process, free_port

HERE = Path(__file__).resolve().parent
NODE_FOLDER = BENCH_FOLDER / "node"


class Node(System):
    """A script beside this file, on Node with the packages that package-lock.json fixes."""

    script: str
    package: str

    def prepare(self) -> None:
        if not shutil.which("node") or not shutil.which("npm"):
            install_packages("nodejs", "npm")
        if not shutil.which("npm"):
            raise Failed("There is no npm, and none could be installed. Install Node.js.")
        wanted = (HERE / "package-lock.json").read_bytes()
        have = NODE_FOLDER / "package-lock.json"
        if not (NODE_FOLDER / "node_modules").is_dir() or have.read_bytes() != wanted:
            NODE_FOLDER.mkdir(parents=True, exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, NODE_FOLDER)
            subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=NODE_FOLDER, check=True)  # noqa: S607 – as it is on PATH

    def start(self, services: Services, folder: Path, **options: Any) -> tuple[Process, int, dict[str, str]]:
        port = free_port()
        environment = {**os.environ, "NODE_PATH": str(NODE_FOLDER / "node_modules")}
        return Process(["node", str(HERE / self.script), str(port)], folder / "server.log", environment), port, {}

    def version(self) -> str:
        node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S607 – as it is on PATH
        lock = (HERE / "package-lock.json").read_text()
        (version,) = re.findall(rf'"node_modules/{re.escape(self.package)}": {{\s*"version": "([^"]+)"', lock)
        return f"{self.package} {version}, Node {node.removeprefix('v')}"


class NodeWs(Node):
    key = "node-ws"
    title = "Node ws, no deflate"
    script = "ws.js"
    package = "ws"
    rooms = False

    def request(self, transport: str, room: str, port: int, after: int | None) -> bytes:
        return wire.socket_request("/", port)


class SocketIO(Node):
    key = "socket-io"
    title = "Socket.IO, WebSocket"
    script = "socketio.js"
    package = "socket.io"
    separator = ":"
    greeting = wire.client_frame("40")

    def ready(self, transport: str) -> bytes:
        return b'40{"sid"'

    def request(self, transport: str, room: str, port: int, after: int | None) -> bytes:
        return wire.socket_request(f"/socket.io/?EIO=4&transport=websocket&room={room}", port)

    def publication(self, text: str) -> bytes:
        return wire.client_frame(f'42["message",{{"message":"{text}"}}]')


class Nchan(System):
    key = "nchan"
    title = "nchan (nginx), one worker"
    transports = (WS, SSE)
    hears_itself = False

    def prepare(self) -> None:
        if not _nginx() or not _module():
            install_packages("nginx-core", "libnginx-mod-nchan")
        if not _nginx() or not _module():
            raise Failed("There is no nginx with nchan, and none could be installed. Install libnginx-mod-nchan.")

    def ready(self, transport: str) -> bytes:
        return b"\r\n\r\n" if transport == WS else b": hi"

    @property
    def publisher_ready(self) -> bytes:
        return b"\r\n\r\n"

    def publisher_request(self, room: str, port: int) -> bytes:
        return wire.socket_request(f"/publish/{room}", port)

    def request(self, transport: str, room: str, port: int, after: int | None) -> bytes:
        path = f"/follow/{room}"
        return wire.socket_request(path, port) if transport == WS else wire.stream_request(path, port)

    def start(self, services: Services, folder: Path, **options: Any) -> tuple[Process, int, dict[str, str]]:
        port = free_port()
        modules = "\n".join(f"load_module {path};" for path in _module())
        content = (HERE / "nginx.conf").read_text()
        for name, value in {"FOLDER": str(folder), "PORT": str(port), "MODULES": modules}.items():
            content = content.replace(name, value)
        if os.geteuid() == 0:
            content = "user root;\n" + content  # its worker writes into our folder
        path = folder / "nginx.conf"
        path.write_text(content)
        return Process([_nginx(), "-c", str(path), "-p", str(folder)], folder / "server.log"), port, {}

    def version(self) -> str:
        said = subprocess.run([_nginx(), "-v"], capture_output=True, text=True, check=True).stderr  # noqa: S603 – a command of ours
        package = subprocess.run(
            ["dpkg-query", "-W", "-f=${Version}", "libnginx-mod-nchan"],  # noqa: S607 – as it is on PATH
            capture_output=True,
            text=True,
        ).stdout
        return f"nchan {package or 'unknown'}, {said.strip().removeprefix('nginx version: ')}"


def _nginx() -> str:
    return shutil.which("nginx") or next((path for path in ["/usr/sbin/nginx"] if os.access(path, os.X_OK)), "")


def _module() -> list[Path]:
    return sorted(Path("/usr/lib/nginx/modules").glob("ngx_nchan_module.so"))


PEERS = [NodeWs(), SocketIO(), Nchan()]
