"""Serving on HOST:PORT with as many processes as asked for, what this process's role serves."""

from collections.abc import Callable

from django.conf import settings

from config.role import WEBSOCKET
from config.workers import listen, supervise


def application() -> Callable:
    """The one of this process's role."""
    if settings.ROLE == WEBSOCKET:
        from config.asgi_websocket import application
    else:
        from config.asgi import application
    return application


def serve(count: int, on_ready: Callable[[], None]) -> str:
    """Serve until told to stop, in this process if one is enough. Returns why the port cannot be used, if so. Raises
    ``NoWorkers``."""
    if count > 1:
        try:
            listening = listen(settings.HOST, settings.PORT, count)
        except OSError as error:
            return error.strerror or str(error)
        supervise(listening, on_ready)
        return ""
    # Here, and not above: the parent of several serves nothing, and need not be as large as they are.
    from daphne.endpoints import build_endpoint_description_strings

    from config.server import Server

    (endpoint,) = build_endpoint_description_strings(host=settings.HOST, port=settings.PORT)
    server = Server(application(), endpoint, on_ready)
    server.run()
    return server.failure
