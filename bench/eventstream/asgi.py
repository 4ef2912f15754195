import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.eventstream.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from bench.eventstream.publisher import Publisher  # noqa: E402

application = ProtocolTypeRouter(
    {"http": django_application, "websocket": URLRouter([path("publish/<str:room>/", Publisher.as_asgi())])}
)
