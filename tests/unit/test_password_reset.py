"""A new password by e-mail, and an account's own page."""

import re
from pathlib import Path

import pytest
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.test import Client

from chat import mails
from chat.mails import Unsent
from chat.models import SiteEvent, User
from config.env import Environment
from tests.servers import engawa_environment, manage

PASSWORD, NEW = "a long password", "another long password"


@pytest.fixture
def olga(cast) -> User:
    user = cast.users.olga
    user.email = "olga@example.org"
    user.set_password(PASSWORD)
    user.save()
    mails._buckets.clear()
    return user


def sent() -> list[mail.EmailMessage]:
    """All e-mails, once those that wait are sent."""
    mails._waiting.join()
    return mail.outbox


def ask(address: str, **headers: str) -> object:
    return Client(headers=headers).post("/accounts/password_reset/", {"email": address})


@pytest.mark.django_db
def test_a_link_leads_to_a_new_password(olga) -> None:
    signed_in = Client()
    signed_in.force_login(olga)
    assert ask("OLGA@example.org")["Location"] == "/accounts/password_reset/done/"
    (message,) = sent()
    assert message.to == ["olga@example.org"]
    assert message.content_subtype == "plain"
    link = re.search(r"http://\S+", message.body)[0]
    path = link.removeprefix("http://127.0.0.1:8000")
    browser = Client()
    form = browser.get(path, follow=True)
    assert form.status_code == 200
    answer = browser.post(form.request["PATH_INFO"], {"new_password1": NEW, "new_password2": NEW})
    assert answer["Location"] == "/accounts/reset/done/"
    assert User.objects.get(pk=olga.pk).check_password(NEW)
    # Everybody who was that account is asked anew, and the link is used up.
    assert SiteEvent.objects.filter(kind="user", subject=olga.pk).exists()
    assert signed_in.get("/accounts/profile/").status_code == 302
    assert "no longer good" in Client().get(path, follow=True).text


@pytest.mark.django_db
def test_nobody_learns_who_has_an_account(olga) -> None:
    known, unknown = ask("olga@example.org"), ask("nobody@example.org")
    assert (known.status_code, known["Location"], known.content) == (
        unknown.status_code,
        unknown["Location"],
        unknown.content,
    )
    assert len(sent()) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("public", ["https://chat.example.org", "http://127.0.0.1:8000"])
def test_links_lead_where_the_site_is_whatever_the_request_says(olga, settings, public: str) -> None:
    settings.PUBLIC_URL = public
    settings.ALLOWED_HOSTS = ["*"]
    ask("olga@example.org", host="evil.example.com")
    (message,) = sent()
    assert f"{public}/accounts/reset/" in message.body
    assert "evil" not in message.body + message.subject


@pytest.mark.django_db
def test_nobody_is_flooded(olga) -> None:
    for _ in range(10):
        assert ask("olga@example.org").status_code == 302
    assert len(sent()) == mails.AT_ONCE


@pytest.mark.django_db
def test_a_mail_server_that_is_away_is_nobody_s_error(olga, monkeypatch, caplog) -> None:
    def away(*_: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(mail.EmailMessage, "send", away)
    assert ask("olga@example.org").status_code == 302
    assert sent() == []
    assert "ConnectionRefusedError" in caplog.text
    assert "olga@" not in caplog.text


@pytest.mark.django_db
def test_an_address_changes_with_the_password_only(olga) -> None:
    client = Client()
    client.force_login(olga)
    form = {"email": "new@example.org", "password": "wrong"}
    assert client.post("/accounts/profile/", form).status_code == 400
    assert User.objects.get(pk=olga.pk).email == "olga@example.org"
    assert client.post("/accounts/profile/", {**form, "password": PASSWORD}).status_code == 302
    assert User.objects.get(pk=olga.pk).email == "new@example.org"
    page = client.get("/accounts/profile/")
    assert "new@example.org" in page.text
    assert "/chat/veranda/members" in page.text
    assert "no-store" in page["Cache-Control"]


@pytest.mark.django_db
def test_an_account_s_pages_are_its_own(cast) -> None:
    for path in ("profile", "export", "delete"):
        assert Client().get(f"/accounts/{path}/")["Location"] == f"/accounts/login/?next=/accounts/{path}/"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail", {"EMAIL_HOST": "mail", "EMAIL_PORT": 25, "EMAIL_TIMEOUT": 10, "EMAIL_HOST_USER": ""}),
        (
            "submission://a%40b:p%2Fq@mail:2525?timeout=3",
            {
                "EMAIL_HOST_USER": "a@b",
                "EMAIL_HOST_PASSWORD": "p/q",
                "EMAIL_PORT": 2525,
                "EMAIL_USE_TLS": True,
                "EMAIL_TIMEOUT": 3,
            },
        ),
        ("smtps://mail", {"EMAIL_PORT": 465, "EMAIL_USE_SSL": True}),
        ("file:///some/where", {"EMAIL_FILE_PATH": "/some/where"}),
        ("console://", {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}),
    ],
)
def test_where_mail_goes_is_one_address(monkeypatch, url: str, expected: dict) -> None:
    monkeypatch.setenv("EMAIL_URL", url)
    found = Environment().email("EMAIL_URL")
    assert expected.items() <= found.items()


@pytest.mark.parametrize(
    "url",
    [
        "mail",
        "http://secret@mail",
        "smtp://",
        "smtp://m:secret",
        "smtp://secret@m?tls=1",
        "smtp://m?timeout=0",
        "file:",
    ],
)
def test_an_address_that_is_none_does_not_start(monkeypatch, url: str) -> None:
    monkeypatch.setenv("EMAIL_URL", url)
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL") as error:
        Environment().email("EMAIL_URL")
    assert "secret" not in str(error.value)


def test_what_lets_somebody_in_is_not_printed_where_strangers_come(tmp_path, caplog) -> None:
    code = "from django.conf import settings; print(settings.EMAIL_BACKEND)"
    assert "console" in shell_in(tmp_path, code)
    assert "Unsent" in shell_in(tmp_path, code, PUBLIC_URL="https://chat.example.org")
    message = EmailMessage("New password", "https://chat.example.org/accounts/reset/x/y/", to=["mio@example.org"])
    with caplog.at_level("ERROR"):
        assert Unsent().send_messages([message]) == 0
    assert "EMAIL_URL" in caplog.text
    assert "reset" not in caplog.text
    assert "mio" not in caplog.text


def shell_in(folder: Path, code: str, **settings: str) -> str:
    return manage(engawa_environment(folder, **settings), "shell", "-v0", "-c", code)
