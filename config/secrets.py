"""``python -m config.secrets FOLDER``: the secrets of a deployment, made where they are missing and never changed.

What Engawa reads lies in FOLDER, for its owner alone. What another program is to know as well lies in a folder of its
own in there, ``postgres`` or ``pushpin``, where that program's user can read it: in compose.yaml each of these is a
volume that only that program has, and elsewhere nobody else gets through FOLDER.

Nothing of Django or of Engawa is imported: this runs before there is anything to serve.
"""

import base64
import os
import secrets
import sys
import tempfile
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

OURS, THEIRS = 0o400, 0o444
DATABASE_URL = "postgres://engawa:{password}@postgres:5432/engawa"
GRIP_URL = "http://pushpin:5561?iss=engawa&key=base64:{key}"


def make(folder: Path) -> list[str]:
    """The names of those that were made now. Raises ``OSError``."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made: list[str] = []

    def secret(name: str, value: str, mode: int = OURS) -> str:
        """What ``name`` says: ``value``, where it says nothing yet."""
        path = folder / name
        path.parent.mkdir(mode=0o755, exist_ok=True)
        if not path.exists():
            _write(path, value, mode)
            made.append(name)
        return path.read_text(encoding="ascii").strip()

    secret("secret_key", secrets.token_urlsafe(50))
    secret("metrics_token", secrets.token_urlsafe(32))
    # Where an address is there already, what the other side is told is what stands in it.
    password = secret("postgres/postgres_password", _told(folder / "database_url") or secrets.token_urlsafe(32), THEIRS)
    secret("database_url", DATABASE_URL.format(password=quote(password, safe="")))
    random_key = base64.b64encode(secrets.token_bytes(32)).decode()
    key = secret("pushpin/grip_key", _told(folder / "grip_url") or random_key, THEIRS)
    secret("grip_url", GRIP_URL.format(key=quote(key, safe="")))
    return made


def _told(file: Path) -> str:
    """The password, or the key without its "base64:", in the address that ``file`` holds, if it holds one."""
    if not file.exists():
        return ""
    address = urlsplit(file.read_text(encoding="ascii").strip())
    key = dict(parse_qsl(address.query)).get("key", "")
    return unquote(address.password or "") or key.removeprefix("base64:")


def _write(path: Path, value: str, mode: int) -> None:
    """The file appears whole, and with ``mode``, or not at all."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(value + "\n")
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), mode)
        os.rename(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m config.secrets FOLDER", file=sys.stderr)
        return 2
    try:
        made = make(Path(arguments[0]))
    except OSError as error:
        print(f"engawa: cannot keep secrets in {error.filename}: {error.strerror}.", file=sys.stderr)
        return 1
    print(f"made: {', '.join(made)}" if made else "all secrets are there")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
