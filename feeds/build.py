"""Which build this is: what a page looks like depends on our code as much as on what is in its room."""

from functools import cache
from hashlib import sha256

from django.conf import settings

_WRITES_PAGES = ("templates", "static", "locale", "chat", "feeds")


@cache
def build() -> str:
    """Twelve characters that differ where anything does that pages are made of, and are the same in every process."""
    digest = sha256()
    for folder in _WRITES_PAGES:
        for path in sorted((settings.BASE_DIR / folder).rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(str(path.relative_to(settings.BASE_DIR)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
