"""What a server does about static files before it serves, and with each request for one."""

import fcntl
import logging
import re
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from servestatic.middleware import ServeStaticMiddleware

from config.delivery.errors import Broken
from config.delivery.storage import HASH_CHARS, delivered, digest, found, read_sources

BUILT, SOURCES = "built", "sources"
_HASHED = re.compile(rf"\.[0-9a-f]{{{HASH_CHARS}}}\.\w+$")

logger = logging.getLogger(__name__)


def prepare() -> None:
    """Have what pages name made of the sources as they are, where it is not. Where that cannot be, pages name the
    sources, which work as well and take longer to load."""
    if settings.STATIC_FILES != BUILT:
        return
    paths = found()
    wanted = digest(read_sources(paths))
    if staticfiles_storage.read() == wanted:
        return
    try:
        root = Path(settings.STATIC_ROOT)
        root.mkdir(parents=True, exist_ok=True)
        with (root / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if staticfiles_storage.read() != wanted:
                made = list(staticfiles_storage.post_process(paths))
                logger.debug("%s static files were made", len(made))
                staticfiles_storage.read()
    except (Broken, OSError) as error:
        staticfiles_storage.names = {}
        logger.warning("static files are served as they lie: %s", error)


class StaticMiddleware(ServeStaticMiddleware):
    """Serves the sources under their own names, and what was made of them, now and before, under theirs, for ever."""

    FOREVER = 365 * 24 * 3600

    def __init__(self, get_response: Callable) -> None:
        super().__init__(get_response)
        root = Path(settings.STATIC_ROOT)
        if settings.STATIC_FILES == BUILT and not self.autorefresh:
            for path in delivered(root):
                url = self.static_prefix + path.relative_to(root).as_posix()
                self.add_file_to_dictionary(url, str(path), root=str(root))

    def immutable_file_test(self, path: str, url: str) -> bool:
        return bool(_HASHED.search(url)) and Path(path).is_relative_to(settings.STATIC_ROOT)
