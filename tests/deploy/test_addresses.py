"""Who comes from where: what Caddy says, whatever they say themselves, and what Engawa makes of it."""

import ipaddress
import itertools
import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep

import httpx
import psutil

from tests.clients import participant
from tests.deploy.network import PROXY
from tests.deploy.recorder import SIGN, Recorder, recorder_at
from tests.deploy.topology import Topology

SOMEBODY, SOMEBODY_ELSE = "127.90.1.1", "127.90.2.2"  # two more addresses that every machine has
CLAIMED = "203.0.113.9"
LIES = {
    "X-Forwarded-For": CLAIMED,
    "X-Real-IP": CLAIMED,
    "X-Client-IP": CLAIMED,
    "True-Client-IP": CLAIMED,
    "Forwarded": f"for={CLAIMED};proto=http;host=elsewhere.example",
    "X-Forwarded-Host": "elsewhere.example",
    "X-Forwarded-Proto": "http",
    "Via": f"1.1 {CLAIMED}",
}
PATHS = ("/chat/", "/ws/chat/lobby/", "/feeds/lobby/stream")


@contextmanager
def recording(topology: Topology) -> Iterator[Recorder]:
    """Somebody whom Caddy asks instead of Engawa's processes."""
    address, port = topology.network.address("recorder-1"), topology.network.port(8000)

    def answers(path: str) -> bool:
        with topology.http() as http:
            return SIGN in http.get(path).headers

    paths = ("/chat/", "/ws/chat/lobby/")
    with recorder_at(address, port) as recorder:
        try:
            with topology.pretending(("web", "websocket"), address):
                while not all(map(answers, paths)):
                    sleep(0.05)  # Caddy asks for names once a second
                yield recorder
        finally:
            while any(map(answers, paths)):
                sleep(0.05)


def test_caddy_says_who_it_was(topology: Topology) -> None:
    ours = f"{topology.host}:{topology.port}"
    ways = itertools.product(PATHS, ({}, LIES), (True, False), (SOMEBODY, SOMEBODY_ELSE))
    with recording(topology) as recorder:
        for path, claims, http2, address in ways:
            transport = httpx.HTTPTransport(verify=topology.trust, http2=http2, local_address=address)
            with httpx.Client(base_url=topology.base, transport=transport) as http:
                assert SIGN in http.get(path, headers=claims).headers
            told = recorder.asked.pop(path)
            assert told.get_all("X-Forwarded-For") == [address]
            assert told.get_all("X-Forwarded-Proto") == ["https"]
            assert told.get_all("X-Forwarded-Host") == told.get_all("Host") == [ours]


def own_addresses() -> list[str]:
    """This machine's own, beside those of its loopback interface: Engawa tells those apart from nobody."""
    found = [one.address for each in psutil.net_if_addrs().values() for one in each if one.family.name == "AF_INET"]
    return [address for address in found if not ipaddress.ip_address(address).is_loopback]


class Speaker:
    """Says one word after the other in a room, and remembers which network each came from."""

    def __init__(self, topology: Topology, room: str) -> None:
        self._topology = topology
        self._room = room
        self.networks: dict[str, str] = {}

    def _word(self, network: str) -> str:
        word = str(uuid.uuid4())
        self.networks[word] = network
        return word

    async def by_socket(self, base: str, source: str, headers: dict[str, str], network: str, **more: object) -> None:
        async with participant(base, self._room, headers=headers, local_addr=(source, 0), **more) as somebody:
            assert (await somebody.post(self._word(network)))["type"] == "posted"

    def by_page(self, base: str, source: str, headers: dict[str, str], network: str) -> None:
        transport = httpx.HTTPTransport(verify=self._topology.trust, local_address=source)
        headers = {**headers, "Accept": "application/json", "Referer": self._topology.base}
        with httpx.Client(transport=transport, headers={**headers, "Host": self._topology.base[8:]}) as http:
            page = http.get(f"{base}/chat/{self._room}/", headers={"Accept": "text/html"}).raise_for_status()
            # By hand: what is for TLS alone would not be sent to a process itself.
            cookies = [line.split(";")[0] for line in page.headers.get_list("set-cookie")]
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
            http.cookies.clear()
            answer = http.post(
                f"{base}/chat/{self._room}/messages",
                json={"message": self._word(network)},
                headers={"X-CSRFToken": token, "Cookie": "; ".join(cookies)},
            )
            assert answer.status_code == 201, answer.text

    def check(self) -> None:
        code = (
            "import json; from chat.addresses import keyed; from chat.models import Message;"
            f"print(json.dumps([dict(Message.objects.filter(room__slug={self._room!r}).values_list('text', 'network')),"
            f" {{network: keyed(network) for network in {list(self.networks.values())!r}}}]))"
        )
        kept, keyed = json.loads(self._topology.shell(code))
        found = {word: kept[word] for word in self.networks}
        assert found == {word: keyed[network] for word, network in self.networks.items()}


async def test_engawa_knows_who_it_was(topology: Topology, room: str) -> None:
    """By the network that is kept with each message: the address that Caddy saw, and nothing that anybody claims; of
    strangers who come to a process directly, nothing at all."""
    speaker = Speaker(topology, room)
    for headers in ({}, LIES):
        for source in (SOMEBODY, *own_addresses()):
            network = "" if source == SOMEBODY else source
            more = {"trust": topology.trust, "host": "127.0.0.1"}
            await speaker.by_socket(topology.sockets, source, headers, network, **more)
            speaker.by_page(topology.base, source, headers, network)
    port = topology.network.port(8000)
    # Of whom a process believes, what they claim is kept: so it would be seen if it were believed of others.
    # But it says https: who comes by http is only led there.
    lies = {**LIES, "X-Forwarded-Proto": "https"}
    for source, network in ((SOMEBODY, ""), (PROXY, CLAIMED)):
        for container in topology.of("websocket"):
            await speaker.by_socket(f"ws://localhost:{port}", source, lies, network, host=container.address)
        for container in topology.of("web"):
            speaker.by_page(f"http://{container.address}:{port}", source, lies, network)
    speaker.check()
