"""Says what is wrong, and how to mend it, where our modules are imported before Django is set up. By being imported:
ahead of whatever else would fail with a sentence that helps nobody."""

import sys
from importlib import machinery

from django.apps import apps

_OWN = ("importlib", __name__)


class ImportedTooEarly(RuntimeError):
    """A module that needs Django was imported before ``django.setup``."""


def _importers() -> list[str]:
    """Who imported whom, as ``file:line``, from whoever began to those who asked for this."""
    frame, found = sys._getframe(2), []
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith(_OWN) and frame.f_code.co_filename.endswith(tuple(machinery.SOURCE_SUFFIXES)):
            found.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
        frame = frame.f_back
    return found[::-1]


def _require_setup() -> None:
    if not apps.apps_ready:
        raise ImportedTooEarly(
            f"Engawa's models and doors were imported before Django was set up, by {' -> '.join(_importers())}. "
            "Call django.setup(set_prefix=False) first, and import chat.routing and all else of chat, feeds and config "
            "below it, as config/asgi.py and config/asgi_websocket.py do."
        )


_require_setup()
