"""The way to the provider and back (OpenID Connect: authorization code with PKCE). Only there where
settings.OIDC_ISSUER is set."""

import logging
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.views import RedirectURLMixin
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.cache import never_cache

from chat import guessing, oidc
from chat.addresses import network_of_request
from chat.visitors import guest_of

if TYPE_CHECKING:
    from authlib.integrations.django_client import DjangoOAuth2App

BEGUN = "_state_oidc_"  # how Authlib calls, in a session, what it has begun
MOST_BEGUN = 4
NEXT = "oidc_next"  # where they were going, in their session
AWAY_SECONDS = 3600  # for signing in there
SECONDS = 10  # for each request to the provider
MOST_CHARS = 255  # of a subject, as the specification has it
# What a token may be signed with: never a secret that both know, nor nothing at all.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")

logger = logging.getLogger(__name__)


@cache
def _client() -> "DjangoOAuth2App":
    # Loaded when somebody first comes this way.
    from authlib.integrations.django_client import OAuth

    return OAuth().register(
        "oidc",
        client_id=settings.OIDC_CLIENT_ID,
        client_secret=settings.OIDC_CLIENT_SECRET,
        server_metadata_url=f"{settings.OIDC_ISSUER.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid profile", "code_challenge_method": "S256", "default_timeout": SECONDS},
    )


def client() -> "DjangoOAuth2App":
    """What speaks with the provider. Raises ``ValueError`` where the provider says that it is another."""
    found = _client()
    metadata: dict[str, Any] = found.load_server_metadata()
    if metadata.get("issuer") != settings.OIDC_ISSUER:
        raise ValueError("the provider names another issuer")
    offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    metadata["id_token_signing_alg_values_supported"] = [each for each in offered if each in ALGORITHMS]
    return found


@method_decorator(never_cache, name="dispatch")
class SignInView(RedirectURLMixin, View):
    """To the provider. ``next`` waits in the session."""

    next_page = reverse_lazy("chat:index")

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            return HttpResponseRedirect(self.get_success_url())
        guessing.at_provider(request)  # given back when they come back
        for begun in [key for key, _state in request.session.items() if key.startswith(BEGUN)][: 1 - MOST_BEGUN]:
            del request.session[begun]
        try:
            response = client().authorize_redirect(request, settings.PUBLIC_URL + reverse("oidc_back"))
        except Exception as error:
            return failed(request, error)
        request.session[NEXT] = self.get_success_url()
        request.session.set_expiry(AWAY_SECONDS)  # whoever does not come back leaves nothing for weeks
        return response


@method_decorator(never_cache, name="dispatch")
class BackView(View):
    """From the provider. What it says is asked of itself, and checked: state, nonce, signature, audience, time."""

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            token = client().authorize_access_token(request)
            claims = token["userinfo"]
            subject = claims["sub"]
            if not isinstance(subject, str) or not 0 < len(subject) <= MOST_CHARS or "\0" in subject:
                raise ValueError("the provider's subject is none")
            user = oidc.account_of(settings.OIDC_ISSUER, subject)
            is_new = user is None
            if user is None:
                network = network_of_request(request)
                guest = guest_of(request.COOKIES, network)
                user = oidc.open_account(settings.OIDC_ISSUER, subject, name_in(token), guest, network)
        except (OperationalError, InterfaceError):  # of ours: whoever answers for the site says so
            raise
        except Exception as error:
            return failed(request, error)
        if not user.is_active:
            messages.error(request, _("This account is suspended."))
            return HttpResponseRedirect(reverse("login"))
        guessing.came_back(request)
        destination = request.session.pop(NEXT, None) or reverse("chat:index")
        request.session.set_expiry(None)
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        response = HttpResponseRedirect(destination)
        if is_new:
            response.delete_cookie(settings.GUEST_COOKIE_NAME, samesite="Lax")
        return response


def name_in(token: dict[str, Any]) -> object:
    """What they are called there. Most providers say so only where they are asked again, with the access token."""
    claims = token["userinfo"]
    if "preferred_username" not in claims and client().server_metadata.get("userinfo_endpoint"):
        more = client().userinfo(token=token)
        if more.get("sub") == claims["sub"]:
            claims = more
    return claims.get("preferred_username")


def failed(request: HttpRequest, error: Exception) -> HttpResponse:
    """Back to where one signs in. What was wrong may quote what a token says, so only its kind is logged."""
    logger.warning("signing in at the provider failed (%s)", type(error).__name__)
    messages.error(request, _("Signing in there did not work. Please try again."))
    return HttpResponseRedirect(reverse("login"))
