"""The ASGI entry for everything: pages and streams over HTTP, rooms over WebSocket."""

from config import role

role.has_pages()

import django  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402

# Django first: what follows imports models, which need the apps to be loaded.
django.setup(set_prefix=False)

from config.delivery import prepare  # noqa: E402

prepare()  # the middleware, which is made next, serves what there is then
django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from chat import health  # noqa: E402
from chat.routing import websocket_urlpatterns  # noqa: E402
from config.guard import Guard  # noqa: E402
from config.lifespan import lifespan  # noqa: E402
from config.metrics import MetricsDoor  # noqa: E402
from config.outermost import Outermost  # noqa: E402
from feeds.exports import Export  # noqa: E402
from feeds.forms.kinds import EVENTS, KINDS  # noqa: E402
from feeds.held import Again  # noqa: E402
from feeds.replay import Replay  # noqa: E402
from feeds.streams import RoomStream  # noqa: E402

router = ProtocolTypeRouter(
    {
        # Streams stand beside Django, not inside it: a response that stays open would hold one of its threads.
        "http": URLRouter(
            [
                path("feeds/<str:slug>/stream", RoomStream()),
                *(path(f"feeds/<str:slug>/stream.{kind.suffix}", RoomStream(kind)) for kind in KINDS),
                path("feeds/stream", RoomStream()),
                *(path(f"feeds/stream.{kind.suffix}", RoomStream(kind)) for kind in KINDS),
                path("chat/<str:slug>/stream", RoomStream(EVENTS, for_people=True)),
                path("feeds/<str:slug>/held/<str:link>", Again()),
                path("chat/<str:slug>/held/<str:link>", Again(for_people=True)),
                path("feeds/<str:slug>/export.<str:form>", Export()),
                path("chat/<str:slug>/export.<str:form>", Export(for_people=True)),
                path("feeds/<str:slug>/replay/stream", Replay()),
                path("chat/<str:slug>/replay/stream", Replay(for_people=True)),
                path("health/live", health.live),  # of no middleware, no thread and no database
                path("health/ready", health.ready),
                path("metrics", MetricsDoor(django_application)),
                re_path(r"", django_application),
            ]
        ),
        "websocket": URLRouter(websocket_urlpatterns),
        "lifespan": lifespan,
    }
)
router.application_mapping["http"] = Guard(router.application_mapping["http"])
application = Outermost(router)
