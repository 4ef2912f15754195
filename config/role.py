"""What a process serves, chosen before settings load: they have only those apps that its role needs.

Imports nothing of Django, so that it can be imported before anything else.
"""

import os
import sys

ALL, WEB, WEBSOCKET = ROLES = ("all", "web", "websocket")


class TooLate(RuntimeError):
    """Settings were loaded before the role was chosen."""


def choose(role: str) -> None:
    """Have settings load for ``role``. Raises ``TooLate`` where they have been, for another."""
    settings = sys.modules.get("config.settings")
    if settings is not None and role != settings.ROLE:
        raise TooLate(
            f"Settings were loaded for ROLE={settings.ROLE} before ROLE={role} was chosen. Whatever reads them must be "
            f"imported after that: set ROLE={role} in the environment, or import config.asgi_websocket first, before "
            "Django is set up and before anything of chat, feeds or config that reads settings."
        )
    os.environ["ROLE"] = role
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def has_pages() -> None:
    """Refuse to serve pages with the settings of the role that has none. Raises ``ImproperlyConfigured``."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    if settings.ROLE == WEBSOCKET:
        raise ImproperlyConfigured(
            "ROLE: config.asgi serves pages, which websocket has not. Serve config.asgi_websocket, or take ROLE away."
        )
