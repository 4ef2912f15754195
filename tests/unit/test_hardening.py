"""What Django's own checks say of a site as it should be, how passwords are kept, and where attackers try to lead."""

import re
import subprocess
import sys
from ipaddress import ip_network

import pytest
from django.conf import settings as site
from django.contrib.auth.hashers import check_password, identify_hasher, make_password
from django.test import Client

from chat.identity import guest_token, new_guest
from chat.models import User
from config.guard import Guard
from tests.servers import ROOT, engawa_environment, manage

PASSWORD = "a long password"
PRODUCTION = {"PUBLIC_URL": "https://chat.example.org", "TRUSTED_PROXIES": "10.0.0.0/8"}
SHOW = """
from django.conf import settings as s
print(s.SECURE_HSTS_SECONDS, s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.GUEST_COOKIE_NAME, s.LANGUAGE_COOKIE_NAME)
"""


def test_nothing_is_to_be_said_of_a_site_at_https(tmp_path) -> None:
    environment = engawa_environment(
        tmp_path, SECRET_KEY="x7" * 10 + "0123456789abcdefghijklmnopqrstuvwxyz", **PRODUCTION
    )
    assert "no issues (3 silenced)" in manage(environment, "check", "--deploy", "--fail-level", "WARNING")
    shown = manage(environment, "shell", "-v0", "-c", SHOW).split()
    assert shown == ["31536000", *(f"__Host-{name}" for name in ("sessionid", "csrftoken", "guest", "language"))]
    environment["DEBUG"] = "true"
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "security.W018" in done.stderr


def test_a_laptop_at_http_has_plain_cookies(tmp_path) -> None:
    environment = engawa_environment(tmp_path, PUBLIC_URL="http://127.0.0.1:8000")
    shown = manage(environment, "shell", "-v0", "-c", SHOW).split()
    assert shown == ["0", "sessionid", "csrftoken", "guest", "language"]


# Passwords ------------------------------------------------------------------------------------------------


@pytest.fixture
def hashers(settings) -> list[str]:
    """Those that people have; other tests use one that is quick."""
    settings.PASSWORD_HASHERS = ["chat.hashing.Argon2", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    return settings.PASSWORD_HASHERS


def test_the_site_has_these_hashers(hashers, tmp_path) -> None:
    code = "from django.conf import settings; print(*settings.PASSWORD_HASHERS)"
    assert manage(engawa_environment(tmp_path), "shell", "-v0", "-c", code).split() == hashers


def test_passwords_are_kept_by_argon2id(hashers) -> None:
    kept = make_password(PASSWORD)
    assert kept.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert check_password(PASSWORD, kept)
    assert not check_password("another", kept)


@pytest.mark.django_db
def test_a_password_that_was_kept_otherwise_is_kept_anew_at_the_next_sign_in(cast, hashers) -> None:
    olga = cast.users.olga
    olga.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    olga.save()
    browser = Client()
    assert browser.post("/accounts/login/", {"username": "olga", "password": "wrong"}).status_code == 200
    assert identify_hasher(User.objects.get(pk=olga.pk).password).algorithm == "pbkdf2_sha256"
    assert browser.post("/accounts/login/", {"username": "olga", "password": PASSWORD}).status_code == 302
    kept = User.objects.get(pk=olga.pk).password
    assert identify_hasher(kept).algorithm == "argon2"
    assert check_password(PASSWORD, kept)
    assert browser.get("/accounts/profile/").status_code == 200, "and they stay signed in"


@pytest.mark.django_db
def test_who_is_asked_again_stays_signed_in_when_it_is_kept_anew(cast, hashers) -> None:
    olga = cast.users.olga
    olga.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    olga.save()
    browser = Client()
    browser.force_login(olga)
    form = {"email": "olga@example.org", "password": PASSWORD}
    assert browser.post("/accounts/profile/", form, follow=True).redirect_chain == [("/accounts/profile/", 302)]
    assert identify_hasher(User.objects.get(pk=olga.pk).password).algorithm == "argon2"
    assert browser.get("/accounts/profile/").status_code == 200


@pytest.mark.django_db
def test_an_account_that_is_not_takes_as_much_hashing_as_one_that_is(cast, hashers, monkeypatch) -> None:
    from chat.hashing import Argon2

    hashed = []
    encode, verify = Argon2.encode, Argon2.verify
    monkeypatch.setattr(Argon2, "encode", lambda *a, **o: hashed.append("encode") or encode(*a, **o))
    monkeypatch.setattr(Argon2, "verify", lambda *a, **o: hashed.append("verify") or verify(*a, **o))
    cast.users.olga.set_password(PASSWORD)
    cast.users.olga.save()
    suspended = User.objects.create_user("bert", password=PASSWORD, is_active=False)
    for name in ("olga", "nobody", suspended.username, "mio"):  # of whom Mio has no password
        hashed.clear()
        assert Client().post("/accounts/login/", {"username": name, "password": "wrong"}).status_code == 200
        assert len(hashed) == 1, name


# Where attackers try to lead ------------------------------------------------------------------------------

AWAY = [
    *("https://evil.example.com/", "//evil.example.com/", "///evil.example.com", "/\\evil.example.com"),
    *("\\\\evil.example.com", "http:evil.example.com", "javascript:alert(1)", "https://testserver@evil.example.com/"),
    *("/%09/evil.example.com\t", "\t//evil.example.com", "https:///evil.example.com", "//testserver.evil.example.com/"),
    *("http://[::1", "\x00//evil.example.com"),
]


@pytest.mark.django_db
@pytest.mark.parametrize("next_page", AWAY)
def test_no_door_leads_to_another_site(cast, next_page: str) -> None:
    cast.users.olga.set_password(PASSWORD)
    cast.users.olga.save()
    form = {"next": next_page}
    new = {"username": "somebody", "password1": "n3w pass phrase", "password2": "n3w pass phrase"}
    signed_in = Client()
    signed_in.force_login(cast.users.olga)
    answers = [
        Client().post("/accounts/login/", {**form, "username": "olga", "password": PASSWORD}),
        Client().post("/accounts/signup/", {**form, **new}),
        Client().post("/accounts/guest/", {**form, "name": "Gil"}),
        Client().post("/accounts/language/", {**form, "language": "ja"}),
        signed_in.get("/accounts/login/", form),
        signed_in.get("/accounts/signup/", form),
        signed_in.post("/accounts/logout/", form),
    ]
    for answer in answers:
        assert answer.status_code in (302, 303), answer.request
        where = answer["Location"]
        assert where.startswith("/"), where
        assert not where.startswith(("//", "/\\")), where
        assert "evil" not in where or where.startswith("/%09/")


@pytest.mark.django_db
def test_a_session_is_another_one_once_somebody_has_signed_in(cast) -> None:
    """So that nobody is signed in who gave them the one before."""
    cast.users.olga.set_password(PASSWORD)
    cast.users.olga.save()
    browser = Client()
    browser.session.save()
    session = browser.session
    session["mark"] = 1
    session.save()
    browser.cookies[site.SESSION_COOKIE_NAME] = session.session_key
    before, token = session.session_key, browser.get("/accounts/login/").cookies[site.CSRF_COOKIE_NAME].value
    browser.post("/accounts/login/", {"username": "olga", "password": PASSWORD})
    assert browser.cookies[site.SESSION_COOKIE_NAME].value != before
    assert browser.cookies[site.CSRF_COOKIE_NAME].value != token
    thief = Client()
    thief.cookies[site.SESSION_COOKIE_NAME] = before
    assert thief.get("/accounts/profile/").status_code == 302
    # A key that somebody made up makes no session.
    planted = Client()
    planted.cookies[site.SESSION_COOKIE_NAME] = "a" * 32
    planted.post("/accounts/login/", {"username": "olga", "password": PASSWORD})
    assert planted.cookies[site.SESSION_COOKIE_NAME].value != "a" * 32


PAGES = ["/chat/veranda/", "/feeds/veranda/", "/feeds/veranda/atom", "/embed/veranda/", "/oembed"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_what_others_write_into_headers_is_in_no_answer(cast, path: str) -> None:
    """Or a cache in between would keep it for everybody."""
    query = {"url": f"{site.PUBLIC_URL}/feeds/veranda/"} if path == "/oembed" else {}
    headers = {
        name: "evil.example.com"
        for name in ("X-Forwarded-Host", "X-Forwarded-Server", "X-Host", "X-Original-URL", "X-Rewrite-URL", "Forwarded")
    }
    browser = Client()
    browser.cookies[site.GUEST_COOKIE_NAME] = guest_token(new_guest("Gil"))
    answer = browser.get(path, query, headers={**headers, "X-Forwarded-Port": "666", "X-Forwarded-Prefix": "/evil"})
    assert answer.status_code == 200
    assert "evil" not in answer.text + str(answer.headers)
    assert "666" not in str(answer.headers)
    assert browser.get(path, query, headers={"Host": "evil.example.com"}).status_code == 400


@pytest.mark.parametrize("target", [b"@evil.example", b".evil.example/", b"http://evil.example/", b"*", b"?x"])
async def test_whoever_asks_oddly_over_http_is_led_to_no_other_site(settings, target: bytes) -> None:
    """Not every target of a request begins with a slash."""
    settings.PUBLIC_URL, settings.TRUSTED_PROXIES = "https://chat.example.org", [ip_network("10.0.0.0/8")]
    sent: list[dict] = []

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "path": target.decode(),
        "raw_path": target,
        "client": ("10.0.0.1", 1234),
        "headers": [(b"x-forwarded-proto", b"http")],
    }
    await Guard(None)(scope, None, send)
    assert dict(sent[0]["headers"])[b"location"] == b"https://chat.example.org/"


# What the scan of our own code finds ----------------------------------------------------------------------


def scanned(code: str, name: str) -> str:
    """What ruff says of ``code``, if it stood in the file ``name``."""
    command = [sys.executable, "-m", "ruff", "check", "--output-format", "concise", "--stdin-filename", name, "-"]
    return subprocess.run(command, cwd=ROOT, input=code, capture_output=True, text=True).stdout


@pytest.mark.parametrize("name", ["chat/x.py", "chat/migrations/0999_x.py", "feeds/x.py", "config/x.py", "bench/x.py"])
def test_the_scan_finds_what_is_dangerous(name: str) -> None:
    code = """import pickle
import re
import subprocess

PASSWORD = "hunter2"


def do(cursor, what):
    assert what
    cursor.execute(f"SELECT {what} FROM x")
    subprocess.run(what, shell=True)
    return pickle.loads(what), eval(what)
"""
    found = set(re.findall(r" (S\d+) ", scanned(code, name)))
    assert {"S101", "S105", "S301", "S307", "S602", "S608"} <= found


def test_what_the_scan_is_told_to_pass_over_has_a_reason() -> None:
    passed = [
        (path, line)
        for folder in ("chat", "feeds", "config", "bench")
        for path in (ROOT / folder).rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"# noqa\b(?!:)|# noqa:.*\bS\d+", line)
    ]
    assert len(passed) > 30
    assert [found for found in passed if not re.search(r"# noqa: S\d+ – \w+ \w+", found[1])] == []
