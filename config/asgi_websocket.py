"""The ASGI entry for rooms over WebSocket alone: what runs beside the processes that serve pages and streams, with the
same environment, and without what only those need."""

from config import role

role.choose(role.WEBSOCKET)  # before settings load, which have fewer apps then

import django  # noqa: E402

# Django before anything of ours: what follows imports models, which need the apps to be loaded.
django.setup(set_prefix=False)

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from chat import health  # noqa: E402
from chat.plain import say  # noqa: E402
from chat.routing import websocket_urlpatterns  # noqa: E402
from config.guard import Guard  # noqa: E402
from config.lifespan import lifespan  # noqa: E402
from config.outermost import Outermost  # noqa: E402

_UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade"}


async def no_pages(scope: dict, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    await say(send, 426, "Only WebSockets are served here, at /ws/chat/<room>/. Pages are elsewhere.", _UPGRADE)


router = ProtocolTypeRouter(
    {
        "http": URLRouter(
            [path("health/live", health.live), path("health/ready", health.ready), re_path(r"", no_pages)]
        ),
        "websocket": URLRouter(websocket_urlpatterns),
        "lifespan": lifespan,
    }
)
router.application_mapping["http"] = Guard(router.application_mapping["http"])
application = Outermost(router)
