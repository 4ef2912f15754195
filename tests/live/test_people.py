"""People on a real server: invited, signed up, banned, gone."""

import json
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.clients import participant
from tests.people import PASSWORD, browsing, cookies_of, submit
from tests.servers import Engawa


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engawa]:
    """It believes a proxy on this machine where a request comes from."""
    engawa = Engawa(tmp_path_factory.mktemp("people"), TRUSTED_PROXIES="127.0.0.1")
    yield engawa
    engawa.stop()


def sign_up(http: httpx.Client, name: str, next: str = "/chat/") -> httpx.Response:
    http.get("/accounts/signup/")
    return submit(http, "/accounts/signup/", username=name, password1=PASSWORD, password2=PASSWORD, next=next)


def make_owner(server: Engawa, name: str, room: str, visibility: str = "public") -> str:
    return server.shell(
        "from chat import actions; from chat.models import User\n"
        f"owner = User.objects.create_user({name!r}, password={PASSWORD!r})\n"
        f"print(actions.create_room(owner.identity, {room!r}, {visibility!r})[0].slug)"
    )


async def test_a_link_leads_a_stranger_into_a_private_room(server: Engawa) -> None:
    slug = make_owner(server, "olga", "hideaway", "private")
    with browsing(server, "olga") as owner, browsing(server, network="192.0.2.1") as stranger:
        page = submit(owner, f"/chat/{slug}/members", action="invite", role="member", days="1")
        link = re.search(rf'value="{server.base}(/join/[\w-]+/)"', page.text)[1]
        assert stranger.get(f"/chat/{slug}/").status_code == 404
        page = stranger.get(link)
        assert (page.status_code, page.headers["referrer-policy"]) == (200, "no-referrer")
        signup = re.search(r'href="(/accounts/signup/\?next=[^"]+)"', page.text)[1]
        assert stranger.get(signup).status_code == 200
        page = sign_up(stranger, "rita", next=link)
        assert str(page.url).endswith(link)
        page = submit(stranger, link)
        assert str(page.url).endswith(f"/chat/{slug}/")
        async with (
            participant(server.sockets, slug, cookie=cookies_of(owner)) as listening,
            participant(server.sockets, slug, cookie=cookies_of(stranger)) as client,
        ):
            assert client.welcome["you"]["role"] == "member"
            assert client.welcome["you"]["ids"][0] == client.welcome["you"]["id"]
            assert (await client.post("thanks"))["type"] == "posted"
            assert (await listening.event())["message"] == "thanks"
            # Removed, they are let go at once.
            submit(owner, f"/chat/{slug}/members", action="remove", username="rita")
            assert await client.closed() == 4501
        assert stranger.get(f"/chat/{slug}/").status_code == 404


async def test_a_ban_survives_signing_up(server: Engawa) -> None:
    slug = make_owner(server, "otto", "porch")
    with (
        browsing(server, "otto") as owner,
        browsing(server, network="192.0.2.7") as spammer,
        browsing(server, network="192.0.2.7") as again,
        browsing(server, network="192.0.2.8") as neighbour,
    ):
        page = spammer.get(f"/chat/{slug}/")
        neighbour.get(f"/chat/{slug}/")
        form = {"message": "spam", "csrfmiddlewaretoken": spammer.cookies["csrftoken"]}
        mid = spammer.post(f"/chat/{slug}/messages", data=form, headers={"Accept": "application/json"}).json()["mid"]
        async with participant(server.sockets, slug, cookie=cookies_of(owner)) as moderator:
            await moderator.send(type="ban", mid=mid, key="1")
            assert (await moderator.until("done"))["key"] == "1"
        assert spammer.get(f"/chat/{slug}/").status_code == 403
        assert sign_up(spammer, "spammer1").status_code == 200
        assert "guest" not in spammer.cookies
        # Neither does it help to come without the cookie.
        assert sign_up(again, "spammer2").status_code == 200
        for http in (spammer, again):
            page = http.get(f"/chat/{slug}/")
            assert (page.status_code, "Your account was banned here" in page.text) == (403, True)
            headers = {"X-Forwarded-For": "203.0.113.9"}  # nor to go elsewhere
            async with participant(server.sockets, slug, cookie=cookies_of(http), headers=headers) as client:
                assert client.refusal["code"] == "banned"
        assert sign_up(neighbour, "neighbour").status_code == 200
        assert neighbour.get(f"/chat/{slug}/").status_code == 200


@pytest.mark.parametrize("messages", ["delete", "anonymise"])
async def test_who_erases_their_account_is_gone_from_open_screens(server: Engawa, messages: str) -> None:
    name = f"erin-{messages}"
    slug = make_owner(server, f"ove-{messages}", f"garden {messages}")
    with browsing(server, network="192.0.2.3") as erin:
        sign_up(erin, name)
        async with (
            participant(server.sockets, slug) as watching,
            participant(server.sockets, slug, cookie=cookies_of(erin)) as client,
        ):
            mids = [(await client.post(f"xyzzy {number}"))["mid"] for number in range(3)]
            exported = erin.get("/accounts/export/")
            assert exported.headers["content-disposition"].startswith("attachment")
            assert [each["mid"] for each in json.loads(exported.text)["messages"]] == mids
            page = submit(erin, "/accounts/delete/", messages=messages, password=PASSWORD)
            assert "Your account is deleted." in page.text
            assert await client.closed() == 4002
            told: dict[str, dict] = {}
            while len(told) < len(mids):
                frame = await watching.receive()
                for event in frame["events"] if frame["type"] == "batch" else [frame]:
                    if event["type"] in ("message.deleted", "message.edited"):
                        told[event["mid"]] = event
            for event in told.values():
                if messages == "anonymise":
                    assert event["author"]["name"] == "deleted account"
                    assert event["message"].startswith("xyzzy")
                assert (event["type"] == "message.edited") == (messages == "anonymise")
        # Nor does the memory of the process say it to who comes back from before.
        async with participant(server.sockets, slug, "?after=0") as back:
            seen = json.dumps([await back.receive() for _ in range(1)])
            assert name not in seen
            assert "xyzzy" not in seen or messages == "anonymise"
        history = httpx.get(f"{server.base}/chat/{slug}/messages", headers={"Accept": "application/json"}).text
        assert name not in history
        assert ("xyzzy" in history) == (messages == "anonymise")
        assert erin.get("/accounts/profile/").url.path == "/accounts/login/"
