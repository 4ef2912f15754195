# ruff: noqa: E501 – a table is read by its columns
"""Who gets in at which door, from where, and what every answer says of itself: the tables of docs/doors.md.

They are written down here and nowhere computed from the code, which they check; ``tests/live/test_origins.py`` tries
each cell on a real server. A test holds the page to them: ``python -m tests.doors`` prints what belongs there.
"""

from collections.abc import Iterator

ADDRESS = "chat.example.org"
# Where a page is from that asks. All origins are answered alike, but where ``BY_ORIGIN`` says otherwise.
ORIGINS = {
    "none": None,
    "ours": f"http://{ADDRESS}",
    "another site": "https://elsewhere.example",
    "opaque": "null",
    "below ours": f"http://page.{ADDRESS}",
    "alike": f"http://{ADDRESS}.elsewhere.example",
    "other scheme": f"https://{ADDRESS}",
}

# What a GET is answered, by form and by room; of the ticket's address, a POST. "Token" and "ticket" are of the private
# room, "other token" is of another one, and is tried in the private room.
STATUS = """
Form                | Address                           | Door   | public | unlisted | archived | private | token | ticket | other token | deleted, missing
Watch page          | /feeds/{slug}/                    | page   | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
On a wall           | /feeds/{slug}/wall                | page   | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
QR code             | /feeds/{slug}/qr.svg              | image  | 200    | 200      | 200      | 404     | 404   | 404    | 404         | 404
Message             | /feeds/{slug}/m/{mid}/            | page   | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
Several rooms       | /feeds/?room={slug}               | page   | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
Page to embed       | /embed/{slug}/                    | embed  | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
Stream              | /feeds/{slug}/stream              | stream | 200    | 200      | 200      | 404     | 200   | 200    | 404         | 404
Stream, events      | /feeds/{slug}/stream.sse          | form   | 200    | 200      | 200      | 404     | 200   | 200    | 404         | 404
Stream, NDJSON      | /feeds/{slug}/stream.ndjson       | form   | 200    | 200      | 200      | 404     | 200   | 200    | 404         | 404
Stream, text        | /feeds/{slug}/stream.txt          | form   | 200    | 200      | 200      | 404     | 200   | 200    | 404         | 404
Stream, live page   | /feeds/{slug}/stream.html         | live   | 200    | 200      | 200      | 404     | 200   | 200    | 404         | 404
Stream, several     | /feeds/stream?room={slug}         | stream | 200    | 200      | 200      | 404     | 200   | 200    | 404         | 404
Atom                | /feeds/{slug}/atom                | page   | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
JSON Feed           | /feeds/{slug}/json                | page   | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
oEmbed, JSON        | /oembed?format=json&url={public_url}/feeds/{slug}/ | page   | 200    | 200      | 200      | 404     | 404   | 404    | 404         | 404
oEmbed, XML         | /oembed?format=xml&url={public_url}/feeds/{slug}/ | page   | 200    | 200      | 200      | 404     | 404   | 404    | 404         | 404
Archive             | /feeds/{slug}/archive/            | page   | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
A year              | /feeds/{slug}/{year}/             | page   | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
A month             | /feeds/{slug}/{month}/            | page   | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
A day               | /feeds/{slug}/{day}/              | page   | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
Transcripts         | /feeds/{slug}/export              | page   | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
Transcript, html    | /feeds/{slug}/export.html         | file   | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
Transcript, jsonl   | /feeds/{slug}/export.jsonl        | file   | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
Transcript, csv     | /feeds/{slug}/export.csv          | file   | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
Transcript, txt     | /feeds/{slug}/export.txt          | file   | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
Replay              | /feeds/{slug}/replay              | page   | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
Replay, live        | /feeds/{slug}/replay/stream       | form   | 200    | 200      | 200      | 404     | 200   | 200    | 404         | 404
Ticket              | /feeds/{slug}/ticket              | ticket | 401    | 401      | 401      | 401     | 201   | 401    | 404         | 401
History             | /feeds/{slug}/messages            | page   | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
Search              | /feeds/{slug}/search?q=hello      | page   | 200    | 200      | 200      | 404     | 200   | 404    | 404         | 404
How to embed it     | /feeds/{slug}/embed               | page   | 200    | 200      | 200      | 404     | 404   | 404    | 404         | 404
Report              | /feeds/{slug}/report?mid={mid}    | report | 200    | 200      | 200      | 404     | 404   | 404    | 404         | 404
The room            | /chat/{slug}/                     | ours   | 200    | 200      | 200      | 404     | 404   | 404    | 404         | 404
Message, in the room | /chat/{slug}/m/{mid}/             | ours   | 200    | 200      | 200      | 404     | 404   | 404    | 404         | 404
Its history         | /chat/{slug}/messages             | ours   | 200    | 200      | 200      | 404     | 404   | 404    | 404         | 404
Its stream          | /chat/{slug}/stream               | own    | 200    | 200      | 200      | 404     | 404   | 404    | 404         | 404
Its archive         | /chat/{slug}/archive/             | ours   | 200    | 200      | 200      | 404     | 404   | 404    | 404         | 404
Its day             | /chat/{slug}/{day}/               | ours   | 200    | 200      | 200      | 404     | 404   | 404    | 404         | 404
Its transcripts     | /chat/{slug}/export               | ours   | 200    | 200      | 200      | 404     | 404   | 404    | 404         | 404
Its transcript      | /chat/{slug}/export.csv           | ownf   | 200    | 200      | 200      | 404     | 404   | 404    | 404         | 404
Its replay          | /chat/{slug}/replay               | ours   | 200    | 200      | 200      | 404     | 404   | 404    | 404         | 404
Its search          | /chat/{slug}/search?q=hello       | ours   | 200    | 200      | 200      | 404     | 404   | 404    | 404         | 404
View tokens         | /chat/{slug}/view-tokens          | ours   | 404    | 404      | 404      | 404     | 404   | 404    | 404         | 404
API                 | /api/v1/rooms/{slug}/messages     | api    | 401    | 401      | 401      | 401     | 401   | 401    | 401         | 401
Sitemap             | /sitemap.xml                      | site   | 200    | 200      | 200      | 200     | 200   | 200    | 200         | 200
robots.txt          | /robots.txt                       | robots | 200    | 200      | 200      | 200     | 200   | 200    | 200         | 200
Component           | /embed/engawa-room.js             | module | 200    | 200      | 200      | 200     | 200   | 200    | 200         | 200
Frame helper        | /embed/engawa-frame.js            | module | 200    | 200      | 200      | 200     | 200   | 200    | 200         | 200
Script              | /static/js/watch.js               | static | 200    | 200      | 200      | 200     | 200   | 200    | 200         | 200
Style               | /static/css/base.css              | static | 200    | 200      | 200      | 200     | 200   | 200    | 200         | 200
"""

# What an answer says, by door: "granted" is one that came with a token or a ticket. "-" is: no such header.
HEADERS = """
Door   | Answer  | Access-Control-Allow-Origin | Cross-Origin-Resource-Policy | Preflight allows | Framing | Cache-Control     | Vary                                   | Referrer-Policy
page   | open    | *                           | cross-origin                 | GET, HEAD        | none    | no-cache          | Accept, Authorization, Accept-Language | same-origin
page   | granted | *                           | cross-origin                 | GET, HEAD        | none    | private, no-store | Accept, Authorization, Accept-Language | no-referrer
page   | refused | *                           | cross-origin                 | GET, HEAD        | none    | no-store          | Accept, Authorization, Accept-Language | as asked
image  | open    | *                           | cross-origin                 | GET, HEAD        | none    | no-cache          | Accept, Authorization                  | same-origin
image  | refused | *                           | cross-origin                 | GET, HEAD        | none    | no-store          | Accept, Authorization, Accept-Language | as asked
embed  | open    | *                           | cross-origin                 | GET, HEAD        | any     | no-cache          | Accept, Authorization, Accept-Language | same-origin
embed  | granted | *                           | cross-origin                 | GET, HEAD        | any     | private, no-store | Accept, Authorization, Accept-Language | no-referrer
embed  | refused | *                           | cross-origin                 | GET, HEAD        | none    | no-store          | Accept, Authorization, Accept-Language | as asked
stream | any     | *                           | cross-origin                 | GET, HEAD        | -       | no-store          | Accept, Authorization, Accept-Language | no-referrer
file   | any     | *                           | cross-origin                 | GET, HEAD        | -       | no-store          | Authorization, Accept-Language         | no-referrer
ownf   | any     | -                           | same-origin                  | -                | -       | no-store          | Accept-Language                        | no-referrer
form   | any     | *                           | cross-origin                 | GET, HEAD        | -       | no-store          | Authorization, Accept-Language         | no-referrer
live   | any     | *                           | cross-origin                 | GET, HEAD        | none    | no-store          | Authorization, Accept-Language         | no-referrer
site   | any     | -                           | same-origin                  | -                | none    | no-cache          | Accept-Language                        | as asked
robots | any     | -                           | same-origin                  | -                | none    | -                 | Accept-Language                        | as asked
ticket | any     | *                           | cross-origin                 | POST             | none    | no-store          | as asked                               | as asked
report | open    | -                           | same-origin                  | -                | none    | never             | Accept-Language                        | same-origin
report | refused | -                           | same-origin                  | -                | none    | no-store          | Accept-Language                        | as asked
ours   | open    | -                           | same-origin                  | -                | none    | never             | Cookie, Accept-Language                | same-origin
ours   | refused | -                           | same-origin                  | -                | none    | no-store          | Cookie, Accept-Language                | same-origin
own    | any     | -                           | same-origin                  | -                | -       | no-store          | Accept-Language                        | no-referrer
api    | any     | -                           | same-origin                  | -                | none    | never             | Accept-Language                        | as asked
module | any     | *                           | cross-origin                 | GET, HEAD        | none    | no-cache          | Accept-Encoding                        | as asked
static | any     | -                           | cross-origin                 | -                | -       | max-age=0, public | -                                      | same-origin
"""

# Who may frame the page to embed, by the room's setting "sites that may frame it".
FRAMING = """
Setting                                | frame-ancestors
(nothing)                              | 'none'
*                                      | *
https://a.example https://b.example:81 | 'self' https://a.example https://b.example:81
"""

# What an origin decides.
BY_ORIGIN = """
Asked                           | none | ours | another site | opaque | below ours | alike | other scheme
WebSocket, without a cookie     | 101  | 101  | 403          | 403    | 403        | 403   | 101
WebSocket, with a cookie        | 403  | 101  | 403          | 403    | 403        | 403   | 101
POST a report                   | 201  | 201  | 403          | 403    | 403        | 403   | 201
POST a message, with a cookie   | 201  | 201  | 403          | 403    | 403        | 403   | 403
POST for a ticket, with a token | 201  | 201  | 201          | 201    | 201        | 201   | 201
GET the room's page             | 200  | 200  | 200          | 200    | 200        | 200   | 200
"""


def rows(table: str) -> list[dict[str, str]]:
    """The rows of one of these tables, by the names in its first line."""
    names, *lines = ([cell.strip() for cell in line.split("|")] for line in table.strip().splitlines())
    return [dict(zip(names, line, strict=True)) for line in lines]


def markdown(table: str) -> Iterator[str]:
    """The lines of a table as the page has them."""
    names, *lines = ([cell.strip() for cell in line.split("|")] for line in table.strip().splitlines())
    yield _line(names)
    yield "|" + "---|" * len(names)
    for cells in lines:
        yield _line([_cell(name, cell) for name, cell in zip(names, cells, strict=True)])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(name: str, cell: str) -> str:
    is_code = name in ("Address", "Setting", "frame-ancestors") or (name in _VALUES and cell in ("*", *_VALUES[name]))
    return f"`{cell}`" if is_code and not cell.startswith("(") else "–" if cell == "-" else cell


_VALUES = {
    "Access-Control-Allow-Origin": (),
    "Cross-Origin-Resource-Policy": ("cross-origin", "same-origin"),
    "Preflight allows": ("GET, HEAD", "POST"),
    "Cache-Control": ("no-cache", "no-store", "private, no-store", "max-age=0, public"),
    "Vary": (
        *("Accept, Authorization, Accept-Language", "Accept, Authorization", "Authorization, Accept-Language"),
        *("Cookie, Accept-Language", "Accept-Language", "Accept-Encoding"),
    ),
    "Referrer-Policy": ("same-origin", "no-referrer"),
}


if __name__ == "__main__":
    for each in (STATUS, HEADERS, FRAMING, BY_ORIGIN):
        print("\n".join(markdown(each)), end="\n\n")
