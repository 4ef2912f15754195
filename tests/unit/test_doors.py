"""Every address, for everybody, in every kind of room. What is not in this table is a door that nobody asked about."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from chat import governing, moderation, posting
from chat.identity import Identity, guest_token, new_guest
from chat.models import Membership, Room, User
from chat.pages import BEFORE_ALL
from chat.routing import websocket_urlpatterns
from config.asgi import router

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}
OFFICE = "198.51.100.9"

MEMBERS = ("owner", "moderator", "member")
STRANGERS = ("account", "guest", "other_moderator", "muted", "nobody")
BANNED = ("banned_account", "banned_guest", "banned_network")
ROLES = (*MEMBERS, *STRANGERS, *BANNED)


def answers(*, members: tuple[int, ...], strangers: int, banned: int) -> dict[str, int]:
    """By role; ``members`` are the owner, the moderator and the member."""
    return {
        **dict(zip(MEMBERS, members, strict=True)),
        **dict.fromkeys(STRANGERS, strangers),
        **dict.fromkeys(BANNED, banned),
    }


READERS = answers(members=(200, 200, 200), strangers=200, banned=403)
# The read-only side knows nobody by account or cookie, so only a network's ban reaches it: members there, too.
ANYBODY = {**dict.fromkeys(ROLES, 200), "banned_network": 403}
OWNER = answers(members=(200, 404, 404), strangers=404, banned=403)
MODERATORS = answers(members=(200, 200, 404), strangers=404, banned=403)
ASKED_WRONGLY = answers(members=(405, 405, 405), strangers=405, banned=405)
NOBODY = dict.fromkeys(ROLES, 404)
ONLY_MEMBERS = answers(members=(200, 200, 200), strangers=404, banned=404)

# By the name of the address: what a GET is answered in a public room, and where that is different, in a private one.
OF_A_ROOM: dict[str, tuple[dict[str, int], dict[str, int]]] = {
    "chat:room": (READERS, ONLY_MEMBERS),
    "chat:message": (READERS, ONLY_MEMBERS),
    "chat:messages": (READERS, ONLY_MEMBERS),
    "chat:search": (READERS, ONLY_MEMBERS),
    "chat:members": (answers(members=(200, 200, 200), strangers=404, banned=403), ONLY_MEMBERS),
    "chat:commands": (ASKED_WRONGLY, ASKED_WRONGLY),
    "chat:settings": (OWNER, {**OWNER, **dict.fromkeys(BANNED, 404)}),
    "chat:programs": (OWNER, {**OWNER, **dict.fromkeys(BANNED, 404)}),
    "chat:view_tokens": (OWNER, {**OWNER, **dict.fromkeys(BANNED, 404)}),
    "chat:moderation": (MODERATORS, {**MODERATORS, **dict.fromkeys(BANNED, 404)}),
    "chat:audit": (OWNER, {**OWNER, **dict.fromkeys(BANNED, 404)}),
    "chat:audit_export": (OWNER, {**OWNER, **dict.fromkeys(BANNED, 404)}),
    "feeds:watch": (ANYBODY, NOBODY),
    "feeds:message": (ANYBODY, NOBODY),
    **dict.fromkeys(("feeds:wall", "feeds:qr"), (ANYBODY, NOBODY)),
    "feeds:atom": (ANYBODY, NOBODY),
    "feeds:json": (ANYBODY, NOBODY),
    "feeds:search": (ANYBODY, NOBODY),
    "feeds:embed": (ANYBODY, NOBODY),
    "feeds:messages": (ANYBODY, NOBODY),
    "feeds:chooser": (ANYBODY, NOBODY),
    "feeds:report": (ANYBODY, NOBODY),
    "feeds:ticket": (ASKED_WRONGLY, ASKED_WRONGLY),
    **dict.fromkeys(("feeds:archive", "feeds:year", "feeds:month", "feeds:day", "feeds:transcript"), (ANYBODY, NOBODY)),
    **dict.fromkeys(("feeds:member_archive", "feeds:member_transcript"), (READERS, ONLY_MEMBERS)),
    **dict.fromkeys(("feeds:member_year", "feeds:member_month", "feeds:member_day"), (READERS, ONLY_MEMBERS)),
    "feeds:replay": (ANYBODY, NOBODY),
    "feeds:member_replay": (READERS, ONLY_MEMBERS),
    **dict.fromkeys(("feeds:export", "feeds:member_export"), (NOBODY, NOBODY)),  # beside Django
    "feeds:stream": (NOBODY, NOBODY),  # in Django it is the proxy's; people get theirs beside Django
}
# Those that are about no room.
OTHERS = {
    *("home", "chat:index", "signup", "guest", "login", "logout", "password_change", "password_change_done"),
    *("password_reset", "password_reset_done", "password_reset_confirm", "password_reset_complete"),
    *("language", "words"),
    *("manifest", "service_worker", "offline"),
    *("feeds:oembed", "feeds:sitemap", "feeds:robots"),
    *("profile", "export", "delete_account", "join", "feeds:several"),
    *("feeds:component", "feeds:component_version", "feeds:frame_helper", "feeds:frame_helper_version"),
}
WITHOUT_NAMES = {"favicon.ico", "admin/", "^api(?:/(?P<path>[\\s\\S]*))?\\Z"}


def addresses(patterns: list, prefix: str = "") -> Iterator[str]:
    """The names of all addresses, or their patterns where they have none."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name == "admin":
                yield str(pattern.pattern)
            else:
                yield from addresses(pattern.url_patterns, f"{pattern.app_name}:" if pattern.app_name else prefix)
        else:
            assert isinstance(pattern, URLPattern)
            yield f"{prefix}{pattern.name}" if pattern.name else str(pattern.pattern)


def test_no_address_is_missing_from_the_table() -> None:
    assert set(addresses(get_resolver().url_patterns)) == set(OF_A_ROOM) | OTHERS | WITHOUT_NAMES


def test_no_address_leads_to_two_doors() -> None:
    """Of which one would be nobody's, and what was asked of it would hold nowhere."""
    routes = [str(pattern.pattern) for pattern in get_resolver().url_patterns if isinstance(pattern, URLPattern)]
    assert len(set(routes)) == len(routes)


def test_no_door_beside_django_is_missing() -> None:
    http = router.application_mapping["http"].application  # behind the guard
    beside = [str(route.pattern) for route in http.routes]
    forms = ("sse", "ndjson", "txt", "html")
    assert beside == [
        "feeds/<str:slug>/stream",
        *(f"feeds/<str:slug>/stream.{form}" for form in forms),
        "feeds/stream",
        *(f"feeds/stream.{form}" for form in forms),
        "chat/<str:slug>/stream",
        # Where a proxy asks again: tests/live/test_grip.py has that nobody else finds anything there.
        *("feeds/<str:slug>/held/<str:link>", "chat/<str:slug>/held/<str:link>"),
        *("feeds/<str:slug>/export.<str:form>", "chat/<str:slug>/export.<str:form>"),
        *("feeds/<str:slug>/replay/stream", "chat/<str:slug>/replay/stream"),
        *("health/live", "health/ready"),
        "metrics",  # of no room, and only for who has the token
        "",
    ]
    sockets = [str(route.pattern) for route in websocket_urlpatterns]
    assert len(sockets) == 2, "the room's, and the one that turns away"


@pytest.fixture
def world(cast) -> dict[str, tuple[Client, dict]]:
    """A browser for each role, with what its requests carry beside cookies."""
    settings.TRUSTED_PROXIES = []
    names = ("mod", "otto", "bert", "nora")
    users = {name: User.objects.create_user(name) for name in names} | vars(cast.users)
    Membership.objects.create(room=cast.room, user=users["mod"], role="moderator")
    elsewhere = Room.objects.create(slug="elsewhere", title="Elsewhere")
    Membership.objects.create(room=elsewhere, user=users["otto"], role="moderator")
    guests = {role: new_guest(role.replace("_", " ").title()) for role in ("guest", "muted", "banned_guest")}
    signed_in = {
        "owner": "olga", "moderator": "mod", "member": "mio", "account": "sven", "other_moderator": "otto",
        "banned_account": "bert", "banned_network": "nora",
    }  # fmt: skip
    browsers: dict[str, tuple[Client, dict]] = {"nobody": (Client(), {})}
    for role, name in signed_in.items():
        browser = Client()
        browser.force_login(users[name])
        browsers[role] = (browser, {})
    for role, guest in guests.items():
        browser = Client()
        browser.cookies[settings.GUEST_COOKIE_NAME] = guest_token(guest)
        browsers[role] = (browser, {})
    browsers["banned_network"] = (browsers["banned_network"][0], {"REMOTE_ADDR": OFFICE})

    def said(actor: Identity) -> str:
        return posting.post(actor, cast.room.pk, "hello").mid

    moderation.mute(cast.olga, cast.room.pk, said(guests["muted"]), 3600)
    moderation.ban(cast.olga, cast.room.pk, said(guests["banned_guest"]))
    moderation.ban(cast.olga, cast.room.pk, said(users["bert"].identity))
    from chat.addresses import keyed

    moderation.ban(cast.olga, cast.room.pk, said(replace(users["nora"].identity, network=keyed(OFFICE))), "network")
    return browsers


# What stands in an address beside the slug; the mid is that of a message in the room.
TODAY = f"{timezone.now():%Y/%m/%d}".split("/")
BESIDE = {
    "feeds:export": ["csv"],
    "feeds:member_export": ["csv"],
    **dict.fromkeys(("feeds:year", "feeds:member_year"), TODAY[:1]),
    **dict.fromkeys(("feeds:month", "feeds:member_month"), TODAY[:2]),
    **dict.fromkeys(("feeds:day", "feeds:member_day"), TODAY),
    "chat:audit_export": ["csv"],
    "chat:message": ["{mid}"],
    "feeds:message": ["{mid}"],
}


def address(name: str, slug: str, mid: str = BEFORE_ALL) -> str:
    return reverse(name, args=[slug, *(part.format(mid=mid) for part in BESIDE.get(name, []))])


@pytest.mark.parametrize("kind", ["public", "unlisted", "archived", "private", "deleted", "missing"])
def test_every_page_of_a_room_for_everybody(cast, world, kind: str) -> None:
    mid = cast.room.messages.values_list("mid", flat=True).first()
    match kind:
        case "unlisted" | "private":
            governing.change_visibility(cast.olga, cast.room.pk, kind)
        case "archived":
            governing.archive(cast.olga, cast.room.pk)
        case "deleted":
            governing.delete_room(cast.olga, cast.room.pk)
    slug = "nowhere" if kind == "missing" else cast.room.slug
    assert set(world) == set(ROLES)
    wrong = []
    for name, (in_public, in_private) in OF_A_ROOM.items():
        path = address(name, slug, mid) + (f"?mid={mid}" if name == "feeds:report" else "")
        for role, (browser, extra) in world.items():
            wanted = (in_private if kind == "private" else in_public)[role]
            if kind in ("deleted", "missing") and wanted != 405:
                wanted = 404
            got = browser.get(path, headers=JSON if name == "chat:messages" else {}, **extra).status_code
            if got != wanted:
                wrong.append(f"{name} as {role}: {got}, not {wanted}")
    assert wrong == []


POSTED = {
    "public": answers(members=(201, 201, 201), strangers=201, banned=403) | {"muted": 403},
    "private": answers(members=(201, 201, 201), strangers=404, banned=404),
    "archived": answers(members=(403, 403, 403), strangers=403, banned=403),
    "moderators": answers(members=(201, 201, 403), strangers=403, banned=403),
    "signed-in": answers(members=(201, 201, 201), strangers=201, banned=403)
    | dict.fromkeys(("guest", "muted", "nobody"), 403),
    "newcomers": answers(members=(201, 201, 201), strangers=202, banned=403) | {"muted": 403},
    "deleted": dict.fromkeys(ROLES, 404),
}


@pytest.mark.parametrize("kind", POSTED)
def test_posting_over_http_for_everybody(cast, world, kind: str) -> None:
    match kind:
        case "private":
            governing.change_visibility(cast.olga, cast.room.pk, kind)
        case "archived":
            governing.archive(cast.olga, cast.room.pk)
        case "deleted":
            governing.delete_room(cast.olga, cast.room.pk)
        case "moderators" | "signed-in":
            governing.change_room(cast.olga, cast.room.pk, {"posting": kind})
        case "newcomers":
            governing.change_room(cast.olga, cast.room.pk, {"approval": kind})
    got = {
        role: browser.post(
            address("chat:messages", cast.room.slug),
            {"message": f"as {role}"},
            content_type="application/json",
            headers=JSON,
            **extra,
        ).status_code
        for role, (browser, extra) in world.items()
    }
    assert got == POSTED[kind]
