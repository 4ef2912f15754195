"""Who guesses passwords waits, longer each time, and whoever has the account does not."""

import asyncio
import re
from ipaddress import ip_network

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as site
from django.http import HttpResponse
from django.test import AsyncClient, RequestFactory

from chat import errors, guessing, limits
from chat.limits import FIRST_WAIT_SECONDS, FORGET_MISSES_SECONDS, Limits, Misses
from chat.models import User

PASSWORD = "a long password"
LOGIN = "/accounts/login/"


@pytest.fixture
def olga(cast, settings) -> User:
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.0/8")]
    user = cast.users.olga
    user.set_password(PASSWORD)
    user.is_staff = True
    user.save()
    return user


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """What time it is, as a list of one number."""
    now = [1000.0]
    monkeypatch.setattr(limits, "monotonic", lambda: now[0])
    return now


class Browser(AsyncClient):
    """One that is somewhere. Django's forgets what headers it was made with."""

    def __init__(self, network: str, **headers: str) -> None:
        super().__init__()
        self.always = {"X-Forwarded-For": network, **headers}

    async def post(self, path: str, form: dict[str, str], headers: dict[str, str] | None = None) -> HttpResponse:
        return await super().post(path, form, headers={**self.always, **(headers or {})})


def browser(network: str = "198.51.100.7", **headers: str) -> AsyncClient:
    return Browser(network, **headers)


async def sign_in(client: AsyncClient, name: str = "olga", password: str = "wrong", path: str = LOGIN) -> HttpResponse:
    return await client.post(path, {"username": name, "password": password})


def test_waits_grow_to_the_longest_and_are_forgotten() -> None:
    misses, now, waits = Misses(), 0.0, []
    for _ in range(12):
        assert misses.take(now, 3, 300) == 0
        waits.append(wait := misses.take(now, 3, 300) if misses._until > now else 0.0)
        now += wait
    assert waits == [0, 0, 5, 10, 20, 40, 80, 160, 300, 300, 300, 300]
    now += FORGET_MISSES_SECONDS + 1
    assert misses.is_over(now)
    assert [misses.take(now, 3, 300) for _ in range(4)] == [0, 0, 0, FIRST_WAIT_SECONDS]


async def test_who_guesses_from_everywhere_fills_no_memory(clock, monkeypatch) -> None:
    monkeypatch.setattr(limits, "MOST_GUESSERS", 10)
    its = Limits()
    for number in range(100):
        await its.take_password(f"guesser{number}", ())
        assert len(its._misses) <= 10
    for _ in range(4):
        await its.take_password("guesser99", ())
    with pytest.raises(errors.TooManyAttempts):
        await its.take_password("guesser99", ())


@pytest.mark.parametrize("path", [LOGIN, "/admin/login/"])
@pytest.mark.django_db(transaction=True)
async def test_who_guesses_waits_longer_each_time(olga, clock, path: str) -> None:
    client = browser()
    assert [(await sign_in(client, path=path)).status_code for _ in range(5)] == [200] * 5
    for wait in (5, 10, 20):
        refused = await sign_in(client, password=PASSWORD, path=path)
        assert (refused.status_code, refused["Retry-After"]) == (429, str(wait)), "nor is the right one looked at"
        clock[0] += wait
        assert (await sign_in(client, path=path)).status_code == 200
    clock[0] += 40
    assert (await sign_in(client, password=PASSWORD, path=path)).status_code == 302
    # And what was missed before is forgotten.
    assert [(await sign_in(browser(), path=path)).status_code for _ in range(5)] == [200] * 5


@pytest.mark.django_db(transaction=True)
async def test_the_doors_count_together_by_account_and_by_network(olga, clock) -> None:
    client = browser("2001:db8:1:2::5")
    for number in range(5):
        await sign_in(client, path=(LOGIN, "/admin/login/")[number % 2])
    assert (await sign_in(browser("2001:db8:1:2:aaaa::6"))).status_code == 429, "a /64 is one network"
    assert (await sign_in(browser("2001:db8:1:3::5"))).status_code == 200
    assert (await sign_in(client, "mio")).status_code == 200


@pytest.mark.django_db(transaction=True)
async def test_an_account_that_is_not_is_answered_like_one_that_is(olga, clock) -> None:
    answers = {
        name: [await sign_in(browser(network), name) for _ in range(6)]
        for name, network in (("olga", "198.51.100.7"), ("nobody", "198.51.100.8"))
    }
    for known, unknown in zip(answers["olga"], answers["nobody"], strict=True):
        assert known.status_code == unknown.status_code
        assert known.get("Retry-After") == unknown.get("Retry-After")
        texts = [
            re.sub(r'value="\w{64}"', "", answer.text).replace(name, "X")
            for name, answer in (("olga", known), ("nobody", unknown))
        ]
        assert texts[0] == texts[1]


@pytest.mark.django_db(transaction=True)
async def test_a_network_has_so_many_wrong_passwords_an_hour_and_right_ones_do_not_count(olga, clock, settings) -> None:
    settings.WRONG_PASSWORDS_PER_HOUR = 3
    for _ in range(5):
        assert (await sign_in(browser(), password=PASSWORD)).status_code == 302
    for number in range(3):
        assert (await sign_in(browser(), f"somebody{number}")).status_code == 200
    refused = await sign_in(browser(), "somebody else")
    assert (refused.status_code, refused["Retry-After"]) == (429, "1200")
    assert (await sign_in(browser("198.51.100.8"), "somebody else")).status_code == 200


@pytest.mark.django_db(transaction=True)
async def test_nobody_keeps_an_owner_out(olga, clock, settings) -> None:
    settings.WRONG_PASSWORDS_PER_HOUR = 3
    home = browser()
    assert (await sign_in(home, password=PASSWORD)).status_code == 302
    known = home.cookies[site.KNOWN_COOKIE_NAME]
    assert known["httponly"]
    for number in range(20):  # from its own network, and from many others
        await sign_in(browser("198.51.100.7" if number % 2 else f"203.0.113.{number}"))
    fresh = browser("192.0.2.1")
    assert (await sign_in(fresh, password=PASSWORD)).status_code == 429
    home.cookies.pop("sessionid")
    assert (await sign_in(home, password=PASSWORD)).status_code == 302
    # That browser may not guess without end either, nor at another account, nor who made such a cookie up.
    home.cookies.pop("sessionid")
    assert [(await sign_in(home)).status_code for _ in range(6)] == [200] * 5 + [429]
    forged = browser("192.0.2.2")
    forged.cookies[site.KNOWN_COOKIE_NAME] = known.value[:-1] + ("a" if known.value[-1] != "a" else "b")
    assert (await sign_in(forged, password=PASSWORD)).status_code == 429
    other = browser("198.51.100.7")
    other.cookies[site.KNOWN_COOKIE_NAME] = known.value
    assert (await sign_in(other, "mio")).status_code == 429


@pytest.mark.django_db(transaction=True)
async def test_who_knew_an_older_password_is_anybody(olga, clock, settings) -> None:
    """However many browsers they signed in with before: each of them would have tries of its own."""
    settings.WRONG_PASSWORDS_PER_HOUR = 3
    theirs = [browser("198.51.100.7") for _ in range(3)]
    for each in theirs:
        assert (await sign_in(each, password=PASSWORD)).status_code == 302
        each.cookies.pop("sessionid")
    home = browser("192.0.2.1")
    assert (await sign_in(home, password=PASSWORD)).status_code == 302
    new = "another long password"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert (await home.post("/accounts/password_change/", form)).status_code == 302
    answers = [(await sign_in(each)).status_code for _ in range(2) for each in theirs]
    assert answers == [200] * 3 + [429] * 3
    home.cookies.pop("sessionid")
    assert (await sign_in(home, password=new)).status_code == 302


@pytest.mark.django_db(transaction=True)
async def test_a_network_that_is_not_known_is_not_counted_but_the_account_is(olga, clock, settings) -> None:
    settings.WRONG_PASSWORDS_PER_HOUR = 10
    here = AsyncClient()
    assert [(await sign_in(here)).status_code for _ in range(11)] == [200] * 10 + [429]
    assert (await sign_in(here, "mio")).status_code == 200


@pytest.mark.django_db(transaction=True)
async def test_limits_that_are_off(olga, clock, settings) -> None:
    settings.WRONG_PASSWORDS = settings.WRONG_PASSWORDS_PER_HOUR = 0
    assert {(await sign_in(browser())).status_code for _ in range(12)} == {200}


@pytest.mark.parametrize(
    ("path", "form", "name"),
    [
        ("/accounts/password_change/", {"new_password1": "n3w phrase", "new_password2": "n3w phrase"}, "old_password"),
        ("/accounts/profile/", {"part": "email", "email": "o@example.org"}, "password"),
        ("/accounts/delete/", {"messages": "delete"}, "password"),
    ],
)  # fmt: skip
@pytest.mark.django_db(transaction=True)
async def test_who_took_over_a_session_cannot_guess(olga, clock, path: str, form: dict, name: str) -> None:
    thief, owner = browser(), browser()
    await thief.aforce_login(olga)
    await owner.aforce_login(olga)
    for _ in range(5):
        assert (await thief.post(path, {**form, name: "wrong"})).status_code in (200, 400)
    assert (await thief.post(path, {**form, name: PASSWORD})).status_code == 429
    assert (await owner.post("/accounts/profile/", {"email": "", "password": PASSWORD})).status_code == 302


@pytest.mark.django_db(transaction=True)
async def test_accounts_and_links_to_passwords_are_counted_by_network(olga, clock, settings) -> None:
    settings.SIGN_UPS_PER_HOUR = settings.PASSWORD_RESETS_PER_HOUR = 2

    async def sign_up(number: int, network: str) -> int:
        form = {"username": f"somebody{number}", "password1": "n3w pass phrase", "password2": "n3w pass phrase"}
        return (await browser(network).post("/accounts/signup/", form)).status_code

    async def reset(network: str) -> int:
        return (await browser(network).post("/accounts/password_reset/", {"email": "x@example.org"})).status_code

    assert [await sign_up(number, "198.51.100.7") for number in range(3)] == [302, 302, 429]
    assert await sign_up(4, "198.51.100.8") == 302
    assert [await reset("198.51.100.7") for _ in range(3)] == [302, 302, 429]
    assert await reset("198.51.100.8") == 302
    clock[0] += 1800
    assert await sign_up(5, "198.51.100.7") == 302
    settings.SIGN_UPS_PER_HOUR = settings.PASSWORD_RESETS_PER_HOUR = 0
    assert [await sign_up(number, "198.51.100.7") for number in (6, 7)] == [302, 302]


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "too many attempts"), ("ja", "試行"), ("zh-hans", "尝试"), ("zh-hant", "嘗試")],
)
@pytest.mark.django_db(transaction=True)
async def test_it_is_said_in_words_and_to_programs(olga, clock, language: str, said: str) -> None:
    client = browser(**{"Accept-Language": language})
    for _ in range(5):
        await sign_in(client)
    refused = await sign_in(client)
    assert refused.status_code == 429
    assert said in refused.text
    assert refused["Cache-Control"] == "no-store"
    form = {"username": "olga", "password": "x"}
    answer = await client.post(LOGIN, form, headers={"Accept": "application/json"})
    error = answer.json()["error"]
    assert (error["code"], error["retryable"], error["retry_after"]) == ("limit.attempts", True, 5.0)


async def test_all_processes_count_together(settings, redis_url: str) -> None:
    settings.REDIS_URLS, settings.WRONG_PASSWORDS, settings.WRONG_PASSWORDS_PER_HOUR = [redis_url], 4, 6
    settings.SIGN_UPS_PER_HOUR = settings.PASSWORD_RESETS_PER_HOUR = 1
    one, two = Limits(), Limits()
    for number in range(4):
        await (one, two)[number % 2].take_password("guesser", ("shared",))
    for each in (one, two):
        with pytest.raises(errors.TooManyAttempts) as refused:
            await each.take_password("guesser", ("shared",))
        assert 0 < refused.value.retry_after <= FIRST_WAIT_SECONDS
    await two.take_password("another", ("shared",))
    await two.password_was_right("another", ("shared",))  # is given back to all
    await one.take_password("another", ("shared",))
    await one.take_password("", ("shared",))
    for each in (one, two):
        with pytest.raises(errors.TooManyAttempts):
            await each.take_password("a third", ("shared",))
    await one.password_was_right("guesser", ())
    await two.take_password("guesser", ())
    for take in ("take_sign_up", "take_reset"):
        await getattr(one, take)("network")
        with pytest.raises(errors.TooManyAttempts):
            await getattr(two, take)("network")
        await getattr(two, take)("")
    for each in (one, two):
        for task in each._tasks:
            task.cancel()
        await asyncio.gather(*each._tasks, return_exceptions=True)
        await each._redis.aclose()


@pytest.mark.django_db(transaction=True)
async def test_who_goes_to_a_provider_and_does_not_come_back_is_counted(clock, settings) -> None:
    settings.WRONG_PASSWORDS_PER_HOUR = 3
    goes, comes = sync_to_async(guessing.at_provider), sync_to_async(guessing.came_back)
    request = RequestFactory().get("/accounts/oidc/", REMOTE_ADDR="198.51.100.7")
    for _ in range(5):
        await goes(request)
        await comes(request)
    for _ in range(3):
        await goes(request)
    with pytest.raises(errors.TooManyAttempts):
        await goes(request)
    await goes(RequestFactory().get("/accounts/oidc/", REMOTE_ADDR="198.51.100.8"))
