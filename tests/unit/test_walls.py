"""A room on a wall, and the code that leads into it."""

import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
import zxingcpp
from django.conf import settings
from django.test import Client
from django.utils import timezone

from chat import actions, governing, posting, viewing
from feeds.walls import MESSAGES

pytestmark = pytest.mark.django_db
WALL, CODE = "/feeds/veranda/wall", "/feeds/veranda/qr.svg"
SVG = "{http://www.w3.org/2000/svg}"
PIXELS = 4  # for each module


def drawn(svg: bytes) -> list[list[int]]:
    """The modules of a code, as its lines draw them: 0 is black, 255 white."""
    root = ElementTree.fromstring(svg)
    side = int(root.attrib["viewBox"].split()[2])
    light, dark = root.findall(f"{SVG}path")
    assert (light.attrib["fill"], dark.attrib["stroke"]) == ("#fff", "#000")
    modules = [[255] * side for _ in range(side)]
    x, y = 0.0, 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", dark.attrib["d"]):
        values = [float(number) for number in numbers.split()]
        match command:
            case "M":
                x, y = values
            case "m":
                x, y = x + values[0], y + values[1]
            case _:
                for place in range(int(x), int(x + values[0])):
                    modules[int(y)][place] = 0
                x += values[0]
    return modules


def read(svg: bytes) -> str:
    """What a phone would read."""
    rows = [[value for value in row for _ in range(PIXELS)] for row in drawn(svg) for _ in range(PIXELS)]
    image = memoryview(bytes(value for row in rows for value in row)).cast("B", (len(rows), len(rows)))
    (found,) = zxingcpp.read_barcodes(image, try_invert=False, try_rotate=False)
    assert str(found.format) in ("QRCode", "QR Code", "BarcodeFormat.QRCode")
    return found.text


def view_token(cast) -> str:
    return viewing.create_view_token(cast.olga, cast.room.pk, "a wall", timezone.now() + timedelta(days=1))[1]


@pytest.mark.parametrize("slug", ["veranda", "縁側", "a-room-of-a-very-long-name-that-nobody-would-want-to-type"])
def test_the_code_leads_into_the_room(client: Client, cast, slug: str) -> None:
    if slug != cast.room.slug:
        actions.make_room(cast.olga, slug, "Elsewhere", "public")
    answer = client.get(f"/feeds/{slug}/qr.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    assert "Content-Language" not in answer
    address = read(answer.content)
    assert address.startswith(f"{settings.PUBLIC_URL}/chat/")
    assert client.get(address.removeprefix(settings.PUBLIC_URL)).context["room"].slug == slug


def test_there_is_quiet_around_the_code(client: Client, cast) -> None:
    modules = drawn(client.get(CODE).content)
    columns = [list(column) for column in zip(*modules, strict=True)]
    for lines in (modules, modules[::-1], columns, columns[::-1]):
        assert all(value == 255 for line in lines[:4] for value in line)
        assert 0 in lines[4]


def test_the_code_stays_good_while_people_talk(client: Client, cast) -> None:
    etag = client.get(CODE)["ETag"]
    posting.post(cast.gil, cast.room.pk, "hello")
    assert client.get(CODE, headers={"If-None-Match": etag}).status_code == 304


def test_a_wall_shows_the_last_messages_and_how_to_join(client: Client, cast) -> None:
    for number in range(MESSAGES + 3):
        posting.post(cast.gil, cast.room.pk, f"message {number}.")
    page = client.get(WALL)
    shown = re.findall(r"message (\d+)\.</p>", page.text)
    assert shown == [str(number) for number in range(3, MESSAGES + 3)]
    address = f"{settings.PUBLIC_URL}/chat/veranda/".partition("://")[2]
    assert f"<bdi>{address}</bdi>" in page.text.replace("<wbr>", "")
    assert f'src="{CODE}"' in page.text
    assert "site-header" not in page.text
    assert "noindex" in page["X-Robots-Tag"]


def test_a_name_of_other_letters_is_shown_in_them(client: Client, cast) -> None:
    actions.make_room(cast.olga, "縁側", "縁側", "public")
    assert "/chat/縁側/</bdi>" in client.get("/feeds/縁側/wall").text.replace("<wbr>", "")


def test_a_private_room_has_no_code_and_its_wall_no_address(client: Client, cast) -> None:
    posting.post(cast.gil, cast.room.pk, "hello")
    governing.change_visibility(cast.olga, cast.room.pk, "private")
    posting.post(cast.olga, cast.room.pk, "among us")
    assert client.get(WALL).status_code == client.get(CODE).status_code == 404
    granted = {"Authorization": f"Bearer {view_token(cast)}"}
    for condition in ({}, {"If-None-Match": "*"}):
        assert client.get(CODE, headers={**granted, **condition}).status_code == 404
    page = client.get(WALL, headers=granted)
    assert page.status_code == 200
    assert "wall__join" not in page.text
    assert "/chat/veranda/" not in page.text
    assert page["Cache-Control"] == "private, no-store"
