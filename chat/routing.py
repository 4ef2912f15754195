from django.urls import path, re_path

from chat.consumers import RoomConsumer, refuse

websocket_urlpatterns = [
    path("ws/chat/<str:slug>/", RoomConsumer.as_asgi()),
    re_path(r"", refuse),
]
