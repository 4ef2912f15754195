from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """The place where everything is put together: settings, URLs, ASGI, the server and ``manage.py start``."""

    name = "config"
