"""A deployment as strangers meet it, at its public address: but for ``the_proxy``, nothing here looks at settings."""

import base64
import gzip
import http.client
import json
import os
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic
from urllib.parse import quote, urlsplit

from django.conf import settings

from config.doctor.findings import Broken, Examination, Finding, look, ok, wrong

PATIENCE_SECONDS = 10.0
AT_ONCE_SECONDS = 3.0  # from asking for a stream to its first bytes: a proxy that buffers holds them for longer
EXPIRES_SOON = timedelta(days=14)
CLOCKS_APART_SECONDS = 30.0
_HASHED = re.compile(r"""["'](/static/[\w./-]+\.[0-9a-f]{12}\.(?:js|css))["']""")
_WANTED_HEADERS = {
    "content-security-policy": "what a page may load",
    "x-content-type-options": "that browsers take a file for what it is",
    "referrer-policy": "what other sites learn of where somebody came from",
}


class Site:
    """What is asked, at ``base`` (``https://host``), about the public room ``slug``. Each answer is of a new
    connection."""

    def __init__(self, base: str, slug: str, trust: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(base)
        self.base = base
        self.slug = quote(slug)
        self.scheme = parts.scheme
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self.plain_port = 80  # where who types the name without a scheme may come
        self.trust = trust or ssl.create_default_context()

    def connection(self, seconds: float = PATIENCE_SECONDS) -> http.client.HTTPConnection:
        if self.scheme == "https":
            return http.client.HTTPSConnection(self.host, self.port, timeout=seconds, context=self.trust)
        return http.client.HTTPConnection(self.host, self.port, timeout=seconds)

    def get(self, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        with closing(self.connection()) as asked:
            asked.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = asked.getresponse()
            return answer, answer.read()


def the_way_there(site: Site) -> Iterator[Finding]:
    try:
        addresses = {found[4][0] for found in socket.getaddrinfo(site.host, site.port, type=socket.SOCK_STREAM)}
    except OSError as error:
        yield wrong("name", f"{site.host} has no address: {error}", "Make an A record (and AAAA) for it.")
        raise Broken from error
    try:
        with closing(site.connection()) as trial:
            trial.connect()
            yield ok("name", f"{site.host} is {', '.join(sorted(addresses))}.")
            if isinstance(trial.sock, ssl.SSLSocket):
                yield from _certificate(trial.sock)
    except ssl.SSLCertVerificationError as error:
        yield wrong(
            "certificate",
            f"It is not trusted: {error.verify_message}.",
            "Caddy gets one by itself where the name leads to it, and ports 80 and 443 are open.",
        )
        raise Broken from error
    except OSError as error:
        yield wrong(
            "name", f"Nobody answers at port {site.port}: {error}", "See that the proxy runs, and look at the firewall."
        )
        raise Broken from error


def _certificate(sock: ssl.SSLSocket) -> Iterator[Finding]:
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(sock.getpeercert()["notAfter"])), UTC)
    left = until - datetime.now(UTC)
    if left < EXPIRES_SOON:
        yield look("certificate", f"It ends on {until:%Y-%m-%d}.", "See why it is not renewed: the proxy's log says.")
    else:
        yield ok("certificate", f"It is trusted until {until:%Y-%m-%d} ({sock.version()}).")


def the_protocol(site: Site) -> Iterator[Finding]:
    if site.scheme != "https":
        yield look("protocol", "This is http: no HTTP/2, no secure cookies.", "Put a proxy with TLS in front.")
        return
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # that was examined before
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection((site.host, site.port), PATIENCE_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=site.host) as sock,
    ):
        if sock.selected_alpn_protocol() == "h2":
            yield ok("protocol", "HTTP/2 is spoken.")
        else:
            yield look(
                "protocol",
                "HTTP/2 is not spoken: a browser can hold six streams of this site at a time, over all its tabs.",
                "Turn it on in the proxy: Caddy does by itself, nginx by http2 on.",
            )


def the_scheme(site: Site) -> Iterator[Finding]:
    """Who comes by http is led to https, and who comes by https is known to have."""
    if site.scheme != "https":
        return
    if site.port == 443:
        yield from _led_to_https(site)
    answer, _ = site.get("/")
    if answer.status == 308:
        yield wrong(
            "https",
            f"Who comes by it is led to {answer.headers['location']} again and again: the server takes it for http.",
            "Have the proxy set X-Forwarded-Proto to the scheme that it was asked by.",
        )
    elif "strict-transport-security" not in answer.headers:
        yield look(
            "https",
            "There is no Strict-Transport-Security: the server does not know that this is https.",
            "Have the proxy set X-Forwarded-Proto, name it in TRUSTED_PROXIES, and leave HSTS_SECONDS at its default.",
        )
    else:
        yield ok("https", "The server knows who comes by it, and tells browsers to.")


def _led_to_https(site: Site) -> Iterator[Finding]:
    try:
        with closing(http.client.HTTPConnection(site.host, site.plain_port, timeout=PATIENCE_SECONDS)) as asked:
            asked.request("GET", "/")
            answer = asked.getresponse()
    except (OSError, http.client.HTTPException) as error:
        yield look(
            "https",
            f"Nobody answers at port {site.plain_port} ({error}): an http:// address of this site leads nowhere.",
            "Open it, unless that is meant. A proxy may need it for its certificate, too.",
        )
        return
    to = answer.headers["location"] or ""
    if answer.status in (301, 302, 307, 308) and to.startswith(f"{site.base}/"):
        yield ok("https", f"Who comes by http is led there ({answer.status}).")
    else:
        yield wrong(
            "https",
            f"Who comes by http is answered by {answer.status}{f', and led to {to}' if to else ''}.",
            f"Have the proxy lead them to {site.base}: Caddy does by itself. Engawa does where the proxy says "
            "X-Forwarded-Proto, and is in TRUSTED_PROXIES.",
        )


def the_health(site: Site) -> Iterator[Finding]:
    for path in ("/health/live", "/health/ready"):
        answer, body = site.get(path)
        words = body.decode(errors="replace").split()
        if answer.status == 200 and words[:1] == ["degraded"]:
            yield look("health", f"{path}: {' '.join(words)}", "manage.py doctor, run beside the server, says why.")
        elif answer.status == 200:
            yield ok("health", f"{path}: {' '.join(words)}")
        else:
            yield wrong(
                "health",
                f"{path} is answered by {answer.status} {' '.join(words)[:80]}",
                "manage.py doctor, run beside the server, says why. If it is well, the proxy leads elsewhere.",
            )
    if date := answer.headers["date"]:
        apart = abs((parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds())
        if apart > CLOCKS_APART_SECONDS:
            yield look("clock", f"Its clock and this machine's are {apart:.0f} s apart.", "Set both by NTP.")


def the_pages(site: Site) -> Iterator[Finding]:
    answer, body = site.get(f"/chat/{site.slug}/", accept_encoding="gzip")
    if answer.status == 404:
        yield wrong("pages", f"There is no public room {site.slug}.", "Name one: --room SLUG.")
        raise Broken
    if answer.status != 200:
        yield wrong(
            "pages",
            f"A room's page is answered by {answer.status}.",
            "400 is for a Host that ALLOWED_HOSTS does not name, 5xx is in the server's log.",
        )
        return
    missing = [f"{name} ({why})" for name, why in _WANTED_HEADERS.items() if name not in answer.headers]
    if missing:
        yield wrong("pages", f"Headers are missing: {', '.join(missing)}.", "See that the proxy takes none away.")
    cookies = answer.headers.get_all("set-cookie") or []
    open_ones = [
        cookie.split("=")[0] for cookie in cookies if site.scheme == "https" and "secure" not in cookie.lower()
    ]
    if open_ones:
        yield wrong("pages", f"Cookies that may go over http: {', '.join(open_ones)}.", f"Set PUBLIC_URL={site.base}.")
    html = gzip.decompress(body) if answer.headers["content-encoding"] == "gzip" else body
    if len(html) == len(body) > 10_000:
        yield look("pages", f"{len(body) // 1000} KB of HTML come uncompressed.", "Have the proxy compress text/html.")
    yield ok("pages", f"A room's page has {len(body) / 1000:.0f} KB.")
    yield from _static(site, html.decode(errors="replace"))


def _static(site: Site, html: str) -> Iterator[Finding]:
    found = _HASHED.search(html)
    if not found:
        yield look(
            "static files",
            "Pages name files without a hash: each is asked for again each time.",
            "See why they were not built: the server's log says, at its start.",
        )
        return
    answer, _ = site.get(found[1], accept_encoding="br, gzip")
    if answer.status != 200:
        yield wrong(
            "static files",
            f"{found[1]} is answered by {answer.status}.",
            "All web processes and the proxy must have the same files: manage.py upgrade --static FOLDER.",
        )
    elif "immutable" not in (answer.headers["cache-control"] or ""):
        yield look("static files", "They are not immutable.", "See that the proxy leaves Cache-Control as it is.")
    elif not answer.headers["content-encoding"]:
        yield look("static files", "They come uncompressed.", "See that the proxy passes Accept-Encoding on.")
    else:
        yield ok("static files", f"They are immutable, and come as {answer.headers['content-encoding']}.")


def the_stream(site: Site) -> Iterator[Finding]:
    began = monotonic()
    with closing(site.connection(PATIENCE_SECONDS)) as asked:
        try:
            asked.request("GET", f"/feeds/{site.slug}/stream", headers={"Accept": "text/event-stream"})
            answer = asked.getresponse()
            if answer.status != 200:
                yield wrong("streams", f"A stream is answered by {answer.status}.", "Its body says why.")
                return
            first = answer.read1(4096)
        except TimeoutError:
            first = b""
        seconds = monotonic() - began
        if not first or seconds > AT_ONCE_SECONDS:
            when = f"after {seconds:.1f} s" if first else f"not within {PATIENCE_SECONDS:.0f} s"
            yield wrong(
                "streams",
                f"Their first bytes come {when}: something between keeps them back.",
                "Turn off buffering of /feeds/…/stream: proxy_buffering off in nginx. Caddy does not buffer by itself.",
            )
            return
        if answer.headers["content-encoding"]:
            yield wrong(
                "streams",
                f"They are compressed ({answer.headers['content-encoding']}), which holds back what is short.",
                "Have the proxy compress text/html alone.",
            )
        if answer.headers["access-control-allow-origin"] != "*":
            yield wrong("streams", "Other sites may not read them.", "See that the proxy leaves CORS headers alone.")
        yield ok("streams", f"The first bytes of one come after {seconds * 1000:.0f} ms.")


def the_socket(site: Site) -> Iterator[Finding]:
    with closing(site.connection()) as asked:
        asked.request(
            "GET",
            f"/ws/chat/{site.slug}/",
            headers={
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
                "Sec-WebSocket-Protocol": "engawa.v1",
                "Origin": site.base,
            },
        )
        answer = asked.getresponse()
        if answer.status != 101:
            yield wrong(
                "sockets",
                f"A WebSocket is answered by {answer.status} instead of 101.",
                "Have the proxy pass Upgrade and Connection on for /ws/…, to a process that serves them. 403 is for an "
                "Origin that is not PUBLIC_URL.",
            )
            return
        try:
            welcome = json.loads(_first_frame(answer.fp))
        except (OSError, ValueError) as error:
            yield wrong("sockets", f"One opens, and says nothing: {error}", "The server's log says more.")
            return
        if welcome.get("type") == "welcome":
            yield ok("sockets", "One opens, and is welcomed.")
        else:
            yield wrong("sockets", f"One opens, and is told {welcome.get('code', welcome.get('type'))}.", "See above.")


def _first_frame(stream: object) -> bytes:
    """The text of an unmasked frame (RFC 6455, section 5.2)."""
    kind, length = stream.read(2)
    if length == 126:
        length = int.from_bytes(stream.read(2))
    elif length == 127:
        length = int.from_bytes(stream.read(8))
    if kind != 0x81:
        raise ValueError(f"a frame that begins with {kind:#x}")
    return stream.read(length)


def the_machine_room(site: Site) -> Iterator[Finding]:
    """What is for operators, and for nobody else."""
    answer, _ = site.get("/metrics")
    if answer.status == 200:
        yield wrong("metrics", "Anybody can read /metrics.", "See where the proxy leads /metrics.")
    else:
        yield ok("metrics", "They are not for everybody.")
    for port, what in ((5432, "PostgreSQL"), (6379, "Redis"), (9464, "metrics"), (5561, "Pushpin's control port")):
        try:
            socket.create_connection((site.host, port), 1.0).close()
        except OSError:
            continue
        if site.host not in ("localhost", "127.0.0.1", "::1"):
            yield wrong("ports", f"{what} ({port}) can be reached from here.", "Close it to all but your own machines.")


def the_proxy(site: Site) -> Iterator[Finding]:
    """For who knows the settings, too: whether a proxy is there that is not trusted to say who comes."""
    answer, _ = site.get("/health/live")
    name = answer.headers["via"] or answer.headers["server"]  # ours gives neither
    if not name:
        yield ok("proxy", "None tells of itself.")
    elif not settings.TRUSTED_PROXIES:
        yield wrong(
            "proxy",
            f"{name} is in front, and not believed: all people seem to come from its address and share its limits, "
            "and a ban of one network is a ban of all.",
            "Set TRUSTED_PROXIES to the network that the proxy comes from.",
        )
    else:
        yield ok("proxy", f"{name} is in front; TRUSTED_PROXIES are believed.")


FROM_OUTSIDE: tuple[Examination, ...] = (
    the_way_there,
    the_protocol,
    the_scheme,
    the_health,
    the_pages,
    the_stream,
    the_socket,
    the_machine_room,
)
FROM_OUTSIDE_KNOWING: tuple[Examination, ...] = (*FROM_OUTSIDE, the_proxy)
