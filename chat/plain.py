"""A few words of plain text as an ASGI answer, without Django's request, response and middleware."""

from asgiref.typing import ASGISendCallable

Headers = dict[str, str]

_COMMON = {
    "Content-Type": "text/plain; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


async def say(send: ASGISendCallable, status: int, text: str, headers: Headers | None = None) -> None:
    body = f"{text}\n".encode()
    said = {**_COMMON, **(headers or {}), "Content-Length": str(len(body))}
    encoded = [(name.lower().encode(), value.encode()) for name, value in said.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
