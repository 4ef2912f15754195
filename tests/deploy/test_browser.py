"""A real browser at the door: it speaks HTTP/2 and 3, and is told to trust this Caddy and nobody else."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.conftest import ARGUMENTS, Person, Site
from tests.clients import participant
from tests.deploy.topology import Topology
from tests.parts import chromium

PROTOCOL = "performance.getEntriesByType('navigation')[0].nextHopProtocol"


def trusted_by(topology: Topology) -> str:
    """The key of Caddy's own authority, as Chromium is told to trust it: of the part of it that Caddy shows."""
    shown = topology.images.certificate.with_name("intermediate.crt")
    certificate = x509.load_pem_x509_certificate(shown.read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b64encode(sha256(key).digest()).decode()


@asynccontextmanager
async def browser_for(topology: Topology, *more: str) -> AsyncIterator[Browser]:
    here = f"--host-resolver-rules=MAP {topology.host} 127.0.0.1"  # it would try ::1 first, and once
    trust = f"--ignore-certificate-errors-spki-list={trusted_by(topology)}"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=[*ARGUMENTS, here, trust, *more])
        try:
            yield browser
        finally:
            await browser.close()


async def test_chat_watch_and_embed(topology: Topology, room: str) -> None:
    elsewhere = f'<!doctype html><title>News</title><iframe src="{topology.base}/embed/{room}/" title="Room"></iframe>'
    site = Site(elsewhere)
    try:
        async with browser_for(topology) as browser:
            writer, viewer = [Person(await browser.new_context(service_workers="block")) for _ in range(2)]
            chat = await writer.open(f"{topology.base}/chat/{room}/")
            watch = await viewer.open(f"{topology.base}/feeds/{room}/")
            framing = await viewer.open(site.url, live=False)
            framed = framing.frame_locator("iframe")
            await expect(framed.get_by_text("Live", exact=True)).to_be_visible()
            assert await chat.evaluate(PROTOCOL) == "h2"
            await chat.locator("#composer-text").fill("through the door")
            await chat.keyboard.press("Enter")
            for page in (chat, watch, framed):
                await expect(page.get_by_text("through the door")).to_be_visible()
            assert await viewer.context.cookies(topology.base) == []
            assert writer.complaints + viewer.complaints == []
    finally:
        site.shutdown()
        site.server_close()


@pytest.mark.timeout(60)
async def test_http_3(topology: Topology, room: str) -> None:
    quic = f"--origin-to-force-quic-on={topology.host}:{topology.port}"
    async with browser_for(topology, "--enable-quic", quic) as browser:
        somebody = Person(await browser.new_context(service_workers="block"))
        watch = await somebody.open(f"{topology.base}/feeds/{room}/")
        assert await watch.evaluate(PROTOCOL) == "h3"
        async with participant(topology.sockets, room, trust=topology.trust) as writer:
            await writer.post("by datagrams")
            await expect(watch.get_by_text("by datagrams")).to_be_visible()
        assert somebody.complaints == []
