"""Who a connection comes from, read from its cookies as the pages read theirs.

For what does not pass Django's middleware: WebSockets and streams.
"""

from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.http import parse_cookie

from chat import errors
from chat.addresses import Headers, network_of
from chat.database import in_database
from chat.identity import Identity, read_guest_token


def cookies_of(headers: Headers) -> dict[str, str]:
    return parse_cookie("; ".join(value.decode("latin1") for key, value in headers if key == b"cookie"))


async def visitor(scope: dict[str, Any]) -> Identity | None:
    """Whose cookies came with a connection: an account's, a guest's, or nobody's (None)."""
    cookies, network = cookies_of(scope["headers"]), network_of(scope)
    if settings.SESSION_COOKIE_NAME in cookies:
        account = await in_database(account_of, cookies[settings.SESSION_COOKIE_NAME])
        if account is not None:
            return replace(account, network=network)
    return guest_of(cookies, network)


def guest_of(cookies: dict[str, str], network: str) -> Identity | None:
    """The guest whose signed cookie this is."""
    token = cookies.get(settings.GUEST_COOKIE_NAME)
    guest = read_guest_token(token, settings.GUEST_COOKIE_SECONDS) if token else None
    return guest and replace(guest, network=network)


def account_of(session_key: str) -> Identity | None:
    """Whose session that is, if it still holds."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(SimpleNamespace(session=session))
    return replace(user.identity, session_key=session_key) if user.is_authenticated else None


def require_session(actor: Identity | None) -> None:
    """Raise ``SessionEnded`` where ``actor`` came by a session that no longer holds."""
    if actor is not None and actor.session_key is not None and signed_out({actor.session_key: actor}):
        raise errors.SessionEnded()


def signed_out(sessions: dict[str, Identity]) -> set[str]:
    """Those of ``sessions`` (who they are, by session key) that no longer hold, or are somebody else's by now."""
    return {session_key for session_key, actor in sessions.items() if account_of(session_key) != actor}
