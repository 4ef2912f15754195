"""Calling an address that somebody else has chosen: only one that anybody may reach, by the very address that was
looked at, and for a bounded time.

A name is looked up once, here. Were it looked up again for the connection, it could by then lead into our own network.
"""

import asyncio
import ipaddress
import socket
import ssl
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chat import errors
from chat.sentences import filled

if TYPE_CHECKING:
    import httpx

MAX_URL_CHARS = 500
MOST_ADDRESSES = 3  # of a name, tried one after the other
_PORTS = {"http": 80, "https": 443}
# What the standard library's tables leave out, or did in some versions of Python.
_RESERVED = (ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("192.88.99.0/24"))
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


class Unreachable(Exception):
    """Nothing was answered; why, in a few words for the owner."""


def check_url(url: object) -> str:
    """``url`` as it is kept. Raises ``WebhookInvalid`` for what could never be called."""
    if not isinstance(url, str) or not (url := url.strip()) or len(url) > MAX_URL_CHARS:
        raise errors.WebhookInvalid(
            filled(_("A webhook is an address of at most %(most)s characters."), most=MAX_URL_CHARS)
        )
    if not url.isascii() or any(char.isspace() or not char.isprintable() for char in url):
        raise errors.WebhookInvalid(_("That address has characters that an address cannot have."))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise errors.WebhookInvalid(_("That is no address.")) from None
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise errors.WebhookInvalid(_("A webhook's address begins with https:// or http:// and a host."))
    if parts.username is not None or parts.password is not None:
        raise errors.WebhookInvalid(_("A webhook's address holds no name or password: requests are signed instead."))
    if parts.fragment:
        raise errors.WebhookInvalid(_("A webhook's address has no #fragment."))
    if not settings.WEBHOOK_PRIVATE_ADDRESSES and _is_private_literal(parts.hostname):
        raise errors.WebhookInvalid(_("That address is not on the public internet."))
    return url


def origin_of(url: str) -> str:
    """Whom an address belongs to: what comes after may be secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_public(address: str) -> bool:
    """Whether an IP address is one that anybody on the internet may reach."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if (inner := _inside(ip)) is not None:
            return is_public(str(inner))
        if ip not in _GLOBAL_UNICAST:
            return False
    elif any(ip in network for network in _RESERVED):
        return False
    return ip.is_global and not (
        ip.is_private or ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_reserved or ip.is_unspecified
    )


def _inside(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for, or leads to through a gateway."""
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip.teredo is not None:
        return ip.teredo[1]
    if any(ip in network for network in _NAT64):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None


def _is_private_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return not is_public(host)


async def addresses_of(host: str, port: int) -> list[str]:
    """Where ``host`` is. Raises ``Unreachable`` where nothing of that may be called."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable("the name is not known") from None
    addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
    if not settings.WEBHOOK_PRIVATE_ADDRESSES:
        addresses = [address for address in addresses if is_public(address)]
    if not addresses:
        raise Unreachable("the address is not on the public internet")
    return addresses[:MOST_ADDRESSES]


@cache
def _tls() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context()


class Caller:
    """Calls one address, several times if need be. ``async with`` it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._parts: SplitResult = urlsplit(url)
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> "Caller":
        import httpx  # here: a site without webhooks need not keep it in memory

        secure = self._parts.scheme == "https"
        # A client of its own: one that is shared would use a connection that was made for another name.
        self._client = httpx.AsyncClient(verify=_tls() if secure else False, trust_env=False, follow_redirects=False)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._client.aclose()

    async def post(self, body: bytes, headers: dict[str, str]) -> int:
        """The status that a POST is answered with, within settings.WEBHOOK_SECONDS for all of it. What is answered
        beside it is not read. Raises ``Unreachable``."""
        import httpx

        host, port = self._parts.hostname, self._parts.port or _PORTS[self._parts.scheme]
        failure = Unreachable("no connection")
        try:
            async with asyncio.timeout(settings.WEBHOOK_SECONDS):
                for address in await addresses_of(host, port):
                    try:
                        return await self._post_to(address, port, body, headers)
                    except httpx.ConnectError as error:
                        failure = Unreachable("no connection: " + _in_a_line(error))
        except TimeoutError:
            raise Unreachable(f"no answer within {settings.WEBHOOK_SECONDS} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            raise Unreachable(_in_a_line(error)) from None
        raise failure

    async def _post_to(self, address: str, port: int, body: bytes, headers: dict[str, str]) -> int:
        literal = f"[{address}]" if ":" in address else address
        target = self._parts._replace(netloc=f"{literal}:{port}").geturl()
        request = self._client.build_request(
            "POST",
            target,
            content=body,
            headers={**headers, "Host": self._parts.netloc},
            timeout=settings.WEBHOOK_SECONDS,
            # The certificate must be the name's, although the connection is to the address.
            extensions={"sni_hostname": self._parts.hostname},
        )
        response = await self._client.send(request, stream=True)
        await response.aclose()
        return response.status_code


def _in_a_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0][:80]
