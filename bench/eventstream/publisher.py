"""The way in: what a WebSocket says is sent to the listeners of its room."""

import json

from channels.generic.websocket import AsyncWebsocketConsumer
from django_eventstream import send_event


class Publisher(AsyncWebsocketConsumer):
    async def receive(self, text_data):
        # Nothing in it waits without a storage and a GRIP proxy, so a trip to a thread would only cost.
        send_event(self.scope["url_route"]["kwargs"]["room"], "message", json.loads(text_data))
