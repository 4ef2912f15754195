"""An OpenID Connect provider that does as it is told: well, or wrong in one way."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

CLIENT, SECRET = "engawa", "the secret that both know"


class Provider:
    """``claims`` are what it says of everybody; ``spoil`` may change a token's claims before it is signed; ``key`` and
    ``header`` are what it is signed with. ``told`` is what came to the token's address."""

    def __init__(self, issuer: str) -> None:
        self.issuer = self.named = issuer
        self.key: RSAKey | OctKey = RSAKey.generate_key(2048, {"kid": "one"})
        self.published = KeySet([self.key])
        self.header = {"alg": "RS256", "kid": "one"}
        self.algorithms = ["RS256", "HS256", "none"]
        self.claims: dict[str, Any] = {"sub": "s-1", "preferred_username": "sara"}
        self.spoil: Callable[[dict[str, Any]], None] = lambda claims: None
        self.told: list[dict[str, str]] = []
        self._asked: dict[str, dict[str, str]] = {}

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.named,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": self.algorithms,
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        code = f"code-{len(self._asked)}"
        self._asked[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, told: dict[str, str], authorization: str) -> dict[str, Any]:
        """Raises ``KeyError`` or ``AssertionError`` where something is wrong with what came."""
        self.told.append(told)
        asked = self._asked.pop(told["code"])
        challenge = base64.urlsafe_b64encode(hashlib.sha256(told["code_verifier"].encode()).digest()).rstrip(b"=")
        assert (asked["code_challenge_method"], asked["code_challenge"]) == ("S256", challenge.decode())
        assert told["redirect_uri"] == asked["redirect_uri"]
        assert base64.b64decode(authorization.removeprefix("Basic ")).decode() == f"{CLIENT}:{SECRET}"
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 60,
            "nonce": asked["nonce"],
            **self.claims,
        }
        self.spoil(claims)
        return {"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": self.sign(claims)}

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(self.header, claims, self.key, algorithms=[self.header["alg"]])


@contextmanager
def provider() -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            if address.path == "/authorize":
                asked = {name: values[0] for name, values in parse_qs(address.query).items()}
                self.send_response(302)
                self.send_header("Location", served.authorize(asked))
                self.end_headers()
            else:
                self.answer(served.published.as_dict() if address.path == "/keys" else served.metadata())

        def do_POST(self) -> None:
            told = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            try:
                token = served.token({name: values[0] for name, values in told.items()}, self.headers["Authorization"])
            except (KeyError, AssertionError):
                self.answer({"error": "invalid_grant"}, 400)
            else:
                self.answer(token)

        def answer(self, said: dict[str, Any], status: int = 200) -> None:
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Nothing: it is told by its answers."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        served = Provider(f"http://127.0.0.1:{listening.server_port}")
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield served
        listening.shutdown()
        thread.join()
