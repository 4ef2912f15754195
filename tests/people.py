"""People as their browsers make them: a cookie jar each, and the network that they come from."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.servers import Engawa

PASSWORD = "a long password"


@contextmanager
def browsing(server: Engawa, name: str | None = None, network: str | None = None) -> Iterator[httpx.Client]:
    """A browser; signed in as ``name``, if there is one. ``network`` is the address that the proxy says it has."""
    headers = {"X-Forwarded-For": network} if network else {}
    with httpx.Client(base_url=server.base, follow_redirects=True, headers=headers) as http:
        if name:
            http.get("/accounts/login/")
            form = {"username": name, "password": PASSWORD, "csrfmiddlewaretoken": http.cookies["csrftoken"]}
            page = http.post("/accounts/login/", data=form, headers={"Referer": server.base})
            assert page.status_code == 200
            assert name in page.text
        yield http


def cookies_of(http: httpx.Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in http.cookies.items())


def submit(http: httpx.Client, path: str, **fields: str) -> httpx.Response:
    """Post a form, as a page of ours would."""
    fields["csrfmiddlewaretoken"] = http.cookies["csrftoken"]
    return http.post(path, data=fields, headers={"Referer": str(http.base_url)})
