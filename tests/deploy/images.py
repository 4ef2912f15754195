"""What the images of compose.yaml have in them, as this machine has it: programs, where they keep things, and what
their entry points do before they start."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.deploy.compose import Service
from tests.deploy.containers import Image
from tests.deploy.network import PROXY
from tests.parts import caddy, postgres_binaries, pushpin_programs, redis_command_line, redis_server
from tests.servers import ROOT, identity_of, initialise_postgres, postgres_folder, somebody_else

if TYPE_CHECKING:
    from tests.deploy.topology import Topology

_OURS = re.compile(r"engawa-\w+")
_EVERYWHERE = "0.0.0.0"
_FETCH = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)"  # for the wget of Caddy's image


class Images:
    """``published_at`` are the addresses of this machine that Caddy's ports are published at."""

    def __init__(self, topology: "Topology", settings: dict[str, str], published_at: tuple[str, ...]) -> None:
        self._topology = topology
        self._network = topology.network
        self._settings = settings
        self._published_at = published_at
        self.volumes = topology.folder / "volumes"
        for name in topology.compose.volumes:
            (self.volumes / name).mkdir(parents=True)
        for service in topology.compose.services.values():
            self._nest(service)
        self._postgres = postgres_folder(topology.folder)
        self._sockets = Path(tempfile.mkdtemp(prefix="pp-"))  # their names may not be long
        self.certificate = self.volumes / "caddy-data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"

    def of(self, service: Service, container: str) -> Image:
        name = service.image.split(":")[0]
        if name == "engawa-pushpin":
            return self._pushpin(service, container)
        if _OURS.fullmatch(name):
            return self._engawa(service, container)
        return {"caddy": self._caddy, "postgres": self._postgres_image, "redis": self._redis}[name](service, container)

    def _nest(self, service: Service) -> None:
        """One volume may lie in another."""
        for inner in service.volumes:
            for outer in service.volumes:
                if inner.target.startswith(outer.target + "/"):
                    where = self._source(outer.source) / inner.target.removeprefix(outer.target + "/")
                    where.symlink_to(self._source(inner.source))

    def _engawa(self, service: Service, container: str) -> Image:
        settings = self._settings if service.env_files else {}
        environment = {
            **_bare(),
            **settings,
            **self._environment(service, container),
        }

        def words(command: tuple[str, ...]) -> list[str]:
            return [sys.executable if word == "python" else self._path(service, word) for word in command]

        return Image(words(service.command), environment, words(service.health_check))

    def _pushpin(self, service: Service, container: str) -> Image:
        pushpin_programs()
        address = self._network.address(container)

        def here(said: str) -> str:
            return f"{address}:{self._network.port(int(said.split(':')[-1]))}"

        environment = {
            **_bare(),
            **self._environment(service, container),
            "PUSHPIN_LISTEN": here(service.environment["PUSHPIN_LISTEN"]),
            "PUSHPIN_PUBLISH": here(service.environment["PUSHPIN_PUBLISH"]),
            "PUSHPIN_RUN": str(self._sockets),
            "HOST": address,  # for the probe, which finds it on its own loopback interface there
            "PORT": str(self._network.port(int(service.environment["PUSHPIN_LISTEN"]))),
        }
        files = {"python": sys.executable, "/opt/pushpin/probe.py": ROOT / "config" / "probe.py"}

        def words(command: tuple[str, ...]) -> list[str]:
            return [str(files.get(word, word.replace("/opt/pushpin", f"{ROOT}/deploy/pushpin"))) for word in command]

        return Image(words(service.command), environment, words(service.health_check))

    def _environment(self, service: Service, container: str) -> dict[str, str]:
        return {name: self._said(service, container, name, value) for name, value in service.environment.items()}

    def _said(self, service: Service, container: str, name: str, value: str) -> str:
        """What a variable says, as it has to be said here."""
        if value == _EVERYWHERE:
            return self._network.address(container)
        if name.endswith("PORT"):
            return str(self._network.port(int(value)))
        if value in self._topology.compose.subnets:
            return PROXY
        return self._network.translate(self._path(service, value))

    def _path(self, service: Service, word: str) -> str:
        """A path in a container, where it is here."""
        for volume in service.volumes:
            if word == volume.target or word.startswith(volume.target + "/"):
                return str(self._source(volume.source)) + word.removeprefix(volume.target)
        return word

    def _source(self, source: str) -> Path:
        return ROOT / source if source.startswith((".", "/")) else self.volumes / source

    def after_job(self) -> None:
        """Jobs leave addresses in files, too."""
        for file in self.volumes.glob("secrets*/*"):
            if file.is_file() and (here := self._network.translate(said := file.read_text())) != said:
                mode = file.stat().st_mode
                file.chmod(0o600)
                file.write_text(here)
                file.chmod(mode)

    def _caddy(self, service: Service, container: str) -> Image:
        options = [
            f"http_port {self._network.port(80)}",
            f"default_bind {' '.join(self._published_at)}",
            "skip_install_trust",  # the machine's own list of whom it trusts is no business of ours
        ]
        environment = {
            **_bare(),
            "XDG_CONFIG_HOME": self._path(service, "/config"),
            "XDG_DATA_HOME": self._path(service, "/data"),
            **self._environment(service, container),
            "STATIC": self._path(service, "/srv/static").removesuffix("/static"),
            "RESOLVERS": f"resolvers udp/127.0.0.1:{self._topology.names.port}",
            "CADDY_GLOBAL_OPTIONS": "\n".join(options),
            "PROXY_OPTIONS": "",  # what a newer Caddy knows
            "BUFFERS": "buffer_requests",  # as an older one has it
            "ADMIN_SOCKET": str(self.volumes / "caddy.sock"),
            "PUSHPIN": self._network.translate("pushpin:7999"),
            "HEALTH_PORT": str(self._network.port(2020)),
        }
        command = service.command or ("caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile")
        check = [sys.executable, "-c", _FETCH, f"http://127.0.0.1:{self._network.port(2020)}/"]

        def words(command: tuple[str, ...]) -> list[str]:
            return [caddy() if word == "caddy" else self._path(service, word) for word in command]

        return Image(words(command), environment, check if service.health_check else [], self.volumes)

    def _redis(self, service: Service, container: str) -> Image:
        address, port = self._network.address(container), str(self._network.port(6379))
        folder = self.volumes / container
        folder.mkdir()
        programs = {"redis-server": [redis_server()], "redis-cli": [redis_command_line(), "-h", address, "-p", port]}

        def words(command: tuple[str, ...]) -> list[str]:
            return [*programs[command[0]], *command[1:]] if command else []

        command = words(service.command or ("redis-server",))
        return Image([*command, "--bind", address, "--port", port], _bare(), words(service.health_check), folder)

    def _postgres_image(self, service: Service, container: str) -> Image:
        address, port = self._network.address(container), str(self._network.port(5432))
        binaries, data = postgres_binaries(), self._postgres / "data"
        command = [
            str(binaries / "postgres"),
            "-D",
            str(data),
            "-c",
            f"listen_addresses={address}",
            "-c",
            f"port={port}",
        ]
        command += ["-c", "unix_socket_directories=", *service.command[1:]]
        environment = {**_bare(), "PGHOST": address, "PGPORT": port}
        words = {"pg_isready": str(binaries / "pg_isready"), "127.0.0.1": address}
        check = [words.get(word, word) for word in service.health_check]
        user = somebody_else()

        def prepare() -> None:
            if data.exists():
                return
            password = self._postgres / "password"
            shutil.copy(self._path(service, service.environment["POSTGRES_PASSWORD_FILE"]), password)
            password.chmod(0o644)
            initialise_postgres(data, "--auth=scram-sha-256", f"--pwfile={password}")
            owner = service.environment["POSTGRES_USER"]
            subprocess.run(
                [binaries / "postgres", "--single", "-D", data, "postgres"],
                input=f"CREATE DATABASE {owner}".encode(),
                cwd=self._postgres,
                check=True,
                capture_output=True,
                **identity_of(user),
            )
            with (data / "pg_hba.conf").open("a") as access:
                access.write("host all all all scram-sha-256\n")

        return Image(command, environment, check, self._postgres, user, prepare)

    def close(self) -> None:
        for folder in (self._postgres, self._sockets):
            shutil.rmtree(folder, ignore_errors=True)


def _bare() -> dict[str, str]:
    """As much of our environment as an image has: no variable of ours should decide what a container does."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
        "PYTHONUNBUFFERED": "1"
    }
