"""What a network of containers gives, on the loopback interface of one machine: the only place where what runs here
is told something else than compose.yaml says.

Each container has an address of its own, as it has there. Ports are others, since on its own port there may be
somebody's service: the same one for all who have the same one there. Names are found by asking a server of ours
where that can be asked for, and else written over with addresses.
"""

import re
import secrets
import socket
import threading
from collections.abc import Callable, Iterable

from twisted.names import dns

from tests.servers import free_port

PROXY = "127.0.0.1"  # where connections come from that were opened to a loopback address and bound to none


class Network:
    """``services`` are their names. Safe to use in several threads."""

    def __init__(self, services: Iterable[str]) -> None:
        self._prefix = f"127.{64 + secrets.randbelow(128)}.{secrets.randbelow(256)}"
        self._addresses: dict[str, str] = {}
        self._ports: dict[int, int] = {}
        self._lock = threading.RLock()
        names = "|".join(map(re.escape, services))
        self._names = re.compile(rf"(?<![\w.-])(?P<name>{names}):(?P<port>\d+)\b")

    def address(self, container: str) -> str:
        """That of a container, such as ``web-1``."""
        with self._lock:
            return self._addresses.setdefault(container, f"{self._prefix}.{2 + len(self._addresses)}")

    def port(self, number: int) -> int:
        """The port that is here what ``number`` is there."""
        with self._lock:
            while number not in self._ports:
                port = free_port()
                if port not in self._ports.values() and _is_free(port):
                    self._ports[number] = port
            return self._ports[number]

    def translate(self, text: str) -> str:
        """``text``, with the names and ports of services in it as they are here: those of its first container."""

        def here(found: re.Match[str]) -> str:
            return f"{self.address(found['name'] + '-1')}:{self.port(int(found['port']))}"

        return self._names.sub(here, text)


def _is_free(port: int) -> bool:
    """Whether nobody on this machine has it, at any address."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as probe:
            try:
                probe.bind(("", port))
            except OSError:
                return False
    return True


class NameServer:
    """Answers with the addresses of the containers that run, as Docker's does, and knows nobody else. ``look_up``
    takes a name, and gives nothing where nobody has it."""

    def __init__(self, look_up: Callable[[str], list[str]]) -> None:
        self._look_up = look_up
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="names", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            content, asker = self._socket.recvfrom(4096)
            if not content:
                return
            self._socket.sendto(self._answer(content), asker)

    def _answer(self, content: bytes) -> bytes:
        message = dns.Message()
        message.fromStr(content)
        message.answer, message.recAv = 1, 1
        (query,) = message.queries
        name = query.name.name.decode()
        addresses = self._look_up(name)
        if not addresses:
            message.rCode = dns.ENAME
        elif query.type == dns.A:
            message.answers = [dns.RRHeader(name, ttl=0, payload=dns.Record_A(address)) for address in addresses]
        message.additional = []
        return message.toStr()

    def close(self) -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()
