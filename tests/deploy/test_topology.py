"""What ships, looked at through its own door: pages, sockets, streams and files, over HTTP/2 and TLS."""

import asyncio
import http.client
import re
import ssl
import subprocess
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic

import httpx
import psutil
import pytest

from tests.clients import Participant, participant, viewer
from tests.deploy.topology import Topology
from tests.metrics import Scrape, scrape_at
from tests.parts import curl

FIRST_BYTE_SECONDS = 2.0  # from the request
PASSED_ON_SECONDS = 1.0  # from the post, on the average of several, on a busy machine
MESSAGES = 10
WRITERS, POSTS, FOLLOWERS = 3, 20, 5
GONE_SECONDS = 10
NAMES_SECONDS = 2.5  # until Caddy has asked for the names again, and then some
UNREACHED_SECONDS = 1.0
TOO_LARGE = 1024 * 1024  # for Engawa
FAR_TOO_LARGE = 3 * TOO_LARGE  # for Caddy, too
TIMES = 4


def seen(topology: Topology, room: str, **more: object) -> object:
    """A viewer's stream, over HTTP/2."""
    return viewer(topology.base, room, verify=topology.trust, http2=True, **more)


def inside(topology: Topology, room: str, query: str = "", **more: object) -> object:
    return participant(topology.sockets, room, query, trust=topology.trust, **more)


def test_pages_come_over_http_2_and_compressed(topology: Topology, room: str) -> None:
    with topology.http() as http:
        for path in (f"/chat/{room}/", f"/feeds/{room}/", f"/embed/{room}/", "/chat/"):
            page = http.get(path)
            assert (page.status_code, page.http_version) == (200, "HTTP/2"), path
            assert page.headers["content-encoding"] in ("gzip", "zstd", "br"), path
            assert "Accept-Encoding" in page.headers["vary"]
            assert "</html>" in page.text
            assert "http://" not in re.sub(r'xmlns="http://[^"]*"', "", page.text), (
                f"{path} names an address without TLS"
            )


def test_who_comes_without_tls_is_sent_on(topology: Topology) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", topology.network.port(80), timeout=10)
    connection.request("GET", "/chat/", headers={"Host": topology.host})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (308, f"{topology.base}/chat/")
    connection.close()


async def test_chat_watch_and_resume(topology: Topology, room: str) -> None:
    async with inside(topology, room) as writer, inside(topology, room) as reader, seen(topology, room) as watching:
        assert watching.response.http_version == "HTTP/2"
        first = await writer.post("one")
        assert first["type"] == "posted"
        assert (await reader.event())["message"] == "one"
        assert (await watching.event())["message"] == "one"
        left_at = watching.last_id
        await writer.post("two")
        await writer.post("three")
    async with inside(topology, room, f"?after={first['id']}") as back:
        assert [event["message"] for event in await back.events_until("three")] == ["two", "three"]
    async with seen(topology, room, last_id=left_at) as back:
        assert [event["message"] for event in await back.events_until("three")] == ["two", "three"]


@pytest.mark.parametrize("form", ["", ".sse", ".txt", ".ndjson", ".html"])
async def test_nothing_is_buffered(topology: Topology, room: str, form: str) -> None:
    """The first byte comes at once, and each message before the next is posted: a proxy that waited for more, or for
    a heartbeat, would be waited for itself."""
    client = httpx.AsyncClient(base_url=topology.base, http2=True, verify=topology.trust, timeout=20)
    async with client, inside(topology, room) as writer:
        began = monotonic()
        async with client.stream("GET", f"/feeds/{room}/stream{form}?history=1") as opened:
            assert (opened.status_code, opened.http_version) == (200, "HTTP/2")
            assert "content-encoding" not in opened.headers
            pieces = opened.aiter_text()
            if form != ".ndjson" and form != ".txt":  # which begin with the first message
                await anext(pieces)
                assert monotonic() - began < FIRST_BYTE_SECONDS
            text, waited = "", 0.0
            for number in range(MESSAGES):
                word = f"word-{number}-"
                await writer.post(word)
                posted = monotonic()
                while word not in text:
                    text += await anext(pieces)
                waited += monotonic() - posted
            assert waited / MESSAGES < PASSED_ON_SECONDS


async def test_who_cannot_be_reached_is_not_waited_for(topology: Topology, room: str) -> None:
    """A container has its name before what is in it listens: then it has the fewest connections of all, and yet no
    page hangs on it, and no form is lost."""
    coming = topology.network.address("coming-1")
    there = [web.address for web in topology.of("web")]
    longest = 0.0
    async with httpx.AsyncClient(base_url=topology.base, http2=True, verify=topology.trust, timeout=20) as client:
        await client.get(f"/chat/{room}/")
        form = {
            "X-CSRFToken": client.cookies["__Host-csrftoken"],
            "Referer": topology.base,
            "Accept": "application/json",
        }
        for _ in range(2 * len(there)):
            await client.send(client.build_request("GET", f"/feeds/{room}/stream"), stream=True)
        with topology.pretending(("web",), coming, *there):
            until = monotonic() + NAMES_SECONDS
            while monotonic() < until:
                began = monotonic()
                assert (await client.get(f"/feeds/{room}/")).status_code == 200
                longest = max(longest, monotonic() - began)
                said = await client.post(f"/chat/{room}/messages", json={"message": "by a form"}, headers=form)
                assert said.status_code == 201
    assert longest < UNREACHED_SECONDS


async def test_who_leaves_is_let_go(topology: Topology, room: str) -> None:
    """A viewer's end reaches the process that served them, which holds nothing for them any longer."""
    port = topology.network.port(8000)

    def held() -> int:
        connections = [one for web in topology.of("web") for one in psutil.Process(web.pid).net_connections("tcp")]
        return sum(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == port for one in connections)

    before = held()
    async with httpx.AsyncClient(base_url=topology.base, http2=True, verify=topology.trust, timeout=20) as client:
        for _ in range(10):
            await client.send(client.build_request("GET", f"/feeds/{room}/stream"), stream=True)
        during = held()
        assert during >= 10
    deadline = monotonic() + GONE_SECONDS
    while held() > max(before, during - 10):
        assert monotonic() < deadline, "streams are held for nobody"
        await asyncio.sleep(0.05)


def counted_by_all(topology: Topology) -> Scrape:
    """What all that serve say of themselves, together, on the port that is for Prometheus alone."""
    serving = [*topology.of("web"), *topology.of("websocket")]
    return scrape_at(*(f"{each.address}:{each.environment['METRICS_PORT']}" for each in serving))


async def test_what_is_counted_inside_is_what_came_out_of_the_door(topology: Topology, room: str) -> None:
    before = counted_by_all(topology)
    texts = [[f"writer {writer}: {number}" for number in range(POSTS)] for writer in range(WRITERS)]
    everything = sorted(text for each in texts for text in each)
    async with AsyncExitStack() as stack:
        writers = [await stack.enter_async_context(inside(topology, room)) for _ in range(WRITERS)]
        sockets = [await stack.enter_async_context(inside(topology, room)) for _ in range(FOLLOWERS)]
        streams = [await stack.enter_async_context(seen(topology, room)) for _ in range(FOLLOWERS)]

        async def say(writer: Participant, words: list[str]) -> list[str]:
            return [(await writer.post(word))["type"] for word in words]

        answers = await asyncio.gather(*map(say, writers, texts))
        last = (await writers[0].post("the last word"))["type"]
        heard = await asyncio.gather(*(each.events_until("the last word") for each in [*sockets, *streams]))
        # Writers hear of it as well, some of them a moment after they were answered.
        deadline = monotonic() + GONE_SECONDS
        posted = WRITERS * POSTS + 1
        of_sockets = (WRITERS + FOLLOWERS) * posted
        while (after := counted_by_all(topology) - before)("engawa_deliveries_total", "websocket") < of_sockets:
            assert monotonic() < deadline, after.samples
            await asyncio.sleep(0.05)
    assert answers == [["posted"] * POSTS] * WRITERS
    assert last == "posted"
    for events in heard:
        assert sorted(event["message"] for event in events) == sorted([*everything, "the last word"])
    assert after("engawa_messages_posted_total") == posted
    assert after("engawa_connections_opened_total", "websocket") == WRITERS + FOLLOWERS
    assert after("engawa_connections_opened_total", "sse") == FOLLOWERS
    assert after("engawa_deliveries_total", "websocket") == of_sockets
    assert after("engawa_deliveries_total", "sse") == FOLLOWERS * posted


def test_what_lets_somebody_in_is_in_no_log(topology: Topology, room: str) -> None:
    """Tickets, invitations and links to a new password, asked for and come from."""
    secret = "q7Jx2MZtB0"
    addresses = [
        f"/feeds/{room}/?ticket={secret}",
        f"/join/{secret}/",
        f"/accounts/reset/MQ/{secret}/",
        f"/accounts/login/?next=/join/{secret}/",
    ]
    with topology.http() as http:
        for number, address in enumerate(addresses):
            http.get(address, headers={"User-Agent": f"asks {number}"})
            http.get("/health/live", headers={"Referer": topology.base + address, "User-Agent": f"comes {number}"})
    log = topology["caddy"].log
    expected = [f"{how} {number}" for number in range(len(addresses)) for how in ("asks", "comes")]
    topology["caddy"].until(lambda: all(agent in log.read_text() for agent in expected), 10, "all of it is in the log")
    for container in topology.engine.containers.values():
        assert secret not in container.log.read_text(), container.name


def test_built_files_are_caddys_and_kept_for_ever(topology: Topology, room: str) -> None:
    static = topology.images.volumes / "static"
    with topology.http() as http:
        page = http.get(f"/chat/{room}/").text
        names = sorted(set(re.findall(r'"(/static/[^"]+\.(?:js|css))"', page)))
        assert len(names) > 1
        for name in names:
            assert re.search(r"\.[0-9a-f]{12}\.(?:js|css)$", name), f"{name} has no hash"
            for encoding, ending in (("br", ".br"), ("gzip", ".gz"), ("identity", "")):
                with http.stream("GET", name, headers={"Accept-Encoding": encoding}) as answer:
                    raw = b"".join(answer.iter_raw())
                assert answer.status_code == 200
                assert answer.headers.get("content-encoding", "identity") == encoding
                assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
                assert raw == (static / f"{name.removeprefix('/static/')}{ending}").read_bytes()
        assert http.get("/static/../secret_key").status_code == 404
        unnamed = http.get("/static/favicon.svg")  # for browsers that ask by themselves
        assert unnamed.status_code == 200
        assert "immutable" not in unnamed.headers["cache-control"]


def test_pages_of_before_an_upgrade_find_their_files(topology: Topology) -> None:
    static = topology.images.volumes / "static"
    old = static / "js" / "room.0123456789ab.js"  # which no process has: so it is Caddy that answers
    old.write_text("// of before")
    new = next(static.glob("favicon.*.svg"))
    content = new.read_bytes()
    new.unlink()
    topology.run("migrate")
    with topology.http() as http:
        kept = http.get(f"/static/js/{old.name}")
        assert (kept.status_code, kept.text) == (200, "// of before")
        assert "immutable" in kept.headers["cache-control"]
        assert http.get(f"/static/{new.name}").content == content
    assert new.read_bytes() == content


@pytest.mark.parametrize("size", [TOO_LARGE, FAR_TOO_LARGE])
def test_what_is_too_large_is_refused(topology: Topology, tmp_path: Path, size: int) -> None:
    """Each time, and where Engawa refuses it, with its own words; by curl, which listens while it sends. Caddy breaks
    off what is far too large, and may do so before it has said why."""
    large = tmp_path / "large"
    large.write_bytes(b"x" * size)
    ways = (["--http2"], ["--http1.1"], ["--http2", "--header", "Transfer-Encoding: chunked"])
    for how in ways * TIMES:
        command = [curl(), "--silent", "--cacert", topology.images.certificate, "--max-time", "20", *how]
        command += ["--data-binary", f"@{large}", "--output", tmp_path / "answer", "--write-out", "%{http_code}"]
        done = subprocess.run([*command, f"{topology.base}/chat/"], capture_output=True, text=True)
        if size == TOO_LARGE:
            assert done.stdout == "413", (how, done)
            assert "payload.too_large" in (tmp_path / "answer").read_text()
        else:
            assert done.stdout in ("413", "502") or done.returncode, (how, done)


def test_headers_that_are_too_large_are_refused(topology: Topology) -> None:
    with topology.http(http2=False) as http:
        assert http.get("/chat/", headers={"X-Much": "x" * 100_000}).status_code == 431
    with topology.http() as http:
        with pytest.raises(httpx.RemoteProtocolError):
            http.get("/chat/", headers={"X-Much": "x" * 100_000})
        assert http.get("/chat/").status_code == 200


def test_what_is_not_for_strangers_is_not_there(topology: Topology) -> None:
    """Neither the metrics nor Caddy's own interface; nor does any process listen beyond this machine."""
    with topology.http() as http:
        assert http.get("/metrics").status_code == 404
    listens = {
        (one.laddr.ip, one.laddr.port)
        for one in psutil.Process(topology["caddy"].pid).net_connections("tcp")
        if one.status == psutil.CONN_LISTEN
    }
    assert listens == {("127.0.0.1", port) for port in (topology.port, *map(topology.network.port, (80, 2020)))}


def test_another_name_is_not_answered(topology: Topology) -> None:
    with topology.http() as http, pytest.raises(httpx.HTTPError):
        http.get("/chat/", extensions={"sni_hostname": "elsewhere.example"})
    context = ssl.create_default_context()
    with pytest.raises(httpx.ConnectError), topology.http(verify=context) as http:
        http.get("/chat/")  # the machine's own list of authorities has not grown


def test_sockets_have_processes_of_their_own(topology: Topology, room: str) -> None:
    for container in topology.of("websocket"):
        assert container.ask(f"/chat/{room}/")[0] == 426
        assert container.ask("/health/live")[0] == 200
    with topology.http() as http:
        assert http.get(f"/ws/chat/{room}/").status_code == 426
