"""Where a connection comes from, as far as that can be believed."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

Headers = list[tuple[bytes, bytes]]


def header(headers: Headers, name: bytes) -> str | None:
    """A header's value, its lines joined; None where it is not there."""
    values = [value.decode("latin1") for key, value in headers if key == name]
    return ", ".join(values) if values else None


def network_of(scope: dict) -> str:
    """The keyed hash of the network that a connection comes from, 32 characters; "" where that is not known. It is
    enough to know somebody by, and not enough to find them."""
    return keyed(client_address(scope))


def network_of_request(request: HttpRequest) -> str:
    """The same for a request to a page."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR")
    headers = [(b"x-forwarded-for", forwarded.encode("latin1", "replace"))] if forwarded else []
    return network_of({"client": (request.META.get("REMOTE_ADDR") or "", 0), "headers": headers})


def keyed(address: str) -> str:
    """The keyed hash of an address as ``client_address`` gives it."""
    return salted_hmac("engawa.network", address).hexdigest()[:32] if address else ""


def keyed_network(address: str) -> str:
    """The keyed hash of the network that an address is in which somebody has typed. Raises ``ValueError`` where it is
    none, or one that nobody comes from."""
    address = str(ip_address(address.strip()))
    hashed = "" if is_trusted(address) else keyed(_network(address))
    if not hashed:
        raise ValueError(f"{address} stands for this machine or a proxy of ours")
    return hashed


def client_address(scope: dict) -> str:
    """The network that a connection comes from: an IPv4 address, or an IPv6 /64, which is what one household has.

    A forwarded address is believed only from a peer in settings.TRUSTED_PROXIES, and read from the right: what is
    left of the last proxy that we know, anybody may have written. "" where nothing is known, and for this machine
    itself, where a proxy that we were not told of may stand for everybody.
    """
    peer = scope["client"][0] if scope.get("client") else ""
    forwarded = (header(scope["headers"], b"x-forwarded-for") or "").split(",") if is_trusted(peer) else []
    for hop in [peer, *(hop.strip() for hop in reversed(forwarded))]:
        if not is_trusted(hop):
            return _network(hop)
    return ""


def is_from_proxy(scope: dict) -> bool:
    """Whether a connection comes straight from one of settings.TRUSTED_PROXIES."""
    return bool(scope.get("client")) and is_trusted(scope["client"][0])


def is_trusted(address: str) -> bool:
    """Whether that is the address of a proxy of ours, which is believed what it says of others."""
    try:
        return any(_parsed(address) in proxies for proxies in settings.TRUSTED_PROXIES)
    except ValueError:
        return False


def _parsed(address: str) -> IPv4Address | IPv6Address:
    """An IPv4 address also where a socket for both kinds writes it as ``::ffff:…``. Raises ``ValueError``."""
    found = ip_address(address)
    return found.ipv4_mapped or found if found.version == 6 else found


@lru_cache(maxsize=1024)  # asked more than once of each connection
def _network(address: str) -> str:
    try:
        found = _parsed(address)
    except ValueError:
        return ""
    if found.is_loopback:
        return ""
    return str(found) if found.version == 4 else str(ip_network(f"{found}/64", strict=False))
