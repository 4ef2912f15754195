"""oEmbed 1.0, to the letter."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.etree import ElementTree

import pytest
from django.conf import settings

from chat import actions, governing, moderation, posting
from chat.models import Room

OURS = settings.PUBLIC_URL


def ask(client, url: str = f"{OURS}/feeds/veranda/", /, **query: object):
    return client.get(f"/oembed?{urlencode({'url': url, **query})}")


@pytest.fixture
def mid(cast) -> str:
    return posting.post(cast.gil, cast.room.pk, "hello").mid


def test_a_room_in_json(cast, client) -> None:
    answer = ask(client)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cache-Control"] == "no-cache"
    assert answer["X-Robots-Tag"] == "noindex"
    assert answer.json() == {
        "version": "1.0",
        "type": "rich",
        "title": "Veranda",
        "provider_name": "Engawa",
        "provider_url": f"{OURS}/",
        "cache_age": 300,
        "html": f'<iframe src="{OURS}/embed/veranda/" title="Veranda" width="480" height="600" loading="lazy" '
        'referrerpolicy="strict-origin-when-cross-origin" allow="" '
        'sandbox="allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox"></iframe>',
        "width": 480,
        "height": 600,
    }
    assert not answer.cookies


def test_a_message_in_xml(cast, client, mid) -> None:
    governing.change_room(cast.olga, cast.room.pk, {"title": 'Tea & <"cake"> 縁側'})
    answer = ask(client, f"{OURS}/feeds/veranda/m/{mid}/", format="xml")
    assert answer["Content-Type"] == "text/xml; charset=utf-8"
    assert answer.content.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
    root = ElementTree.fromstring(answer.content)
    assert root.tag == "oembed"
    fields = {element.tag: element.text for element in root}
    assert fields == {name: str(value) for name, value in ask(client, f"{OURS}/feeds/veranda/m/{mid}/").json().items()}
    assert fields["author_name"] == "Gil"
    assert re.fullmatch(r'Gil in Tea & <"cake"> 縁側, \d{4}-\d\d-\d\d \d\d:\d\d UTC', fields["title"])
    frame = ElementTree.fromstring(fields["html"].replace("&#x27;", "'"))
    assert frame.get("title") == fields["title"]
    source = urlsplit(frame.get("src"))
    assert (source.path, parse_qs(source.query)) == ("/embed/veranda/", {"from": [mid], "limit": ["1"]})


@pytest.mark.parametrize("form", ["json", "xml"])
def test_limits_are_kept_to(cast, client, mid, form: str) -> None:
    for what in (f"{OURS}/chat/veranda/", f"{OURS}/chat/veranda/m/{mid}/"):
        usual = ask(client, what).json()
        for width, height in [(1, 1), (300, 200), (10_000, 10_000), (50, None), (None, 50), (480, 600)]:
            limits = {name: v for name, v in (("maxwidth", width), ("maxheight", height)) if v is not None}
            answer = ask(client, what, format=form, **limits)
            if form == "xml":
                got = {element.tag: element.text for element in ElementTree.fromstring(answer.content)}
            else:
                got = answer.json()
            wanted = (min(usual["width"], width or 10_000), min(usual["height"], height or 10_000))
            assert (int(got["width"]), int(got["height"])) == wanted
            assert f'width="{wanted[0]}" height="{wanted[1]}"' in got["html"]


def test_every_address_of_ours_will_do(cast, client, mid) -> None:
    paths = ["chat/veranda/", "feeds/veranda/", "embed/veranda/", "feeds/VERANDA", "feeds/veranda/?before=x#m-1"]
    expected = ask(client).json()
    for path in paths:
        assert ask(client, f"{OURS}/{path}").json() == expected, path
    assert ask(client, f"{OURS}/feeds/veranda/".replace("http:", "https:")).json() == expected
    one = ask(client, f"{OURS}/feeds/veranda/m/{mid}/").json()
    for path in (f"chat/veranda/m/{mid}/", f"feeds/veranda/m/{mid.lower()}", f"feeds/veranda/m/{mid}/?x=y"):
        assert ask(client, f"{OURS}/{path}").json() == one, path


def test_a_room_whose_name_is_in_another_script(cast, client) -> None:
    room, _ = actions.create_room(cast.olga, "縁側")
    watch = f"{OURS}/feeds/{room.slug}/"
    answer = ask(client, watch).json()
    assert answer == ask(client, f"{OURS}/feeds/%E7%B8%81%E5%81%B4/").json()
    assert 'src="' + OURS + "/embed/%E7%B8%81%E5%81%B4/" in answer["html"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("url=", 400),
        ("format=xml", 400),
        ("url={}&maxwidth=x", 400),
        ("url={}&maxheight=0", 400),
        ("url={}&maxwidth=-5", 400),
        ("url={}&format=yaml", 501),
        ("url={}&format=JSON", 501),
        ("url={}&format=json&callback=x&unknown=y&maxwidth=", 200),
    ],
)
def test_what_is_asked_wrongly(cast, client, query: str, status: int) -> None:
    assert client.get("/oembed?" + query.format(f"{OURS}/feeds/veranda/")).status_code == status
    assert client.post("/oembed").status_code == 405
    preflight = client.options("/oembed")
    assert (preflight.status_code, preflight["Access-Control-Allow-Origin"]) == (204, "*")


@pytest.mark.parametrize(
    "url",
    [
        *("x", "http://[", "/feeds/veranda/", "//feeds/veranda/", "ftp://{host}/feeds/veranda/"),
        *("http://elsewhere.example/feeds/veranda/", "http://elsewhere.example@{host}:99/feeds/veranda/"),
        *("http://olga:secret@{host}/feeds/veranda/", "http://{host}.evil.example/feeds/veranda/"),
        *(
            "http://{host}/",
            "http://{host}/chat/",
            "http://{host}/feeds/nowhere/",
            "http://{host}/chat/veranda/settings",
        ),
        *("http://{host}/feeds/veranda/m/7ZZZZZZZZZZZZZZZZZZZZZZZZZ/", "http://{host}/feeds/veranda/m/x/"),
        *("http://{host}/feeds/%00/", "http://{host}/feeds/%FF/", "http://{host}/feeds/veranda/stream"),
    ],
)
def test_what_there_is_not(cast, client, url: str) -> None:
    answer = ask(client, url.format(host=urlsplit(OURS).netloc))
    assert answer.status_code == 404, answer.content
    assert answer["Cache-Control"] == "no-store"


def test_what_may_not_be_embedded_or_known_of(cast, client, mid) -> None:
    one = f"{OURS}/feeds/veranda/m/{mid}/"
    validator = ask(client, one)["ETag"]
    assert client.get(f"/oembed?{urlencode({'url': one})}", headers={"If-None-Match": validator}).status_code == 304
    never = ask(client, f"{OURS}/feeds/nowhere/")

    def refused(url: str) -> bool:
        path = f"/oembed?{urlencode({'url': url})}"
        answers = [client.get(path, headers={"If-None-Match": tag}) for tag in ("*", validator, "")]
        return {answer.status_code for answer in answers} == {404}

    actions.delete(cast.gil, cast.room.pk, mid)
    assert refused(one)
    hidden = posting.post(cast.gil, cast.room.pk, "hm").mid
    moderation.hide(cast.olga, cast.room.pk, hidden)
    sealed = posting.post(cast.gil, cast.room.pk, "among us").mid
    Room.objects.filter(pk=cast.room.pk).update(sealed_mid=sealed)
    for each in (hidden, sealed):
        assert refused(f"{OURS}/feeds/veranda/m/{each}/")
    governing.change_room(cast.olga, cast.room.pk, {"embed_origins": ""})
    assert refused(f"{OURS}/feeds/veranda/")
    governing.change_room(cast.olga, cast.room.pk, {"embed_origins": "https://news.example"})
    assert ask(client).status_code == 200
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    assert refused(f"{OURS}/feeds/veranda/")
    assert ask(client).content == never.content
    client.force_login(cast.users.olga)
    assert ask(client).status_code == 404, "a cookie counts for nothing here"
