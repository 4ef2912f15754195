"""Where Prometheus asks how this process is: on a port of its own (settings.METRICS_PORT), and, with a token
(settings.METRICS_TOKEN), at ``/metrics`` beside everything else.

``prometheus_client`` writes the answer, of what ``config.collector`` reads in that moment. It is written on the event
loop, so that all numbers are of one moment: a few milliseconds.
"""

import hmac
import logging
from typing import Any

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable
from django.conf import settings
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.asgi import make_asgi_app
from prometheus_client.exposition import choose_encoder
from twisted.internet import reactor
from twisted.internet.error import CannotListenError
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from chat.addresses import header
from config.collector import BufferCollector, EngawaCollector

RETRY_SECONDS = 1.0  # a worker that takes another's place gets its port when that one has left

logger = logging.getLogger(__name__)

registry = CollectorRegistry()
registry.register(EngawaCollector())
ProcessCollector(registry=registry)
PlatformCollector(registry=registry)
GCCollector(registry=registry)


class MetricsDoor:
    """``/metrics`` on the main port, for who knows the token. Everybody else is answered by ``otherwise``, as if there
    were nothing."""

    def __init__(self, otherwise: ASGI3Application) -> None:
        self._otherwise = otherwise
        self._metrics = make_asgi_app(registry)

    async def __call__(self, scope: dict[str, Any], receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        may = scope["method"] == "GET" and _is_token(header(scope["headers"], b"authorization"))
        await (self._metrics if may else self._otherwise)(scope, receive, send)


def _is_token(authorization: str | None) -> bool:
    scheme, _, given = (authorization or "").partition(" ")
    if not settings.METRICS_TOKEN or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), settings.METRICS_TOKEN.encode())


class MetricsPage(Resource):
    """The same on Twisted's own server, without a token."""

    isLeaf = True

    def render_GET(self, request: Request) -> bytes:
        encode, content_type = choose_encoder(request.getHeader("accept") or "")
        request.setHeader("content-type", content_type)
        return encode(registry)


class Listener:
    """Listens on settings.METRICS_HOST and a port, as soon as that is free."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._has_complained = False

    def listen(self) -> None:
        root = Resource()
        root.putChild(b"metrics", MetricsPage())
        site = Site(root)
        site.noisy = False
        try:
            reactor.listenTCP(self._port, site, interface=settings.METRICS_HOST.strip("[]"))
        except CannotListenError as error:
            if not self._has_complained:
                self._has_complained = True
                logger.warning("metrics: port %s cannot be had yet (%s)", self._port, error.socketError)
            reactor.callLater(RETRY_SECONDS, self.listen)
        else:
            logger.info("metrics are at http://%s:%s/metrics", settings.METRICS_HOST, self._port)


def serve(server: Any, number: int) -> None:
    """Answer on the port of its own of the worker ``number`` of several, if there is one; from now on with what waits
    for the readers of ``server``."""
    registry.register(BufferCollector(server))
    if settings.METRICS_PORT:
        Listener(settings.METRICS_PORT + number - 1).listen()
