from django.apps import AppConfig

import config.reactor  # noqa: F401  for what it does: this app stands before Daphne


class ConfigConfig(AppConfig):
    """The place where everything is put together: settings, URLs, ASGI, the server and ``manage.py start``."""

    name = "config"
