"""The services of compose.yaml as processes of this machine, with the very files that ship.

``Topology`` reads what is to run, starts it in its order, and is asked and told about it. What images have that are not
built here is in ``tests.deploy.images``, and what their network would give in ``tests.deploy.network``.
"""

import shutil
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import httpx

from tests.deploy.compose import Compose, Service
from tests.deploy.containers import Container, Engine
from tests.deploy.images import Images
from tests.deploy.network import NameServer, Network
from tests.servers import free_port, manage

UP_SECONDS = 90.0
LEFT = "service_completed_successfully"


class Topology:
    """All that runs. ``base`` and ``sockets`` are the addresses by which everybody comes in, ``trust`` is what they
    verify it by. ``settings`` are what somebody wrote into .env."""

    host = "localhost"

    def __init__(self, folder: Path, settings: dict[str, str], also_at: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.port = free_port()
        self.base = f"https://{self.host}:{self.port}"
        self.sockets = f"wss://{self.host}:{self.port}"
        self.compose = Compose({**settings, "DOMAIN": f"{self.host}:{self.port}"})
        self.network = Network(self.compose.services)
        self.names = NameServer(self._running)
        self.images = Images(self, settings, ("127.0.0.1", *also_at))
        self.engine = Engine()
        self._pretended: dict[str, list[str]] = {}
        self._numbers = dict.fromkeys(self.compose.services, 0)
        for name, service in self.compose.services.items():
            for _ in range(service.replicas):
                self.create(name)

    def __getitem__(self, name: str) -> Container:
        """A container: ``web-1``; that of a service that has one goes by the service's name, too."""
        return self.engine.containers.get(name) or self.engine.containers[f"{name}-1"]

    def shell(self, code: str) -> str:
        """Run Python in Django, as in a web container. Returns what it printed."""
        return manage(self["web-1"].environment, "shell", "-v0", "-c", code).strip()

    def create(self, service: str) -> Container:
        """One more container of a service. It is not started."""
        self._numbers[service] += 1
        name = f"{service}-{self._numbers[service]}"
        said = self.compose.services[service]
        image = self.images.of(said, name)
        return self.engine.add(Container(name, said, self.network.address(name), image, self.folder / f"{name}.log"))

    def of(self, service: str) -> list[Container]:
        return [each for each in self.engine.containers.values() if each.service.name == service]

    @contextmanager
    def pretending(self, services: tuple[str, ...], *addresses: str) -> Iterator[None]:
        """Have those names lead to other addresses."""
        self._pretended = {service: list(addresses) for service in services}
        try:
            yield
        finally:
            self._pretended = {}

    def _running(self, service: str) -> list[str]:
        return self._pretended.get(service) or [each.address for each in self.of(service) if each.is_running]

    # Coming up ---------------------------------------------------------------------------------------------

    def up(self) -> None:
        """Start what does not run, each when what it depends on is as it asks."""
        deadline = monotonic() + UP_SECONDS
        waiting = {name for name in self.compose.services if not any(each.is_running for each in self.of(name))}
        healthy: set[str] = set()
        while waiting:
            for name in sorted(waiting):
                if all(self._is(other, how, healthy) for other, how in self._service(name).depends_on.items()):
                    waiting.discard(name)
                    for container in self.of(name):
                        container.start()
            assert monotonic() < deadline, f"{waiting} still wait\n{self.output()}"
            sleep(0.02)
        for container in self.engine.containers.values():
            if container.image.health_check:
                container.until(container.is_healthy, deadline - monotonic(), "it is well")
        self["caddy"].until(self._door_is_open, deadline - monotonic(), "somebody can come in")

    def _service(self, name: str) -> Service:
        return self.compose.services[name]

    def _is(self, name: str, condition: str, healthy: set[str]) -> bool:
        containers = self.of(name)
        if condition == "service_started":
            return all(each.is_running for each in containers)
        if condition == LEFT:
            failed = [each for each in containers if each.has_failed]
            assert not failed, f"{failed[0].name} failed\n{failed[0].output()}"
            done = all(each.popen is not None and each.popen.poll() == 0 for each in containers)
            if done:
                self.images.after_job()
            return done
        assert condition == "service_healthy", condition
        if name not in healthy and all(each.is_running and each.is_healthy() for each in containers):
            healthy.add(name)
        return name in healthy

    def _door_is_open(self) -> bool:
        """Whether Caddy listens: it makes its certificate first."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return self.images.certificate.exists()
        except OSError:
            return False

    def run(self, job: str) -> None:
        """Run a service that ends by itself once more."""
        container = self[job]
        container.start()
        container.until(lambda: not container.is_running, UP_SECONDS, "it is done")
        assert container.popen.returncode == 0, container.output()

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.images.certificate)

    def http(self, **options: object) -> httpx.Client:
        """Somebody who comes by the door, over HTTP/2 where nothing else is said."""
        return httpx.Client(**{"base_url": self.base, "http2": True, "verify": self.trust, "timeout": 20, **options})

    def output(self) -> str:
        """The end of every log, for a test that fails."""
        return "\n".join(
            f"--- {each.name}\n{each.output()[-4000:]}" for each in self.engine.containers.values() if each.log.exists()
        )

    def close(self) -> None:
        self.engine.close()
        self.names.close()
        self.images.close()


@contextmanager
def topology_in(folder: Path, settings: dict[str, str], also_at: tuple[str, ...] = ()) -> Iterator[Topology]:
    """All services, up; gone at the end, with what they kept."""
    topology = Topology(folder, settings, also_at)
    try:
        topology.up()
        yield topology
    finally:
        topology.close()
        shutil.rmtree(topology.images.volumes, ignore_errors=True)
