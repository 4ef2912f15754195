"""What one installs: the manifest, the worker and its page, the same for everybody who reads a language."""

import json
import re
from html.parser import HTMLParser

import pytest
from django.contrib.staticfiles.finders import find
from django.test import Client

pytestmark = pytest.mark.django_db
ADDRESSES = ("/manifest.webmanifest", "/service-worker.js", "/offline/")


def kept(answer) -> dict:
    """What the worker is told in its first line."""
    return json.loads(re.match(r"self\.kept = (\{.*\});\n", answer.text)[1])


@pytest.mark.parametrize(("language", "tag"), [("en", "en"), ("ja", "ja"), ("zh-Hant", "zh-Hant")])
def test_the_manifest_has_what_is_needed_to_install_it(client: Client, language: str, tag: str) -> None:
    answer = client.get(f"/manifest.webmanifest?lang={language}")
    assert answer["Content-Type"] == "application/manifest+json"
    manifest = answer.json()
    assert (manifest["lang"], manifest["dir"]) == (tag, "ltr")
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/", "/", "standalone")
    sizes = {(icon["sizes"], icon["type"], icon.get("purpose")) for icon in manifest["icons"]}
    assert sizes == {
        ("any", "image/svg+xml", None),
        ("192x192", "image/png", None),
        ("512x512", "image/png", None),
        ("512x512", "image/png", "maskable"),
    }
    for icon in manifest["icons"]:
        assert client.get(icon["src"]).status_code == 200
        if icon["type"] == "image/png":
            with open(find(icon["src"].removeprefix("/static/")), "rb") as file:
                header = file.read(24)
            assert f"{int.from_bytes(header[16:20])}x{int.from_bytes(header[20:24])}" == icon["sizes"]


class Linked(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: dict[str, str] = {}
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        found = dict(attributes)
        if tag == "link":
            self.links[found["rel"]] = found["href"]
        if tag == "script" and "src" in found:
            self.scripts.append(found["src"])


def test_pages_lead_to_it_and_those_that_know_nobody_have_no_worker(cast, client: Client) -> None:
    for path, has_worker in (("/", True), ("/chat/veranda/", True), ("/accounts/login/", True), ("/nothing", False),
                             ("/feeds/veranda/", False), ("/feeds/veranda/archive/", False)):  # fmt: skip
        page = Linked(client.get(f"{path}?lang=ja").text)
        assert page.links["manifest"] == "/manifest.webmanifest?lang=ja", path
        assert page.links["apple-touch-icon"] == "/static/images/icon-180.png", path
        assert ("/static/js/worker.js" in page.scripts) == has_worker, path
    embedded = client.get("/embed/veranda/").text
    assert "manifest" not in embedded
    assert "worker" not in embedded


def test_the_worker_keeps_one_page_and_all_that_it_needs(client: Client) -> None:
    answer = client.get("/service-worker.js?lang=ja")
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer["Cache-Control"] == "no-cache"
    told = kept(answer)
    assert told["page"] == "/offline/?lang=ja"
    page = client.get(told["page"])
    assert page["Content-Language"] == "ja"
    named = set(re.findall(r'(?:href|src)="(/[^"]*)"', page.text)) - {"/"}
    assert named - set(told["needs"]) == {"/manifest.webmanifest?lang=ja", "/static/images/icon-180.png"}
    assert set(told["needs"]) < named
    assert all(client.get(path).status_code == 200 for path in told["needs"])


def test_the_worker_is_another_one_where_anything_changed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    before = client.get("/service-worker.js")
    same = client.get("/service-worker.js", headers={"If-None-Match": before["ETag"]})
    assert same.status_code == 304
    assert kept(client.get("/service-worker.js?lang=ja"))["version"] != kept(before)["version"]
    monkeypatch.setattr("chat.pwa._offline_page", lambda: '<link href="/static/css/base.0123456789ab.css">')
    after = client.get("/service-worker.js", headers={"If-None-Match": before["ETag"]})
    assert after.status_code == 200
    assert kept(after)["version"] != kept(before)["version"]
    assert kept(after)["needs"] == ["/static/css/base.0123456789ab.css"]


@pytest.mark.parametrize("path", [*ADDRESSES, "/favicon.ico"])
def test_nothing_of_it_knows_who_asks(cast, path: str) -> None:
    """What is kept by a browser is the same whoever is signed in there."""
    somebody, nobody = Client(), Client()
    somebody.force_login(cast.users.olga)
    one, other = (browser.get(path, headers={"Accept-Language": "ja"}) for browser in (somebody, nobody))
    assert one.content == other.content
    assert not one.cookies
    assert "Cookie" not in one.get("Vary", "")
    assert "olga" not in one.text


def test_the_icon_where_browsers_look_for_it(client: Client) -> None:
    answer = client.get("/favicon.ico")
    assert answer["Location"] == "/static/favicon.svg"
    assert answer["Cache-Control"] == "public, max-age=86400"


def test_workers_and_manifests_may_be_ours_alone(client: Client) -> None:
    policy = client.get("/")["Content-Security-Policy"]
    assert "worker-src 'self'" in policy
    assert "manifest-src 'self'" in policy
