"""Every form of a room, asked for from every origin, in every kind of room, with and without a token: the status and
the exact headers of each answer. The tables are in ``tests/doors.py``, and for people in docs/doors.md."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from itertools import cycle
from pathlib import Path

import httpx
import pytest
import websockets

from config.guard import PERMISSIONS
from tests.doors import ADDRESS, BY_ORIGIN, FRAMING, HEADERS, ORIGINS, STATUS, markdown, rows
from tests.parts import LONG
from tests.servers import ROOT, Engawa

PREPARE = """
from datetime import timedelta
from django.utils import timezone
from chat import actions, governing, posting, viewing
from chat.models import User
olga = User.objects.create_user('olga', password='a long password').identity
rooms = {
    'public': {}, 'unlisted': {'visibility': 'unlisted'}, 'private': {'visibility': 'private'}, 'archived': {},
    'deleted': {}, 'elsewhere': {'visibility': 'private'}, 'indexed': {'is_indexed': True},
    **{f'framing-{number}': {'embed_origins': setting} for number, setting in enumerate(FRAMINGS)},
}
for slug, change in rooms.items():
    room, _ = actions.create_room(olga, slug)
    print(slug, posting.post(olga, room.pk, 'the word xyzzy').mid)
    print('day', room.messages.get().created_at.strftime('%Y/%m/%d'))
    governing.change_room(olga, room.pk, change)
    if slug in ('private', 'elsewhere'):
        secret = viewing.create_view_token(olga, room.pk, 'Page', timezone.now() + timedelta(hours=1))[1]
        print(f'{slug}-token', secret)
        print(f'{slug}-ticket', viewing.ticket_of(viewing.grant_of(secret))[0])
    if slug == 'archived':
        governing.archive(olga, room.pk)
    if slug == 'deleted':
        governing.delete_room(olga, room.pk)
"""
NEVER = "max-age=0, no-cache, no-store, must-revalidate, private"  # Django's own for what nobody may keep
AT_ONCE = 8  # requests
ALWAYS = ("none", "another site")


@dataclass(frozen=True)
class Site:
    server: Engawa
    known: dict[str, str]  # mids, tokens and tickets, by room

    def address(self, form: dict[str, str], slug: str, mid: str) -> str:
        """The form's address in the room ``slug``, on the day on which something was said."""
        year, month, day = self.known["day"].split("/")
        dates = {"year": year, "month": f"{year}/{month}", "day": f"{year}/{month}/{day}"}
        return form["Address"].format(slug=slug, mid=mid, public_url=f"http://{ADDRESS}", **dates)

    def client(self, **more: object) -> httpx.AsyncClient:
        """Of a browser that sends no cookie: what is set is looked for in the answers."""
        http = httpx.AsyncClient(base_url=self.server.base, headers={"Host": ADDRESS}, timeout=20, **more)
        http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return http


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("origins")
    server = Engawa(
        folder, PUBLIC_URL=f"http://{ADDRESS}", ALLOWED_HOSTS=f"{ADDRESS},127.0.0.1", VIEW_TICKETS_PER_MINUTE="0"
    )
    framings = [row["Setting"].replace("(nothing)", "") for row in rows(FRAMING)]
    printed = server.shell(PREPARE.replace("FRAMINGS", repr(framings)))
    yield Site(server, dict(line.split() for line in printed.splitlines()))
    server.stop()


# Status and headers ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ask:
    """One cell: what is asked for, from where, and what must come back."""

    form: dict[str, str]
    column: str
    slug: str
    origin: str
    status: int

    @property
    def secret(self) -> str:
        return {"token": "private-token", "ticket": "private-ticket", "other token": "elsewhere-token"}.get(
            self.column, ""
        )

    @property
    def answer(self) -> str:
        if self.status >= 400:
            return "refused"
        return "granted" if self.secret else "open"

    def request(self, site: Site) -> tuple[str, str, dict[str, str]]:
        mid = site.known.get(self.slug, site.known["public"])
        address = site.address(self.form, self.slug, mid)
        headers = {"Origin": origin} if (origin := ORIGINS[self.origin]) is not None else {}
        if self.secret.endswith("-ticket"):
            address += f"{'&' if '?' in address else '?'}ticket={site.known[self.secret].replace(':', '%3A')}"
        elif self.secret:
            headers["Authorization"] = f"Bearer {site.known[self.secret]}"
        return "POST" if self.form["Door"] == "ticket" else "GET", address, headers

    def __str__(self) -> str:
        return f"{self.form['Form']}, {self.column} ({self.slug}), from {self.origin}"


def asks() -> Iterator[Ask]:
    """Every cell of the first table, from every origin; in a short run from two, and from the others in turn, so that
    each form and each room is asked for from each of them."""
    others = cycle([name for name in ORIGINS if name not in ALWAYS])
    for form in rows(STATUS):
        for column in list(form)[3:]:
            slugs = {"deleted, missing": ["deleted", "no-such-room"]}.get(
                column, [column if column in ("public", "unlisted", "archived") else "private"]
            )
            for slug in slugs:
                for origin in ORIGINS if LONG else (*ALWAYS, next(others)):
                    yield Ask(form, column, slug, origin, int(form[column]))


def wanted_headers(ask: Ask) -> dict[str, str | None]:
    """The headers that the second table gives an answer, as they stand in it; None where there is none."""
    (row,) = (row for row in rows(HEADERS) if row["Door"] == ask.form["Door"] and row["Answer"] in (ask.answer, "any"))
    path = ask.form["Address"]
    as_asked = {
        "Vary": "Accept, Authorization, Accept-Language" if ask.answer == "refused" else "Accept-Language",
        "Referrer-Policy": "no-referrer" if ask.secret and not path.startswith("/chat/") else "same-origin",
    }
    wanted: dict[str, str | None] = {}
    for name in (
        *("Access-Control-Allow-Origin", "Cross-Origin-Resource-Policy"),
        *("Cache-Control", "Vary", "Referrer-Policy"),
    ):
        value = {"-": None, "as asked": as_asked.get(name), "never": NEVER}.get(row[name], row[name])
        wanted[name] = value
    framing = {"none": "'none'", "any": "*", "-": None}[row["Framing"]]
    wanted["frame-ancestors"] = framing
    wanted["X-Frame-Options"] = "DENY" if framing == "'none'" and ask.form["Door"] != "embed" else None
    wanted["X-Robots-Tag"] = None if ask.form["Door"] == "static" else "noindex"
    wanted["X-Content-Type-Options"] = "nosniff"
    wanted["Permissions-Policy"] = PERMISSIONS
    wanted["Access-Control-Allow-Credentials"] = None
    is_file = ask.form["Door"] in ("file", "ownf") and ask.status == 200
    wanted["Access-Control-Expose-Headers"] = "Content-Disposition, Engawa-Messages" if is_file else None
    return wanted


def framing_of(answer: httpx.Response) -> str | None:
    found = re.search(r"frame-ancestors ([^;]*)", answer.headers.get("content-security-policy", ""))
    return found[1] if found else None


def difference(ask: Ask, answer: httpx.Response) -> Iterator[str]:
    if answer.status_code != ask.status:
        yield f"{ask}: {answer.status_code}, not {ask.status}"
        return
    for name, wanted in wanted_headers(ask).items():
        got = framing_of(answer) if name == "frame-ancestors" else answer.headers.get(name)
        if got != wanted:
            yield f"{ask} ({answer.status_code}): {name} is {got!r}, not {wanted!r}"
    may_set_cookies = ask.form["Door"] == "ours" and ask.status == 200
    if "set-cookie" in answer.headers and not may_set_cookies:
        yield f"{ask}: Set-Cookie {answer.headers['set-cookie']}"


async def test_every_form_in_every_room_from_every_origin(site: Site) -> None:
    several = asyncio.Semaphore(AT_ONCE)
    wrong: list[str] = []
    bodies: dict[tuple[str, str], set[bytes]] = {}

    async def compare(http: httpx.AsyncClient, ask: Ask) -> None:
        method, address, headers = ask.request(site)
        async with several, http.stream(method, address, headers=headers) as answer:
            wrong.extend(difference(ask, answer))
            if answer.status_code == 404 and not ask.secret:
                bodies.setdefault((ask.form["Form"], "none"), set()).add(await answer.aread())

    all_asks = list(asks())
    async with site.client() as http:
        await asyncio.gather(*(compare(http, ask) for ask in all_asks))
    assert not wrong, "\n".join(wrong)
    assert len(all_asks) == len(rows(STATUS)) * 9 * (len(ORIGINS) if LONG else 3) > 700
    assert {(ask.form["Form"], ask.origin) for ask in all_asks} == {
        (form["Form"], origin) for form in rows(STATUS) for origin in ORIGINS
    }
    assert [form for form, found in bodies.items() if len(found) != 1] == [], "what is hidden looks like what is not"


async def test_preflights_tell_of_no_room(site: Site) -> None:
    """They are the same in every room: who may not know of one learns nothing from them."""
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    wrong = []
    async with site.client() as http:
        for form in rows(STATUS):
            answers = []
            for slug in ("public", "archived", "private", "deleted", "no-such-room"):
                address = site.address(form, slug, site.known["public"])
                for origin in ("another site", "opaque"):
                    headers = {"Origin": ORIGINS[origin], **asked}
                    answers.append(await http.options(address, headers=headers))
            allows = {row["Preflight allows"] for row in rows(HEADERS) if row["Door"] == form["Door"]}
            got = {answer.headers.get("access-control-allow-methods", "-") for answer in answers}
            if got != allows:
                wrong.append(f"{form['Form']}: {got}, not {allows}")
            if allows != {"-"}:
                same = {(answer.status_code, answer.content, answer.headers.get("allow")) for answer in answers}
                headers_of = {answer.headers["access-control-allow-headers"] for answer in answers}
                if len(same) != 1 or {answer.status_code for answer in answers} != {204}:
                    wrong.append(f"{form['Form']}: {same}")
                if headers_of != {"authorization, cache-control, if-none-match, last-event-id"}:
                    wrong.append(f"{form['Form']}: {headers_of}")
                if {answer.headers["access-control-allow-origin"] for answer in answers} != {"*"}:
                    wrong.append(f"{form['Form']}: its origins")
            elif any("access-control-allow-origin" in answer.headers for answer in answers):
                wrong.append(f"{form['Form']}: its origins")
    assert not wrong, "\n".join(wrong)


async def test_who_may_frame_it(site: Site) -> None:
    got = []
    async with site.client() as http:
        for number in range(len(rows(FRAMING))):
            headers, slug = {"Origin": ORIGINS["another site"]}, f"framing-{number}"
            answer = await http.get(f"/embed/{slug}/", headers=headers)
            assert answer.status_code == 200
            assert "x-frame-options" not in answer.headers, "which knows no lists, and would win in old browsers"
            watch = await http.get(f"/feeds/{slug}/", headers=headers)
            assert (framing_of(watch), watch.headers["x-frame-options"]) == ("'none'", "DENY")
            got.append(framing_of(answer))
    assert got == [row["frame-ancestors"] for row in rows(FRAMING)]


async def test_only_a_room_that_says_so_is_listed(site: Site) -> None:
    async with site.client() as http:
        for slug, tag in (("indexed", None), ("public", "noindex"), ("unlisted", "noindex")):
            assert (await http.get(f"/feeds/{slug}/")).headers.get("x-robots-tag") == tag


# What an origin decides -----------------------------------------------------------------------------------


async def handshake(site: Site, origin: str | None, cookie: str | None) -> int:
    headers = {"Cookie": cookie} if cookie else {}
    address = f"ws://{ADDRESS}/ws/chat/public/"
    try:
        async with websockets.connect(
            address, host="127.0.0.1", port=site.server.port, origin=origin, additional_headers=headers
        ):
            return 101
    except websockets.InvalidStatus as refused:
        return refused.response.status_code


async def test_what_an_origin_decides(site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.server.base, headers={"Host": ADDRESS}, timeout=20) as guest:
        await guest.get("/chat/public/")
        cookie = "; ".join(f"{each.name}={each.value}" for each in guest.cookies.jar)
        token = guest.cookies.get("csrftoken", domain=None) if guest.cookies else None
    assert token is not None
    report = {"reason": "spam"}
    mid = site.known["public"]
    json_answer = {"Accept": "application/json"}
    got: dict[str, dict[str, str]] = {row["Asked"]: {} for row in rows(BY_ORIGIN)}
    async with site.client() as http:
        for name, origin in ORIGINS.items():
            sent = {"Origin": origin} if origin is not None else {}
            posted = {**sent, **json_answer, "Cookie": cookie, "X-CSRFToken": token}
            statuses = {
                "WebSocket, without a cookie": await handshake(site, origin, None),
                "WebSocket, with a cookie": await handshake(site, origin, cookie),
                "POST a report": (
                    await http.post(
                        "/feeds/public/report", params={"mid": mid}, data=report, headers={**sent, **json_answer}
                    )
                ).status_code,
                "POST a message, with a cookie": (
                    await http.post("/chat/public/messages", json={"message": name}, headers=posted)
                ).status_code,
                "POST for a ticket, with a token": (
                    await http.post(
                        "/feeds/private/ticket",
                        headers={**sent, "Authorization": f"Bearer {site.known['private-token']}"},
                    )
                ).status_code,
                "GET the room's page": (await http.get("/chat/public/", headers=sent)).status_code,
            }
            for asked, status in statuses.items():
                got[asked][name] = str(status)
    assert got == {row["Asked"]: {name: row[name] for name in ORIGINS} for row in rows(BY_ORIGIN)}


# What the page says ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "table", [STATUS, HEADERS, FRAMING, BY_ORIGIN], ids=["status", "headers", "framing", "origins"]
)
def test_the_page_has_these_tables(table: str) -> None:
    page = (Path(ROOT) / "docs" / "doors.md").read_text(encoding="utf-8")
    assert "\n".join(markdown(table)) in page, "python -m tests.doors prints what belongs there"
