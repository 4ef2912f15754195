"""What stands before every HTTP application, Django's and those beside it: by what scheme somebody came, as far as that
can be believed, and what every answer says of itself, whoever made it.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from django.conf import settings

from chat.addresses import header, is_trusted

# What no page of ours asks a browser for. Not here: fullscreen and screen-wake-lock (the wall), clipboard-write.
# Browsers complain of names that they do not know, so newer ones are not here either.
_FEATURES = (
    *("accelerometer", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope", "hid"),
    *("idle-detection", "magnetometer", "microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking"),
)
PERMISSIONS = ", ".join(f"{feature}=()" for feature in _FEATURES)
ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", PERMISSIONS.encode()),
)

_CORP, _CORS, _HSTS = b"cross-origin-resource-policy", b"access-control-allow-origin", b"strict-transport-security"
_NOT_LED_ON = ("/health/", "/metrics")  # machines ask for these on the inside, where there is no TLS

Headers = list[tuple[bytes, bytes]]
Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]


class Guard:
    """An ASGI application for HTTP before another one."""

    def __init__(self, application: Callable) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Callable, send: Send) -> None:
        scheme = forwarded_scheme(scope)
        if scheme is not None and scheme != scope.get("scheme"):
            scope = {**scope, "scheme": scheme}
        telling = _Telling(send, scope["path"], scope.get("scheme") == "https")
        if scheme == "http" and settings.PUBLIC_URL.startswith("https:") and not scope["path"].startswith(_NOT_LED_ON):
            await _lead_to_https(scope, telling)
        else:
            await self.application(scope, receive, telling)


def forwarded_scheme(scope: dict[str, Any]) -> str | None:
    """``http`` or ``https``, where a proxy of settings.TRUSTED_PROXIES says how somebody came to it; else None. Of
    several words the last is that proxy's own."""
    peer = scope["client"][0] if scope.get("client") else ""
    if not is_trusted(peer):
        return None
    word = (header(scope["headers"], b"x-forwarded-proto") or "").rpartition(",")[2].strip().lower()
    return word if word in ("http", "https") else None


def completed(headers: Headers, path: str, *, is_secure: bool) -> Headers:
    """An answer's headers, and those that it does not have and every answer should."""
    said = {name.lower(): value for name, value in headers}
    more = [(name, value) for name, value in ALWAYS if name not in said]
    if _CORP not in said:
        # What any page may read, any page may show. So may it what is the same for everybody: pictures, which feeds
        # and previews name, and what a room needs in a frame in a sandbox, whose origin is nobody's.
        is_for_others = said.get(_CORS) == b"*" or path.startswith(settings.STATIC_URL)
        more.append((_CORP, b"cross-origin" if is_for_others else b"same-origin"))
    if is_secure and settings.SECURE_HSTS_SECONDS and _HSTS not in said:
        more.append((_HSTS, b"max-age=%d" % settings.SECURE_HSTS_SECONDS))
    return [*headers, *more]


class _Telling:
    """``send``, which completes the beginning of the answer. Streams keep it as long as they last, so it is small."""

    __slots__ = ("_is_secure", "_path", "_send")

    def __init__(self, send: Send, path: str, is_secure: bool) -> None:
        self._send = send
        self._path = path
        self._is_secure = is_secure

    def __call__(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            headers = completed([*message.get("headers", ())], self._path, is_secure=self._is_secure)
            message = {**message, "headers": headers}
        return self._send(message)


async def _lead_to_https(scope: dict[str, Any], send: Send) -> None:
    path = (scope.get("raw_path") or quote(scope["path"]).encode("ascii")).partition(b"?")[0]
    if not path.startswith(b"/"):  # as "@elsewhere", which would be another site behind our name
        path = b"/"
    query = b"?" + scope["query_string"] if scope.get("query_string") else b""
    location = settings.PUBLIC_URL.encode() + path + query
    headers = [(b"location", location), (b"content-length", b"0"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 308, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
