"""Which pages are ours, and which may open a socket here.

A browser sends cookies along with a WebSocket whatever page opens it, and no CORS protects it: the Origin is
all there is. Programs send none; they may come in as long as they bring no cookie, which only a browser would
have been given.
"""

from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from chat.addresses import Headers, header

_DEFAULT_PORTS = {"http": "80", "https": "443"}


def may_open(headers: Headers) -> bool:
    """Whether a handshake with these headers may go on."""
    host = (header(headers, b"host") or "").lower()
    domain, _ = split_domain_port(host)
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return False
    origin = header(headers, b"origin")
    if origin is None:
        return header(headers, b"cookie") is None
    return is_ours(origin, host)


def is_ours(origin: str, host: str) -> bool:
    """Whether a page of that origin is this site's, which a request asked for as ``host``."""
    return origin.rstrip("/").lower() == settings.PUBLIC_URL.lower() or _same_host(origin, host.lower())


def _same_host(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    if parts.scheme not in _DEFAULT_PORTS or not parts.netloc:
        return False
    default = ":" + _DEFAULT_PORTS[parts.scheme]
    return parts.netloc.removesuffix(default) == host.removesuffix(default)
