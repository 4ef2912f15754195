"""Browsers of the cast, and how they send commands."""

import json

from django.http import HttpResponse
from django.test import Client

from chat.identity import Identity, guest_token
from chat.models import User

COMMANDS_URL = "/chat/veranda/commands"
DESK_URL = "/chat/veranda/moderation"
JSON = {"accept": "application/json"}


def signed_in(user: User, **options: object) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


def as_guest(guest: Identity, **options: object) -> Client:
    client = Client(**options)
    client.cookies["guest"] = guest_token(guest)
    return client


def ask(client: Client, **frame: object) -> HttpResponse:
    """Send a command as a program does."""
    return client.post(COMMANDS_URL, json.dumps(frame), content_type="application/json")
