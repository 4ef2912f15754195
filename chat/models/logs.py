"""The logs that everything follows: each room's, and the site's."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chat.models.rooms import Room


class Event(models.Model):
    """One entry of a room's log. Written by ``chat.log`` alone."""

    pk = models.CompositePrimaryKey("room_id", "seq")
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="events")
    seq = models.BigIntegerField()
    type = models.CharField(max_length=32)
    mid = models.CharField(max_length=26, blank=True, default="")
    json = models.TextField()

    class Meta:
        ordering = ["room_id", "seq"]
        indexes = [
            # Redaction: the events that speak of a message.
            models.Index(fields=["room", "mid"], name="event_mid", condition=~Q(mid="")),
        ]

    def __str__(self) -> str:
        return f"{self.room_id}:{self.seq} {self.type}"


class SearchIndex(models.Model):
    """How far the index is made that searches ask: one row. ``made_with`` names the secret and the way of cutting texts
    into terms; while it is made anew, ``room_id`` and ``mid`` say where that has come to."""

    made_with = models.CharField(max_length=40)
    room_id = models.BigIntegerField(default=0)
    mid = models.CharField(max_length=26, default="", blank=True)
    is_complete = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.made_with}: {'complete' if self.is_complete else f'at {self.mid} of room {self.room_id}'}"


class SiteHead(models.Model):
    """The site log's last number: one row, whose lock makes numbers rise in the order of their commits."""

    head = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.head)


class SiteEvent(models.Model):
    """Something that changes what connections may stay open, whatever room they are in. Written by ``chat.site``."""

    class Kind(models.TextChoices):
        USER = "user", _("An account's sessions, password or standing")
        ROOM = "room", _("Who belongs to a room, or how they stand there")
        QUEUE = "queue", _("What waits for a room's moderators")
        SITE = "site", _("How somebody stands everywhere")

    seq = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=8, choices=Kind)
    subject = models.BigIntegerField()  # the account's or the room's primary key; 0 for the site
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["seq"]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind} {self.subject}"
