"""What nobody in their right mind would send: generated from a seed, so that a failure can be repeated.

Half of it is near to what is right, since that is where mistakes are; the other half is noise.
"""

import json
import random
import struct
from dataclasses import dataclass, field
from urllib.parse import quote, quote_from_bytes

FRAME_TYPES = ["post", "edit", "delete", "ping", "posted", "welcome", "presence", "Post", "", "post\x00"]
FIELDS = ["type", "message", "key", "mid", "reply_to", "id", "events", "room"]
METHODS = "GET HEAD POST PUT DELETE OPTIONS PATCH TRACE CONNECT get PROPFIND GETGETGETGET %00 G\x7fT é".split()
PLACES = (
    "/chat/{}/ /chat/{}/messages /chat/{}/settings /chat/{}/stream /feeds/{}/ /feeds/{}/stream /embed/{}/ /static/{} "
    "/static/css/{} /admin/{} /accounts/{}/ /health/{} /ws/chat/{}/ /{} {} //{} /chat/{} http://{}/chat/"
).split()
HEADERS = (
    "Accept Accept-Language Accept-Encoding Cookie Origin Referer Content-Type Content-Length Transfer-Encoding Host "
    "X-Forwarded-For X-Forwarded-Proto X-Forwarded-Host Forwarded If-None-Match If-Modified-Since Range Expect "
    "Last-Event-ID Cache-Control Upgrade Connection Sec-WebSocket-Key Sec-WebSocket-Version Sec-WebSocket-Protocol "
    "Sec-WebSocket-Extensions Grip-Sig Authorization X-CSRFToken Daphne-Root-Path Date TE Trailer Content-Encoding "
    "X-HTTP-Method-Override"
).split()
# Values that some parser somewhere takes for something.
WORDS = (
    "0 -1 1 00 +1 1_0 ٣ ² 1e9 0x10 NaN Infinity null true [] {} 9999999999999999999 18446744073709551616 lobby lobby: "
    "lobby:1 :1 lobby:1,other:2 lobby:error error es-meta %00 %zz % %ff %C3%28 %ED%A0%80 ../../etc/passwd ..%2f..%2f "
    "text/html application/json */* application/json;q=zz text/html;charset=utf-7 multipart/form-data "
    "multipart/form-data;boundary= multipart/form-data;boundary=x application/x-www-form-urlencoded;charset=idna "
    "gzip chunked identity bytes=0- 100-continue websocket keep-alive h2c https null://x http://[::1 http://[ "
    'http://evil.example:99999 W/"x" * guest=x sessionid=x csrftoken=x sessionid="\\000\\000\\000abcdefgh" '
    'guest="\\377" guest=WyJnIiwieCJd:x:y guest=:::: ;;;=;= a=b;a=c engawa.v1,,, engawa.v2,engawa.v1 13 12 '
    "01ARZ3NDEKTSV4RRFFQ69G5FAV 01arz3ndektsv4rrffq69g5fav 0b9d1c7e-53f4-4c52-9a39-0d6e1f1f7c11 urn:uuid:0"
).split()
COOKIES = (
    'sessionid=x guest=x csrftoken=x sessionid="\\000\\000abcdefgh" guest="\\000\\377" csrftoken="\\000" '
    'messages="\\000" '
    "guest=WyJnIiwieCJd:x:y guest=:::: sessionid= ; ;;;=;= a=b;a=c sessionid=\xff\xfe guest=\u96ea =x"
).split()
TEXTS = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "\udfff\ud800",
    "\u202e",
    "\ufeff",
    "e" + "\u0301" * 300,
    "🙂" * 50,
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    ">" * 500,
    "`" * 999,
    "*_" * 400,
    "http://" + "a" * 2000,
    "x" * 4001,
    "' OR 1=1 --",
    "%s%n{0}{{ x }}",
    "\r\nX: y",
    "\u2028\u2029",
]
MAX_NOISE = 120


@dataclass
class Request:
    """An HTTP request as bytes would have it. ``whole`` says that its body is as long as it says."""

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    whole: bool = True

    def encode(self) -> bytes:
        lines = [
            self.method + b" " + self.target + b" HTTP/1.1",
            *(name + b": " + value for name, value in self.headers),
        ]
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body


class Hostility:
    """One source of hostile inputs. ``lobby`` is a room that there is."""

    def __init__(self, seed: int, host: str, lobby: str = "lobby", cookie: str = "", token: str = "") -> None:
        self.chance = random.Random(seed)
        self.host = host
        self.lobby = lobby
        self.cookie = cookie
        self.token = token

    # Bits ------------------------------------------------------------------------------------------------------

    def text(self) -> str:
        kind = self.chance.random()
        if kind < 0.4:
            return self.chance.choice(TEXTS)
        if kind < 0.7:
            return self.chance.choice(WORDS)
        ranges = [
            (32, 126),
            (0, 31),
            (0xA0, 0x24F),
            (0x300, 0x36F),
            (0x590, 0x6FF),
            (0xD800, 0xDFFF),
            (0x1F300, 0x1FAFF),
        ]
        low, high = self.chance.choice(ranges)
        return "".join(chr(self.chance.randint(low, high)) for _ in range(self.chance.randint(0, 40)))

    def noise(self, most: int = MAX_NOISE) -> bytes:
        return self.chance.randbytes(self.chance.randint(0, most))

    def _bytes(self, text: str) -> bytes:
        return text.encode("utf-8", "surrogatepass")

    def value(self, depth: int = 0) -> object:
        kind = self.chance.randrange(9 if depth < 3 else 6)
        if kind < 3:
            return self.text()
        if kind == 3:
            return self.chance.choice([None, True, False])
        if kind == 4:
            return self.chance.choice([0, -1, 2**63, 10**400, 0.5, 1e308, float("nan"), float("inf")])
        if kind == 5:
            return self.chance.choice(FRAME_TYPES)
        if kind == 6:
            return [self.value(depth + 1) for _ in range(self.chance.randrange(4))]
        return {
            self.chance.choice([*FIELDS, self.text()]): self.value(depth + 1) for _ in range(self.chance.randrange(5))
        }

    # Frames ----------------------------------------------------------------------------------------------------

    def frame(self) -> str | bytes:
        """What is sent as one WebSocket message."""
        kind = self.chance.random()
        if kind < 0.05:
            return self.noise()
        if kind < 0.1:
            return self.chance.choice(
                ["[" * 30_000, '{"a":' * 20_000, "1" * 5000, '"' + "x" * 70_000 + '"', "", "\ufeff{}"]
            )
        frame = {"type": self.chance.choice(FRAME_TYPES[:4]), "message": "x", "mid": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}
        for _ in range(self.chance.randint(1, 3)):
            frame[self.chance.choice(FIELDS)] = self.value()
        text = json.dumps(self.value() if kind < 0.25 else frame, ensure_ascii=self.chance.random() < 0.7)
        text = text.encode("utf-8", "replace").decode()
        if kind > 0.75:
            text = self._damaged(text)
        return text

    def _damaged(self, text: str) -> str:
        characters = list(text)
        for _ in range(self.chance.randint(1, 5)):
            place = self.chance.randrange(len(characters) + 1)
            if self.chance.random() < 0.5 and characters:
                del characters[place % len(characters)]
            else:
                characters.insert(place, self.chance.choice('{}[]",:\\u\x00é🙂'))
        return "".join(characters)

    def wire_frames(self) -> bytes:
        """Bytes on an open socket that are not how WebSocket frames should be."""
        pieces = []
        for _ in range(self.chance.randint(1, 4)):
            first = self.chance.choice([0x81, 0x82, 0x01, 0x00, 0x80, 0x89, 0x8A, 0x88, 0x83, 0xC1, 0xF1, 0x09, 0xFF])
            length = self.chance.choice([0, 1, 2, 5, 125, 126, 127])
            masked = 0x80 if self.chance.random() < 0.7 else 0
            payload = self.noise()
            extended = {126: struct.pack("!H", len(payload)), 127: struct.pack("!Q", self.chance.getrandbits(64))}
            pieces.append(bytes([first, masked | length]) + extended.get(length, b""))
            pieces.append(b"\x00\x00\x00\x00" * bool(masked) + payload[: length if length < 126 else None])
        return b"".join(pieces) if self.chance.random() < 0.8 else self.noise()

    # Requests --------------------------------------------------------------------------------------------------

    def slug(self) -> str:
        kind = self.chance.random()
        if kind < 0.3:
            return self.lobby
        if kind < 0.6:
            return quote(self._bytes(self.text()), safe="")
        if kind < 0.75:
            return quote_from_bytes(self.noise(40))
        return self.chance.choice([*WORDS, "x" * 65, "x" * 4000, "LOBBY", "lobby%2f", "lobby%0d%0aX:y", "%F0%9F%8E%89"])

    def target(self, places: list[str] | None = None) -> bytes:
        path = self.chance.choice(places or PLACES).format(self.slug())
        target = path.encode("utf-8", "surrogatepass") + self.query()
        if self.chance.random() < 0.05:
            target += bytes(byte for byte in self.noise(20) if byte not in b" \r\n")
        return target.replace(b" ", b"%20").replace(b"\r", b"").replace(b"\n", b"") or b"/"

    def query(self) -> bytes:
        if self.chance.random() < 0.3:
            return b""
        names = [
            "after",
            "history",
            "lastEventId",
            "before",
            "limit",
            "es-meta",
            "recover",
            "link",
            "channel",
            "last-id",
        ]
        count = self.chance.choice([1, 1, 2, 3, 30])
        pairs = [f"{self.chance.choice(names)}={self.chance.choice([self.slug(), *WORDS[:40]])}" for _ in range(count)]
        return b"?" + self.chance.choice(["&", "&", ";", "&&"]).join(pairs).encode("utf-8", "surrogatepass")

    def header(self) -> tuple[bytes, bytes]:
        chance = self.chance
        if chance.random() < 0.2:
            return b"Cookie", "; ".join(chance.choices(COOKIES, k=chance.randint(1, 3))).encode()
        name = chance.choice([*HEADERS, "X-" + "a" * chance.randint(1, 50)]).encode()
        kind = chance.random()
        if kind < 0.7:
            value = chance.choice(WORDS).encode()
        elif kind < 0.9:
            value = self._bytes(self.text())
        else:
            value = self.noise() * chance.choice([1, 1, 60])
        return name, value.replace(b"\r", b"").replace(b"\n", b"")

    def _framing(self, request: Request) -> Request:
        """Say how long the body is, unless a header already says something about that."""
        named = {name.lower() for name, _ in request.headers}
        if named & {b"content-length", b"transfer-encoding", b"expect"}:
            request.whole = False
        elif request.body:
            request.headers.append((b"Content-Length", str(len(request.body)).encode()))
        if b"host" not in named:
            request.headers.insert(0, (b"Host", self.host.encode()))
        return request

    def page(self) -> Request:
        """A request for any page."""
        method = self.chance.choice(METHODS[:7] if self.chance.random() < 0.8 else METHODS).encode()
        headers = [self.header() for _ in range(self.chance.randrange(4))]
        body = self.noise() if self.chance.random() < 0.2 else b""
        return self._framing(Request(method, self.target(), headers, body))

    def form(self) -> Request:
        """Something posted by somebody whose token is in order."""
        place = self.chance.choice(["/chat/", f"/chat/{self.lobby}/messages", "/accounts/guest/", "/chat/{}/messages"])
        values = {name: self.value() for name in self.chance.sample(["message", "name", "key", "reply_to", "next"], 3)}
        if self.chance.random() < 0.5:
            body, kind = json.dumps(values).encode(), b"application/json"
            if self.chance.random() < 0.3:
                body = self._bytes(self._damaged(body.decode()))
        else:
            pairs = (f"{name}={quote(self._bytes(str(value)), safe='')}" for name, value in values.items())
            body, kind = "&".join(pairs).encode(), b"application/x-www-form-urlencoded"
        headers = [
            (b"Cookie", self.cookie.encode()),
            (b"X-CSRFToken", self.token.encode()),
            (b"Content-Type", kind if self.chance.random() < 0.8 else self.header()[1]),
            (b"Accept", self.chance.choice([b"application/json", b"text/html", b"*/*", b"x"])),
        ]
        return self._framing(Request(b"POST", place.format(self.slug()).encode("utf-8", "replace"), headers, body))

    def opening(self) -> Request:
        """A request for a stream."""
        headers = [self.header() for _ in range(self.chance.randrange(3))]
        if self.chance.random() < 0.6:
            headers.append((b"Last-Event-ID", self.chance.choice(WORDS).encode()))
        method = b"GET" if self.chance.random() < 0.8 else self.chance.choice(METHODS[:7]).encode()
        return self._framing(Request(method, self.target(["/feeds/{}/stream", "/chat/{}/stream"]), headers))

    def handshake(self) -> Request:
        """A request that wants to be a WebSocket."""
        headers = [
            (b"Upgrade", b"websocket"),
            (b"Connection", b"Upgrade"),
            (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
            (b"Sec-WebSocket-Version", b"13"),
            (b"Sec-WebSocket-Protocol", b"engawa.v1"),
        ]
        if self.chance.random() < 0.5:
            headers[self.chance.randrange(5)] = self.header()
        headers += [self.header() for _ in range(self.chance.randrange(3))]
        return self._framing(
            Request(b"GET", self.target(["/ws/chat/{}/", "/ws/chat/{}", "/ws/{}", "/chat/{}/"]), headers)
        )
