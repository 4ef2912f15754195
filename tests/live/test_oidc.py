"""Signing in with an account elsewhere: at a provider that others wrote, and at one that does wrong."""

import hmac
import json
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import httpx
import pytest
from joserfc.jwk import KeySet, OctKey, RSAKey

from tests.people import PASSWORD, submit
from tests.provider import CLIENT, SECRET, Provider, provider
from tests.servers import Engawa, Process, free_port

USERS = {
    "s-mio": {"preferred_username": "Mio Ōta", "email": "olga@den.example", "email_verified": True},
    "s-olga": {"preferred_username": "olga"},
    "s-like": {"preferred_username": "оlga"},  # its first letter is Cyrillic
    "s-mail": {"preferred_username": "rita@den.example"},
    "s-admin": {"preferred_username": "admin"},
    "s-none": {},
}
OLGA = f"from chat.models import User\nUser.objects.create_user('olga', 'olga@den.example', {PASSWORD!r})"


def settings_for(issuer: str) -> dict[str, str]:
    named = {"OIDC_ISSUER": issuer, "OIDC_CLIENT_ID": CLIENT, "OIDC_CLIENT_SECRET": SECRET, "OIDC_NAME": "The school"}
    return {**named, "LOG_LEVEL": "debug"}


@pytest.fixture(scope="module")
def others(tmp_path_factory) -> Iterator[tuple[Engawa, str]]:
    """A server, and the issuer of a provider that others wrote, a process of its own."""
    folder = tmp_path_factory.mktemp("oidc")
    port = free_port()
    claims = [f"--user-claims={json.dumps({'sub': subject, **said})}" for subject, said in USERS.items()]
    process = Process([sys.executable, "-m", "oidc_provider_mock", "-p", str(port), *claims], folder / "provider.log")
    issuer = f"http://127.0.0.1:{port}"

    def is_up() -> bool:
        try:
            return httpx.get(f"{issuer}/.well-known/openid-configuration").status_code == 200
        except httpx.HTTPError:
            return False

    process.wait_until(is_up)
    server = Engawa(folder, **settings_for(issuer))
    server.shell(OLGA)
    yield server, issuer
    server.stop()
    process.stop()


@contextmanager
def browser(server: Engawa) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.base, timeout=20) as http:
        yield http


def go_there(http: httpx.Client, next: str = "/chat/lobby/") -> str:
    """The provider's address, which somebody is sent to."""
    page = http.get("/accounts/login/", params={"next": next}).text
    assert "Log in with The school" in page
    sent = http.get("/accounts/oidc/", params={"next": next})
    assert sent.status_code == 302
    return sent.headers["Location"]


def sign_in(http: httpx.Client, subject: str, next: str = "/chat/lobby/") -> httpx.Response:
    back = http.post(go_there(http, next), data={"sub": subject})
    return http.get(back.headers["Location"])


def me(http: httpx.Client) -> str | None:
    """What they are called where they are signed in."""
    account = http.get("/accounts/export/")
    return account.json()["account"]["name"] if account.status_code == 200 else None


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("s-mio", "Mio-Ōta"),
        ("s-olga", "olga-2"),
        ("s-like", "оlga-3"),
        ("s-mail", "rita"),
        ("s-admin", "somebody"),
        ("s-none", "somebody-2"),
    ],
)
def test_who_comes_gets_an_account_of_their_own_and_finds_it_again(others, subject: str, name: str) -> None:
    server, issuer = others
    accounts = []
    for _ in range(2):
        with browser(server) as http:
            arrived = sign_in(http, subject)
            assert (arrived.status_code, arrived.headers["Location"]) == (302, "/chat/lobby/")
            data = http.get("/accounts/export/").json()
            accounts.append(data["account"])
            assert [(each["issuer"], each["subject"]) for each in data["signs_in_with"]] == [(issuer, subject)]
    assert accounts[0]["name"] == name
    assert accounts[0]["email"] == ""
    assert accounts[0]["ids"] == accounts[1]["ids"]


def test_what_was_said_as_a_guest_stays_theirs(others) -> None:
    server, _ = others
    with browser(server) as http:
        http.get("/chat/lobby/")
        submit(http, "/chat/lobby/messages", message="as a guest")
        sign_in(http, "s-guest")
        assert [each["text"] for each in http.get("/accounts/export/").json()["messages"]] == ["as a guest"]
        assert "guest" not in http.cookies


def test_they_are_led_back_to_where_they_were_and_nowhere_else(others) -> None:
    server, _ = others
    for wanted, led in (("/chat/", "/chat/"), ("https://evil.example/", "/chat/"), ("//evil.example", "/chat/")):
        with browser(server) as http:
            assert sign_in(http, "s-next", wanted).headers["Location"] == led
            assert http.get("/accounts/oidc/").headers["Location"] == "/chat/", "who is signed in need not go"


def test_a_suspended_account_stays_out_and_is_signed_out(others) -> None:
    server, _ = others
    with browser(server) as http:
        sign_in(http, "s-out")
        name = me(http)
        server.shell(
            "from chat import administration; from chat.models import User\n"
            f"administration.suspend(User.objects.get(username={name!r}).pk)"
        )
        assert me(http) is None
        refused = sign_in(http, "s-out")
        assert refused.headers["Location"] == "/accounts/login/"
        assert "This account is suspended." in http.get("/accounts/login/").text
        assert me(http) is None


def test_without_a_password_an_account_ends_by_who_has_just_signed_in(others) -> None:
    server, _ = others
    with browser(server) as http:
        sign_in(http, "s-end")
        name = me(http)
        assert 'name="password"' not in http.get("/accounts/delete/").text
        assert "password_change" not in http.get("/accounts/profile/").text
        later = (
            "from datetime import timedelta; from django.utils import timezone; from chat.models import User\n"
            f"User.objects.filter(username={name!r}).update(last_login=timezone.now() - timedelta(minutes=11))"
        )
        server.shell(later)
        assert submit(http, "/accounts/delete/", messages="delete").status_code == 400
        submit(http, "/accounts/logout/")
        sign_in(http, "s-end")
        assert me(http) == name
        assert submit(http, "/accounts/delete/", messages="delete").status_code == 302
        sign_in(http, "s-end")
        assert me(http) == name, "and a new account is nobody's old one"
        assert http.get("/accounts/export/").json()["messages"] == []


def changed(address: str, **parameters: str) -> str:
    parts = urlsplit(address)
    query = {**{name: values[0] for name, values in parse_qs(parts.query).items()}, **parameters}
    return urlunsplit(parts._replace(query=urlencode(query)))


def refused(http: httpx.Client, address: str) -> None:
    answer = http.get(address)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/login/")
    assert me(http) is None
    assert "Signing in there did not work." in http.get("/accounts/login/").text


def test_a_state_or_a_nonce_that_is_not_ours_is_refused(others) -> None:
    server, _ = others
    with browser(server) as http, browser(server) as other:
        back = http.post(changed(go_there(http), nonce="another"), data={"sub": "s-x"}).headers["Location"]
        refused(http, back)
        back = http.post(go_there(http), data={"sub": "s-x"}).headers["Location"]
        refused(http, changed(back, state="another"))
        refused(other, back)
        refused(http, changed(back, code="another"))
        refused(http, back)  # the state was used
        for path in ("", "?error=access_denied", "?state=&code=", "?code=a&state=b"):
            refused(http, f"/accounts/oidc/back/{path}")
        sign_in(http, "s-x")
        assert me(http).startswith("somebody-")


# At one that does wrong -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crooked(tmp_path_factory) -> Iterator[tuple[Engawa, Provider]]:
    with provider() as there:
        server = Engawa(tmp_path_factory.mktemp("crooked"), **settings_for(there.issuer))
        yield server, there
        log = server.output()
        server.stop()
    assert log.count("signing in at the provider failed (") >= len(WRONGS)
    for secret in (SECRET, "code_verifier", "code-0", "eyJ", there.told[0]["code_verifier"]):
        assert secret not in log, "what lets somebody in is in no log"


def without(name: str) -> Callable[[Provider], None]:
    return lambda there: setattr(there, "spoil", lambda claims: claims.pop(name))


def with_claim(name: str, value: object) -> Callable[[Provider], None]:
    return lambda there: setattr(there, "spoil", lambda claims: claims.update({name: value}))


def by_the_secret(there: Provider) -> None:
    there.key, there.header = OctKey.import_key(SECRET), {"alg": "HS256"}


def by_the_public_key(there: Provider) -> None:
    """What everybody knows, taken for a secret: no library would sign like that."""

    def sign(claims: dict[str, object]) -> str:
        parts = [json.dumps({"alg": "HS256", "kid": "one"}).encode(), json.dumps(claims).encode()]
        signed = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
        signature = hmac.digest(public, signed, "sha256")
        return (signed + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode()

    public = there.key.as_pem(private=False)
    there.sign = sign


def by_nobody(there: Provider) -> None:
    there.header = {"alg": "none"}


def by_another(there: Provider) -> None:
    there.key = RSAKey.generate_key(2048, {"kid": "one"})


WRONGS = {
    "signed by another": by_another,
    "signed by nobody": by_nobody,
    "signed by the shared secret": by_the_secret,
    "signed by the public key": by_the_public_key,
    "for another": with_claim("aud", "another"),
    "for another beside us": with_claim("azp", "another"),
    "for nobody": without("aud"),
    "by another": with_claim("iss", "https://evil.example"),
    "expired": with_claim("exp", int(time.time()) - 300),
    "without an end": without("exp"),
    "another nonce": with_claim("nonce", "another"),
    "no nonce": without("nonce"),
    "of nobody": without("sub"),
    "of an empty subject": with_claim("sub", ""),
    "of a long subject": with_claim("sub", "s" * 256),
    "of no text": with_claim("sub", 7),
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_a_token_that_is_wrong_opens_nothing(crooked, monkeypatch, wrong: str) -> None:
    server, there = crooked
    for name in ("key", "header", "spoil", "sign"):
        monkeypatch.setattr(there, name, getattr(there, name))  # put back at the end
    WRONGS[wrong](there)
    with browser(server) as http:
        refused(http, http.get(go_there(http)).headers["Location"])


def test_one_that_is_right_opens_an_account_and_new_keys_are_asked_for(crooked, monkeypatch) -> None:
    server, there = crooked
    with browser(server) as http:
        http.get(http.get(go_there(http)).headers["Location"])
        assert me(http) == "sara"
    key = RSAKey.generate_key(2048, {"kid": "two"})
    monkeypatch.setattr(there, "key", key)
    monkeypatch.setattr(there, "published", KeySet([key]))
    monkeypatch.setattr(there, "header", {"alg": "RS256", "kid": "two"})
    with browser(server) as http:
        http.get(http.get(go_there(http)).headers["Location"])
        assert me(http) == "sara"


def test_a_provider_that_is_another_or_away_is_told_of(tmp_path) -> None:
    with provider() as there:
        there.named = "https://evil.example"
        server = Engawa(tmp_path, **settings_for(there.issuer))
        with browser(server) as http:
            refused(http, "/accounts/oidc/")
    with browser(server) as http:
        refused(http, "/accounts/oidc/")
    server.stop()


def test_where_none_is_named_there_is_nothing_of_it(server: Engawa) -> None:
    with browser(server) as http:
        assert "oidc" not in http.get("/accounts/login/").text
        for path in ("/accounts/oidc/", "/accounts/oidc/back/"):
            assert http.get(path).status_code == 404
