"""What every answer says of itself where the site is at https: every address there is, asked for on a real server as
the proxy in front of it asks, and what strangers say of how they came."""

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from config.guard import PERMISSIONS
from tests.doors import STATUS, rows
from tests.servers import Engawa
from tests.unit.test_doors import OF_A_ROOM, OTHERS, WITHOUT_NAMES, address

HOST = "chat.example.org"
PROXY, STRANGER = "127.0.0.1", "127.0.0.2"
PREPARE = """
from chat import actions, posting
from chat.models import User
olga = User.objects.create_superuser('olga', password='a long password').identity
room, _ = actions.create_room(olga, 'veranda')
print(posting.post(olga, room.pk, 'hello').mid)
"""
# Those that are about no room, by their names or, where they have none, their patterns.
ELSEWHERE = {
    "home": "/",
    "chat:index": "/chat/",
    **{name: f"/accounts/{name}/" for name in ("signup", "guest", "login", "logout", "language", "profile", "export")},
    **{name: f"/accounts/{name}/" for name in ("password_change", "password_reset")},
    "password_change_done": "/accounts/password_change/done/",
    "password_reset_done": "/accounts/password_reset/done/",
    "password_reset_confirm": "/accounts/reset/x/y/",
    "password_reset_complete": "/accounts/reset/done/",
    "delete_account": "/accounts/delete/",
    "join": "/join/nothing/",
    "words": "/words/ja.0123456789abcdef.js",
    "manifest": "/manifest.webmanifest",
    "service_worker": "/service-worker.js",
    "offline": "/offline/",
    "feeds:oembed": f"/oembed?url=https://{HOST}/feeds/veranda/",
    "feeds:sitemap": "/sitemap.xml",
    "feeds:robots": "/robots.txt",
    "feeds:several": "/feeds/?room=veranda",
    "feeds:component": "/embed/engawa-room.js",
    "feeds:component_version": "/embed/engawa-room.0123456789abcdef.js",
    "feeds:frame_helper": "/embed/engawa-frame.js",
    "feeds:frame_helper_version": "/embed/engawa-frame.0123456789abcdef.js",
    "favicon.ico": "/favicon.ico",
    "admin/": "/admin/",
    "^api(?:/(?P<path>[\\s\\S]*))?\\Z": "/api/v1/rooms/veranda/messages",
}
BESIDE = (
    *("/health/live", "/health/ready", "/metrics"),
    *("/nowhere", "/admin/login/", "/admin/nowhere/", "/api/", "/api/docs", "/static/nowhere.js"),
    *("/static/images/icon.png", "/static/favicon.svg", "/static/js/room.js", "/static/admin/css/base.css"),
)


@dataclass(frozen=True)
class Site:
    server: Engawa
    mid: str

    def client(self, peer: str = PROXY, **headers: str) -> httpx.Client:
        transport = httpx.HTTPTransport(local_address=peer)
        return httpx.Client(base_url=self.server.base, transport=transport, headers={"Host": HOST, **headers})

    def addresses(self) -> Iterator[str]:
        for name in OF_A_ROOM:
            yield address(name, "veranda", self.mid) + (f"?mid={self.mid}" if name == "feeds:report" else "")
        yield from ELSEWHERE.values()
        yield from BESIDE
        for row in rows(STATUS):
            dates = {"year": "2026", "month": "2026/01", "day": "2026/01/02"}
            yield row["Address"].format(slug="veranda", mid=self.mid, public_url=f"https://{HOST}", **dates)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("headers")
    settings = {"PUBLIC_URL": f"https://{HOST}", "ALLOWED_HOSTS": f"{HOST},127.0.0.1", "TRUSTED_PROXIES": PROXY}
    server = Engawa(folder, HSTS_SECONDS="3600", **settings)
    yield Site(server, server.shell(PREPARE))
    server.stop()


def wrong_in(path: str, answer: httpx.Response) -> Iterator[str]:
    """What an answer to who came by https does not say, or says and should not."""
    said = answer.headers
    is_open = said.get("access-control-allow-origin") == "*" or path.startswith("/static/")
    wanted = {
        "x-content-type-options": {"nosniff"},
        # An invitation's address is a secret, but the form on it has to say from what site it is.
        "referrer-policy": {"same-origin", "no-referrer", *(["strict-origin"] if path.startswith("/join/") else [])},
        "permissions-policy": {PERMISSIONS},
        "strict-transport-security": {"max-age=3600"},
        "cross-origin-resource-policy": {"cross-origin" if is_open else "same-origin"},
    }
    is_live = path.partition("?")[0].endswith("stream.html")
    is_file = said.get("content-disposition", "").startswith("attachment")
    if said.get("content-type", "").startswith("text/html") and not is_file:
        wanted["cross-origin-opener-policy"] = {"same-origin"}
        policy = said.get("content-security-policy", "")
        if "default-src 'none'" not in policy or "base-uri 'none'" not in policy or "frame-ancestors " not in policy:
            yield f"{path}: the policy is {policy!r}"
        if re.search(r"unsafe-(inline|eval|hashes)|script-src [^;]*(\*|https?:|data:)", policy) and not is_live:
            yield f"{path}: the policy lets strangers in: {policy!r}"
        if "frame-ancestors 'none'" in policy:
            wanted["x-frame-options"] = {"DENY"}
        elif not path.startswith("/embed/"):
            yield f"{path}: may be framed"
    for name, values in wanted.items():
        if len(said.get_list(name)) != 1 or said[name] not in values:
            yield f"{path} ({answer.status_code}): {name} is {said.get_list(name)}, not {values}"
    for cookie in said.get_list("set-cookie"):
        parts = {part.strip().lower() for part in cookie.split(";")[1:]}
        if not cookie.startswith("__Host-") or not {"secure", "httponly", "path=/", "samesite=lax"} <= parts:
            yield f"{path}: sets {cookie}"
        if any(part.startswith("domain") for part in parts):
            yield f"{path}: sets {cookie}"


def test_no_address_is_left_out() -> None:
    assert set(ELSEWHERE) == OTHERS | WITHOUT_NAMES


def test_what_every_answer_says(site: Site) -> None:
    wrong: list[str] = []
    seen = set()
    with (
        site.client(**{"X-Forwarded-Proto": "https"}) as anybody,
        site.client(**{"X-Forwarded-Proto": "https"}) as olga,
    ):
        olga.get("/accounts/login/")
        form = {
            "username": "olga", "password": "a long password", "csrfmiddlewaretoken": anybody_token(olga),
        }  # fmt: skip
        signed_in = olga.post("/accounts/login/", data=form, headers={**jar_of(olga), "Referer": f"https://{HOST}/"})
        assert signed_in.status_code == 302
        wrong.extend(wrong_in("/accounts/login/", signed_in))
        for path in dict.fromkeys(site.addresses()):
            for client in (anybody, olga):
                headers = jar_of(client) if client is olga else {}
                with client.stream("GET", path, headers=headers) as answer:
                    seen.add(answer.status_code)
                    wrong.extend(wrong_in(path, answer))
        for method in ("POST", "OPTIONS", "DELETE"):
            for path in ("/", "/chat/veranda/", "/feeds/veranda/stream", "/feeds/veranda/export.csv", "/health/live"):
                wrong.extend(wrong_in(f"{path}", anybody.request(method, path)))
    assert not wrong, "\n".join(wrong)
    assert {200, 302, 401, 404, 405} <= seen


def jar_of(client: httpx.Client) -> dict[str, str]:
    """The cookies of a browser that is told it is at https; the client that it is made of knows that it is not."""
    return {"Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)}


def anybody_token(client: httpx.Client) -> str:
    (token,) = (cookie.value for cookie in client.cookies.jar if cookie.name == "__Host-csrftoken")
    return token


def raw(site: Site, request: str) -> str:
    with socket.create_connection(("127.0.0.1", site.server.port), timeout=10) as line:
        line.sendall(request.encode("latin1"))
        answer = b""
        while piece := line.recv(65536):
            answer += piece
            if b"\r\n\r\n" in answer:
                break
    return answer.decode("latin1")


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        ("GET /%C3 HTTP/1.1\r\nHost: evil.example.com", 400),
        ("GET /ws/chat/veranda/ HTTP/1.1\r\nHost: chat.example.org\r\nSec-WebSocket-Protocol: a;b", 400),
        ("GET /feeds/veranda/stream HTTP/1.1\r\nHost: evil.example.com", 400),
        ("POST / HTTP/1.1\r\nHost: chat.example.org\r\nContent-Length: 99999999", 413),
    ],
)
def test_what_no_application_has_seen_says_so_too(site: Site, request_head: str, status: int) -> None:
    answer = raw(site, f"{request_head}\r\nConnection: close\r\n\r\n")
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert "x-content-type-options: nosniff" in answer.lower()


def test_a_scheme_is_believed_of_a_proxy_of_ours_alone(site: Site) -> None:
    with site.client(PROXY) as proxy, site.client(STRANGER) as stranger:
        for path in ("/chat/veranda/?x=1", "/feeds/veranda/stream?history=1", "/static/js/room.js", "/nowhere"):
            led = proxy.get(path, headers={"X-Forwarded-Proto": "http"})
            assert (led.status_code, led.headers["location"]) == (308, f"https://{HOST}{path}")
            assert "strict-transport-security" not in led.headers
            for headers in ({}, {"X-Forwarded-Proto": "gopher"}):
                with proxy.stream("GET", path, headers=headers) as answer:
                    assert answer.status_code in (200, 404), "where nothing is said nobody is sent round in circles"
                    assert "strict-transport-security" not in answer.headers
            for scheme in ("http", "https"):
                headers = {"X-Forwarded-Proto": scheme, "X-Forwarded-Ssl": "on", "Forwarded": f"proto={scheme}"}
                with stranger.stream("GET", path, headers=headers) as answer:
                    assert answer.status_code in (200, 404)
                    assert "strict-transport-security" not in answer.headers
        # What a stranger wrote is on the left of what the proxy says.
        assert proxy.get("/chat/", headers={"X-Forwarded-Proto": "https, http"}).status_code == 308
        for path in ("/health/live", "/health/ready", "/metrics"):
            assert proxy.get(path, headers={"X-Forwarded-Proto": "http"}).status_code != 308
        odd = raw(
            site, "GET //evil.example.com/%2e%2e?x=%0d%0aA:b HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: http\r\n\r\n"
        )
        assert f"\r\nlocation: https://{HOST}//evil.example.com/%2e%2e?x=%0d%0aa:b\r\n" in odd.lower()
        posted = proxy.post("/chat/", headers={"X-Forwarded-Proto": "http"})
        assert (posted.status_code, posted.headers["location"]) == (308, f"https://{HOST}/chat/")


def test_a_form_at_https_must_come_from_a_page_of_ours(site: Site) -> None:
    """Django asks for the referrer where it knows that it is at https."""
    with site.client(**{"X-Forwarded-Proto": "https"}) as http:
        http.get("/accounts/login/")
        form = {"username": "olga", "password": "wrong", "csrfmiddlewaretoken": anybody_token(http)}
        answers = [
            http.post("/accounts/login/", data=form, headers={**jar_of(http), **headers}).status_code
            for headers in ({}, {"Referer": "https://elsewhere.example/"}, {"Referer": f"https://{HOST}/x"})
        ]
    assert answers == [403, 403, 200]


def test_cookies_of_old_names_are_nobody_s(site: Site) -> None:
    """Any host below ours, or beside it, could have planted them."""
    with site.client(**{"X-Forwarded-Proto": "https"}) as http:
        http.get("/chat/veranda/")
        guest = {cookie.name: cookie.value for cookie in http.cookies.jar}["__Host-guest"]
        mine = http.get("/chat/veranda/", headers={"Cookie": f"__Host-guest={guest}"})
        assert "set-cookie" not in mine.headers or "__Host-guest" not in mine.headers["set-cookie"]
        planted = http.get("/chat/veranda/", headers={"Cookie": f"guest={guest}; language=ja"})
        assert "__Host-guest" in " ".join(planted.headers.get_list("set-cookie"))
        assert planted.headers["content-language"] == "en"
