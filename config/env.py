"""The environment, read in one place and strictly.

Every variable Engawa knows is read through ``Environment`` below, so a typo in a value is an error that
names the variable, an empty value means "not set", and the names read can be held against ``.env.example``.
"""

import os
import secrets
import tempfile
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import available_timezones

from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError

from config import databases

Network = IPv4Network | IPv6Network

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}


class Environment:
    """Typed access to the process environment, with ``.env`` beneath it.

    Every method returns ``default`` where the variable is unset or empty and raises
    ``ImproperlyConfigured``, naming the variable, where its value cannot be understood.
    """

    def __init__(self, dotenv: Path | None = None) -> None:
        self._env = Env()
        self.names: set[str] = set()
        self.ranges: dict[str, range] = {}
        self.given = dict(os.environ)  # as it was before ``.env`` was read, which is read into it
        if dotenv is not None and dotenv.is_file():
            self._env.read_env(str(dotenv), override=False)

    def _read(self, name: str, default: Any, parse: Callable[[str], Any]) -> Any:
        self.names.add(name)
        if not self._env.str(name, "").strip():
            return default
        try:
            return parse(name)
        except (EnvError, ValueError) as error:
            raise ImproperlyConfigured(f"{name}: {error}") from error

    def text(self, name: str, default: str = "") -> str:
        return self._read(name, default, lambda key: self._env.str(key).strip())

    def words(self, name: str, default: list[str]) -> list[str]:
        """A list separated by commas."""
        return self._read(name, default, lambda key: [word.strip() for word in self._env.list(key) if word.strip()])

    def flag(self, name: str, default: bool) -> bool:
        def parse(key: str) -> bool:
            word = self._env.str(key).strip().lower()
            if word in _TRUE | _FALSE:
                return word in _TRUE
            raise ValueError(f"{word!r} is neither true nor false (write true, yes, on, 1 or false, no, off, 0)")

        return self._read(name, default, parse)

    def number(self, name: str, default: int, *, least: int = 0, most: int = 10**12) -> int:
        self.ranges[name] = range(least, most + 1)

        def parse(key: str) -> int:
            number = self._env.int(key)
            if not least <= number <= most:
                raise ValueError(f"{number} is not between {least} and {most}")
            return number

        return self._read(name, default, parse)

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        def parse(key: str) -> str:
            word = self._env.str(key).strip().lower()
            if word not in choices:
                raise ValueError(f"{word!r} is none of {', '.join(choices)}")
            return word

        return self._read(name, default, parse)

    def database(self, name: str) -> dict[str, Any] | None:
        """A Django database configuration from a URL, which may be in a file like a secret. None where it is not
        set."""

        url = self.secret(name)
        try:
            return databases.at(url) if url else None
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: {error}") from error

    def email(self, name: str) -> dict[str, Any]:
        """Django's settings for sending e-mail from a URL, which may be in a file like a secret. Nothing where it is
        not set."""
        url = self.secret(name)
        try:
            return _email(url) if url else {}
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: {error}") from error

    def networks(self, name: str, default: list[Network]) -> list[Network]:
        """Addresses and networks, separated by commas."""
        return self._read(name, default, lambda key: [ip_network(word.strip()) for word in self._env.list(key)])

    def time_zone(self, name: str, default: str) -> str:
        def parse(key: str) -> str:
            zone = self._env.str(key).strip()
            if zone not in available_timezones():
                raise ValueError(f"{zone!r} is not a time zone such as Asia/Tokyo")
            return zone

        return self._read(name, default, parse)

    def secret(self, name: str) -> str:
        """The value of ``name``, or the content of the file that ``<name>_FILE`` names."""
        file_name = f"{name}_FILE"
        path = self.text(file_name)
        value = self.text(name)
        if path and value:
            raise ImproperlyConfigured(f"{name} and {file_name} are both set: keep one of them.")
        if not path:
            return value
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{file_name}: cannot read {path} ({error.__class__.__name__}).") from error
        if not value:
            raise ImproperlyConfigured(f"{file_name}: {path} is empty.")
        return value


_SMTP = {"smtp": (25, {}), "submission": (587, {"EMAIL_USE_TLS": True}), "smtps": (465, {"EMAIL_USE_SSL": True})}


def _email(url: str) -> dict[str, Any]:
    """Raises ``ValueError``, which repeats nothing of the URL: it has a password in it."""
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, strict_parsing=True) if parts.query else ())
        port = parts.port
    except ValueError:
        raise ValueError("it is no address like smtp://user:password@host:25") from None
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts.scheme == "file" and parts.path:
        return {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend", "EMAIL_FILE_PATH": parts.path}
    if parts.scheme not in _SMTP or not parts.hostname:
        raise ValueError("only smtp://…, submission://…, smtps://…, console:// and file:///… are supported")
    timeout = options.pop("timeout", "10")
    if options or not (timeout.isascii() and timeout.isdigit() and 0 < int(timeout) <= 300):
        raise ValueError("after the question mark there may be a timeout, of 1 to 300 seconds")
    usual_port, security = _SMTP[parts.scheme]
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port or usual_port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_TIMEOUT": int(timeout),
        **security,
    }


def own_secret(path: Path) -> str:
    """The secret kept in ``path``, made there on first use, readable by its owner alone.

    Two processes that start at the same moment agree on one: the file appears whole, and only once.
    """
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, draft = tempfile.mkstemp(dir=path.parent)  # mkstemp makes it with mode 0600
            try:
                with os.fdopen(descriptor, "w", encoding="ascii") as file:
                    file.write(secrets.token_urlsafe(50))
                    file.flush()
                    os.fsync(file.fileno())
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                os.unlink(draft)
        except OSError as error:
            raise ImproperlyConfigured(
                f"cannot keep a secret in {path.parent} ({error.strerror}): make that folder writable, "
                "or set SECRET_KEY or SECRET_KEY_FILE."
            ) from error
    value = path.read_text(encoding="ascii", errors="replace").strip()
    if not value:
        raise ImproperlyConfigured(f"{path} is empty: delete it, and the next start makes a new secret.")
    return value
