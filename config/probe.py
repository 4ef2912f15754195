"""``python -m config.probe``: the health check of a container. Asks the process on PORT whether it is ready, or with
``--live`` whether it lives, prints the first word of its answer, and ends with 0 where that is good news.

Nothing of Django or of Engawa is imported: this runs every few seconds beside what it asks about.
"""

import http.client
import os
import sys
from urllib.parse import urlsplit

SECONDS = 4.0


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--live"]):
        print("usage: python -m config.probe [--live]", file=sys.stderr)
        return 2
    path = "/health/live" if arguments else "/health/ready"
    try:
        status, word = ask(path)
    except (OSError, http.client.HTTPException, ValueError) as error:
        print(f"no answer: {error or error.__class__.__name__}")
        return 1
    print(word)
    return 0 if status == 200 else 1


def ask(path: str) -> tuple[int, str]:
    """The status and the first word of the answer. Raises ``OSError``, ``HTTPException`` and ``ValueError``."""
    public = urlsplit(os.environ.get("PUBLIC_URL", ""))
    headers = {"Host": public.netloc or "localhost"}  # one that is answered
    if public.scheme == "https":
        headers["X-Forwarded-Proto"] = "https"
    connection = http.client.HTTPConnection(_host(), int(os.environ.get("PORT") or 8000), timeout=SECONDS)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        words = response.read(1000).decode("utf-8", "replace").split()
        return response.status, words[0] if words else str(response.status)
    finally:
        connection.close()


def _host() -> str:
    """Where to ask who listens on HOST."""
    host = os.environ.get("HOST", "").strip("[]")
    return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 – where it listens


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
