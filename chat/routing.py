from django.urls import path, re_path

import chat.order  # noqa: F401  for what it does: it explains itself where Django is not set up
from chat.consumers import RoomConsumer, refuse

websocket_urlpatterns = [
    path("ws/chat/<str:slug>/", RoomConsumer.as_asgi()),
    re_path(r"", refuse),
]
