"""How often somebody may try a password: one policy for every door that asks for one.

A try is counted before it is looked at, and taken back where the password was right. Nobody can keep an account's owner
out by guessing: a browser that has signed in to it with the password that it has now (a cookie says so, good for
nothing else) is counted by itself, and everybody else by network. What no network shows, many of them guessing at one
account, is bounded for those other browsers together.
"""

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import salted_hmac

from chat.addresses import network_of_request
from chat.limits import count_password, uncount_password
from chat.models import User

_SALT = "engawa.known"


@dataclass(frozen=True, slots=True)
class Try:
    """One that was counted: whose, and what it shares with others."""

    guesser: str
    shared: tuple[str, ...]

    def was_right(self) -> None:
        uncount_password(self.guesser, self.shared)


def at_account(request: HttpRequest, username: str) -> Try:
    """Count somebody who wants to be the account ``username``, whether there is one or not. Raises
    ``TooManyAttempts``."""
    account, network = _hashed(username), network_of_request(request)
    device = _device(request, username)
    if device:
        return _counted(Try(f"d{device}", ()))
    return _counted(Try(f"{account}:{network}" if network else "", (*_shared_in(network), f"a{account}")))


def at_own(request: HttpRequest) -> Try:
    """Count somebody who is signed in and asked for their password again: whoever took over their session, not they
    elsewhere. Raises ``TooManyAttempts``."""
    return _counted(Try(f"s{_hashed(request.session.session_key or '')}", ()))


def at_provider(request: HttpRequest) -> Try:
    """Count somebody who goes to sign in elsewhere, of whom we keep that they are on their way. Raises
    ``TooManyAttempts``."""
    return _counted(Try("", _shared_in(network_of_request(request))))


def came_back(request: HttpRequest) -> None:
    """They were somebody there."""
    Try("", _shared_in(network_of_request(request))).was_right()


def remember(request: HttpRequest, response: HttpResponseBase) -> None:
    """Have the browser of somebody who has just signed in, or changed their password, say so from now on."""
    response.set_cookie(
        settings.KNOWN_COOKIE_NAME,
        signing.dumps([*_known(request.user), secrets.token_hex(8)], salt=_SALT),
        max_age=settings.KNOWN_COOKIE_SECONDS,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _shared_in(network: str) -> tuple[str, ...]:
    """What all who come from there share. One that is not known ("") may be everybody's."""
    return (f"n{network}",) if network else ()


def _counted(one: Try) -> Try:
    count_password(one.guesser, one.shared)
    return one


def _device(request: HttpRequest, username: str) -> str:
    """The browser's own number, if it has signed in to that account with its password of now; else "". Whoever knew an
    older one is anybody."""
    try:
        token = request.COOKIES.get(settings.KNOWN_COOKIE_NAME, "")
        account, password, device = signing.loads(token, salt=_SALT, max_age=settings.KNOWN_COOKIE_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    if account != _hashed(username):
        return ""
    user = User.objects.filter(username=username).first()
    return device if user is not None and [account, password] == _known(user) else ""


def _known(user: User) -> list[str]:
    return [_hashed(user.get_username()), _hashed(user.password)]


def _hashed(value: str) -> str:
    return salted_hmac("engawa.guessing", value).hexdigest()[:32]
