"""Who a connection comes from, read from its cookies as the pages read theirs.

For what does not pass Django's middleware: WebSockets and streams.
"""

from importlib import import_module
from types import SimpleNamespace

from django.conf import settings
from django.contrib.auth import get_user
from django.http import parse_cookie

from chat.database import in_database
from chat.identity import Identity, read_guest_token

Headers = list[tuple[bytes, bytes]]


def header(headers: Headers, name: bytes) -> str | None:
    """A header's value, its lines joined; None where it is not there."""
    values = [value.decode("latin1") for key, value in headers if key == name]
    return ", ".join(values) if values else None


def cookies_of(headers: Headers) -> dict[str, str]:
    return parse_cookie("; ".join(value.decode("latin1") for key, value in headers if key == b"cookie"))


async def visitor(headers: Headers) -> Identity | None:
    """Whose cookies came with a connection: an account's, a guest's, or nobody's (None)."""
    cookies = cookies_of(headers)
    if settings.SESSION_COOKIE_NAME in cookies:
        account = await in_database(_account, cookies[settings.SESSION_COOKIE_NAME])
        if account is not None:
            return account
    return guest_of(cookies)


def guest_of(cookies: dict[str, str]) -> Identity | None:
    """The guest whose signed cookie this is."""
    token = cookies.get(settings.GUEST_COOKIE_NAME)
    return read_guest_token(token, settings.GUEST_COOKIE_SECONDS) if token else None


def _account(session_key: str) -> Identity | None:
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(SimpleNamespace(session=session))
    return user.identity if user.is_authenticated else None
