"""What other sites are given: scripts, snippets, the page that they frame, and the history that the component reads."""

import gzip
import re
from base64 import b64encode
from hashlib import sha256, sha384
from html import unescape

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from chat import actions, governing, posting, viewing
from chat.models import Room
from feeds import embeds, scripts
from feeds.looks import LANGUAGES, WORDS, Look, language, read_look

pytestmark = pytest.mark.django_db
MOST_BYTES = 12 * 1024
COMPONENT = settings.BASE_DIR / "static" / "embed" / "engawa-room.js"
ULID = "01M7YVVZ40TKBZ80JTWZYM85QX"


# The scripts ----------------------------------------------------------------------------------------------


def test_the_component_is_one_small_module_that_makes_no_document_from_a_string() -> None:
    source = COMPONENT.read_text()
    assert len(gzip.compress(source.encode())) <= MOST_BYTES
    assert not re.search(r"^\s*import\b|\bimport\(|\bfrom ['\"]|\brequire\(", source, re.MULTILINE)
    sinks = r"innerHTML|outerHTML|insertAdjacent|setHTML|DOMParser|createContextual|document\.write|eval\(|Function\("
    assert not re.search(sinks, source)
    assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie|withCredentials", source)


@pytest.mark.parametrize("name", scripts.NAMES)
def test_a_script_has_an_address_that_stays_and_one_that_never_changes(client: Client, name: str) -> None:
    content = (settings.BASE_DIR / "static" / "embed" / f"{name}.js").read_bytes()
    script = scripts.script(name)
    newest, version = client.get(f"/embed/{name}.js"), client.get(f"/embed/{name}.{script.hash}.js")
    for answer in (newest, version):
        assert answer.content == content
        assert answer["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert not answer.cookies
    assert newest["Cache-Control"] == "no-cache"
    assert version["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.get(f"/embed/{name}.js", headers={"If-None-Match": newest["ETag"]}).status_code == 304
    assert client.get(f"/embed/{name}.{'0' * 16}.js").status_code == 404
    assert client.options(f"/embed/{name}.js").status_code == 204
    assert client.post(f"/embed/{name}.js").status_code == 405
    small = client.get(f"/embed/{name}.js", headers={"Accept-Encoding": "gzip, br"})
    assert (small["Content-Encoding"], gzip.decompress(small.content)) == ("gzip", content)
    assert "Accept-Encoding" in small["Vary"]
    assert script.integrity == f"sha384-{b64encode(sha384(content).digest()).decode()}"


def test_a_released_version_stays_after_the_script_was_changed(client: Client, settings, tmp_path) -> None:
    folder = tmp_path / "static" / "embed"
    (folder / "released").mkdir(parents=True)
    (folder / "engawa-room.js").write_text("2;")
    old = sha256(b"1;").hexdigest()[:16]
    (folder / "released" / f"engawa-room.{old}.js").write_text("1;")
    settings.BASE_DIR = tmp_path
    scripts.script.cache_clear()
    scripts.versions.cache_clear()
    try:
        assert client.get(f"/embed/engawa-room.{old}.js").content == b"1;"
        assert client.get("/embed/engawa-room.js").content == b"2;"
    finally:
        scripts.script.cache_clear()
        scripts.versions.cache_clear()


def test_what_was_released_is_what_its_name_says() -> None:
    released = sorted((settings.BASE_DIR / "static" / "embed" / "released").iterdir())
    assert released
    for path in released:
        name, hash, _ = path.name.split(".")
        assert name in scripts.NAMES
        assert sha256(path.read_bytes()).hexdigest()[:16] == hash, path


# How it looks ---------------------------------------------------------------------------------------------


def test_a_look_takes_what_it_knows_and_nothing_else() -> None:
    asked = {"theme": "dark", "lang": "ja", "tz": "Asia/Tokyo", "limit": "7", "order": "newest", "header": "hide"}
    look = read_look({**asked, "from": ULID, "colour": "red"})
    assert look == Look("dark", "ja", "Asia/Tokyo", 7, "newest", "hide", ULID)
    assert look.attributes == {**asked, "from": ULID}
    assert read_look({}) == read_look(dict.fromkeys([*asked, "from"], "nonsense")) == Look()
    assert Look().attributes == {}


@pytest.mark.parametrize(
    ("limit", "taken"), [("0", 0), ("-1", 0), ("1", 1), ("007", 7), ("201", 200), ("9" * 7, 0), ("٣", 0), ("1e1", 0)]
)
def test_a_limit_is_a_number_within_bounds(limit: str, taken: int) -> None:
    assert read_look({"limit": limit}).limit == taken


@pytest.mark.parametrize("zone", ["../../etc/passwd", "/etc/passwd", "Asia", "Nowhere/Land", "Asia/Tokyo\x00"])
def test_a_time_zone_is_one_that_there_is(zone: str) -> None:
    assert read_look({"tz": zone}).tz == ""


@pytest.mark.parametrize(
    ("tag", "ours"),
    [
        *(("ja-JP", "ja"), ("en_GB", "en"), ("zh", "zh-Hans"), ("zh-CN", "zh-Hans"), ("zh-TW", "zh-Hant")),
        *(("zh-Hant-HK", "zh-Hant"), ("fr", ""), ("", ""), ("x-klingon", "")),
    ],
)
def test_a_tag_means_one_of_our_languages(tag: str, ours: str) -> None:
    assert language(tag) == ours


def test_the_words_are_those_of_the_component() -> None:
    source = COMPONENT.read_text()
    assert set(WORDS) == set(LANGUAGES)
    for words in WORDS.values():
        assert set(words) == set(WORDS["en"])
        for name, word in words.items():
            assert f'{name}: "{word}"' in source


# What is copied -------------------------------------------------------------------------------------------


def test_the_snippets_name_the_room_the_version_and_its_hash(cast) -> None:
    room = replace_title(cast.room, 'Tea & <b>"cake"</b>')
    script = scripts.script(scripts.COMPONENT)
    html = embeds.component_snippet(room, Look(theme="dark", limit=5))
    assert f'src="{settings.PUBLIC_URL}/embed/engawa-room.{script.hash}.js" integrity="{script.integrity}"' in html
    assert f'<engawa-room src="{settings.PUBLIC_URL}/feeds/veranda/" theme="dark" limit="5">' in html
    assert "Tea &amp; &lt;b&gt;&quot;cake&quot;&lt;/b&gt;</a>" in html
    assert "style=" not in html
    assert 'style="block-size: 300px"' in embeds.component_snippet(room, Look(), 300)
    frame = embeds.iframe_snippet(room, Look(theme="dark", order="newest"), 300)
    assert f'src="{settings.PUBLIC_URL}/embed/veranda/?theme=dark&amp;order=newest"' in frame
    assert 'title="Tea &amp; &lt;b&gt;&quot;cake&quot;&lt;/b&gt;"' in frame
    for given in ('loading="lazy"', 'referrerpolicy="strict-origin-when-cross-origin"', 'sandbox="allow-scripts '):
        assert given in frame


def replace_title(room: Room, title: str) -> Room:
    room.title = title
    return room


def test_choosing_works_without_a_script(cast, client: Client) -> None:
    page = client.get("/feeds/veranda/embed?form=iframe&theme=dark&limit=9&height=333").text
    snippet = unescape(re.search(r'id="chooser-snippet"[^>]*>(.*?)</textarea>', page, re.DOTALL)[1])
    assert snippet == embeds.iframe_snippet(cast.room, Look(theme="dark", limit=9), 333)
    assert 'src="/embed/veranda/?theme=dark&amp;limit=9"' in page
    for form, start in (("component", "<script "), ("link", "http"), ("nonsense", "<script ")):
        page = unescape(client.get(f"/feeds/veranda/embed?form={form}").text)
        assert f'translate="no">{start}' in page


def test_a_room_that_is_not_to_be_framed_has_nothing_to_copy(cast, client: Client) -> None:
    for path in ("/feeds/veranda/", "/chat/veranda/"):
        assert 'href="/feeds/veranda/embed"' in client.get(path).text
    Room.objects.update(embed_origins="")
    assert client.get("/feeds/veranda/embed").status_code == 404
    for path in ("/feeds/veranda/", "/chat/veranda/"):
        assert "/feeds/veranda/embed" not in client.get(path).text


# The page that is framed ----------------------------------------------------------------------------------


def test_the_frame_is_for_those_that_the_room_names_and_for_our_preview(cast, client: Client) -> None:
    for origins, policy in [
        ("*", "frame-ancestors *;"),
        (
            "https://news.example https://*.example.org",
            "frame-ancestors 'self' https://news.example https://*.example.org;",
        ),
        ("", "frame-ancestors 'none';"),
    ]:
        Room.objects.update(embed_origins=origins)
        page = client.get("/embed/veranda/")
        assert policy in page["Content-Security-Policy"] + ";"
        assert "require-trusted-types-for 'script'" in page["Content-Security-Policy"]
        assert "X-Frame-Options" not in page
    for path in ("/feeds/veranda/", "/chat/veranda/", "/feeds/veranda/embed"):
        policy = client.get(path).get("Content-Security-Policy")
        assert policy is None or ("frame-src 'self'" in policy and "frame-ancestors 'none'" in policy)


def test_the_frame_shows_without_scripts_what_is_asked_for(cast, client: Client) -> None:
    mids = [posting.post(cast.gil, cast.room.pk, f"message {number}").mid for number in range(5)]

    def shown(query: str) -> list[int]:
        return [
            int(number) for number in re.findall(r"<p>message (\d)</p>", client.get(f"/embed/veranda/{query}").text)
        ]

    assert shown("") == [0, 1, 2, 3, 4]
    assert shown("?limit=2") == [3, 4]
    assert shown("?limit=2&order=newest") == [4, 3]
    assert shown(f"?limit=2&before={mids[3]}") == [1, 2]
    assert shown(f"?limit=2&from={mids[1]}") == [1, 2]
    assert shown("?limit=x&order=sideways&from=y&before=z&colour=red") == [0, 1, 2, 3, 4]
    page = client.get("/embed/veranda/?lang=ja&theme=dark&tz=Asia/Tokyo&limit=2").text
    assert '<html lang="ja" data-theme="dark">' in page
    assert "以前のメッセージ" in page
    assert "JST</time>" in page
    assert f'?theme=dark&amp;lang=ja&amp;tz=Asia%2FTokyo&amp;limit=2&amp;before={mids[3]}"' in page
    assert "<header>" not in client.get("/embed/veranda/?header=hide").text


def test_every_link_of_the_frame_is_to_its_room_or_to_elsewhere(cast, client: Client) -> None:
    Room.objects.create(slug="cellar", title="Cellar")
    here = settings.PUBLIC_URL
    for address in (
        f"{here}/chat/cellar/", f"{here}/feeds/cellar/", f"{here}/embed/cellar/", f"{here}/", f"{here}/chat/veranda-2/",
        "http://testserver/feeds/cellar/", f"{here.upper()}/feeds/cellar/", f"{here}/feeds/veranda/", "https://example.org/chat/cellar/",
    ):  # fmt: skip
        posting.post(cast.gil, cast.room.pk, f"see {address} now")
    page = client.get("/embed/veranda/").text
    links = [unescape(link) for link in re.findall(r'<a [^>]*href="([^"]*)"', page)]
    ours = ("/feeds/veranda/", f"{here}/chat/veranda/", f"{here}/feeds/veranda/", "/embed/veranda/")
    assert [link for link in links if not link.startswith(ours)] == ["https://example.org/chat/cellar/"]
    assert f"{here}/feeds/veranda/" in links
    assert page.count("see ") == 9
    assert f"see {here}/chat/cellar/ now" in page


# The history ----------------------------------------------------------------------------------------------


def test_a_history_for_anybody_says_what_the_component_shows(cast, client: Client) -> None:
    mids = [posting.post(cast.gil, cast.room.pk, f"{number}").mid for number in range(5)]
    Room.objects.update(pinned_mid=mids[0])

    def ask(query: str) -> dict:
        answer = client.get(f"/feeds/veranda/messages?{query}")
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert answer["Cache-Control"] == "no-cache"
        return answer.json()

    def shown(query: str) -> tuple:
        page = ask(query)
        return [int(message["message"]) for message in page["messages"]], page["earlier"], page["later"]

    assert shown("") == ([0, 1, 2, 3, 4], None, None)
    assert shown("limit=2") == ([3, 4], mids[3], None)
    assert shown(f"limit=2&before={mids[3]}") == ([1, 2], mids[1], mids[2])
    assert shown(f"limit=2&from={mids[1]}") == ([1, 2], None, mids[2])
    assert shown(f"limit=9&from={mids[1]}") == ([1, 2, 3, 4], None, None)
    assert shown(f"limit=1&from={mids[0]}") == ([0], None, None)
    page = ask("limit=1")
    assert (page["room"], page["head"], page["about"]["title"], page["pinned"]["mid"]) == (
        "veranda", Room.objects.get(pk=cast.room.pk).head, "Veranda", mids[0],
    )  # fmt: skip
    etag = client.get("/feeds/veranda/messages")["ETag"]
    assert client.get("/feeds/veranda/messages", headers={"If-None-Match": etag}).status_code == 304
    actions.delete(cast.gil, cast.room.pk, mids[0])
    again = client.get("/feeds/veranda/messages", headers={"If-None-Match": etag})
    assert (again.status_code, again.json()["pinned"]) == (200, None)
    assert shown(f"limit=2&from={mids[0]}") == ([1, 2], None, mids[2])
    assert shown(f"limit=1&from={mids[0]}") == ([], None, None), "nobody is quoted with another's words"
    frame = client.get(f"/embed/veranda/?limit=1&from={mids[0]}").text
    assert "<p>a deleted message</p>" in frame
    for bad in ("from=x", "before=x", "limit=0"):
        answer = client.get(f"/feeds/veranda/messages?{bad}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "query.invalid")
    missing = client.get("/feeds/nowhere/messages")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "room.not_found")
    assert missing["Access-Control-Allow-Origin"] == "*"


def test_a_ticket_opens_the_history_of_its_room_and_no_other_page(cast, client: Client) -> None:
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    posting.post(cast.olga, cast.room.pk, "among us")
    token, secret = viewing.create_view_token(
        cast.olga, cast.room.pk, "the news", timezone.now() + timezone.timedelta(days=1)
    )
    ticket, _ = viewing.ticket_of(viewing.grant_of(secret))

    def ask(path: str, bearer: str) -> int:
        return client.get(path, headers={"Authorization": f"Bearer {bearer}"}).status_code

    for bearer in (ticket, secret):
        answer = client.get("/feeds/veranda/messages", headers={"Authorization": f"Bearer {bearer}"})
        assert answer.json()["messages"][0]["message"] == "among us"
        assert answer["Cache-Control"] == "private, no-store"
    assert ask("/feeds/veranda/", secret) == 200
    assert ask("/feeds/veranda/", ticket) == 401
    assert ask("/feeds/veranda/messages", f"{ticket}x") == 401
    assert client.get(f"/feeds/veranda/messages?ticket={ticket}").status_code == 404
    other = Room.objects.create(slug="cellar", title="Cellar", visibility="private")
    assert ask(f"/feeds/{other.slug}/messages", ticket) == 404
    viewing.revoke_view_token(cast.olga, cast.room.pk, token.pk)
    assert ask("/feeds/veranda/messages", ticket) == 401
