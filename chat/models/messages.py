"""What is said, what is held back until somebody approves it, and how readers react."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import NamedTuple

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.people import User
from chat.models.rooms import Room


class MessageQuerySet(models.QuerySet["Message"]):
    def visible(self) -> MessageQuerySet:
        """What stands: neither deleted nor hidden."""
        return self.filter(deleted_at=None, hidden_at=None)

    def page_before(self, mid: str | None, size: int) -> list[Message]:
        """The ``size`` messages before ``mid`` (the newest where it is None), oldest first."""
        page = self.filter(mid__lt=mid) if mid else self
        return list(reversed(page.order_by("-mid")[:size]))


class Message(models.Model):
    """A message as it stands now. A deleted one keeps its row, without text, so that its key stays used."""

    mid = models.CharField(max_length=26, primary_key=True)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="messages")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="messages")
    author_key = models.CharField(max_length=40)
    author_name = models.CharField(max_length=150)
    author_kind = models.CharField(max_length=8)
    author_role = models.CharField(max_length=10)
    key = models.UUIDField(default=uuid.uuid4)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    renderer = models.PositiveSmallIntegerField()
    # The message answered, by name: it may be deleted, and this stays.
    reply_to = models.CharField(max_length=26, blank=True, default="")
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)  # by a moderator, who may show it again
    reaction_counts = models.JSONField(null=True, blank=True, editable=False)  # how many, by reaction
    # The keyed hash of the network that it came from ("": not known), forgotten after settings.NETWORK_DAYS.
    network = models.CharField(max_length=32, blank=True, default="", editable=False)
    # Its number among the messages of its room, which rises as mids do. By it the search knows it.
    number = models.BigIntegerField(null=True, blank=True, editable=False)

    author_hue: int | None = None  # what its author chose: ``chat.colours`` looks

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["mid"]
        constraints = [
            # Posting twice is posting once.
            models.UniqueConstraint(fields=["room", "author_key", "key"], name="message_key_once"),
        ]
        indexes = [
            # A room's page, newest first, without what is deleted or hidden.
            models.Index(fields=["room", "mid"], name="message_page", condition=Q(deleted_at=None, hidden_at=None)),
            models.Index(fields=["room", "number"], name="message_number"),
            # What moderators hid: few among many.
            models.Index(
                fields=["room", "-hidden_at"],
                name="message_hidden",
                condition=Q(deleted_at=None, hidden_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.author_name}, {self.created_at:%Y-%m-%d %H:%M}"


class NewMessage(NamedTuple):
    """A message that is about to be written: the columns of its row that are not empty, by name."""

    mid: str
    room_id: int
    author_id: int | None
    author_key: str
    author_name: str
    author_kind: str
    author_role: str
    key: uuid.UUID
    text: str
    html: str
    renderer: int
    reply_to: str
    created_at: datetime
    network: str
    number: int | None = None

    edited_at = reaction_counts = author_hue = None


class HeldMessage(models.Model):
    """A message that waits for a moderator: without a ``mid`` before it is approved, or text after that."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="held_messages")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    author_key = models.CharField(max_length=40)
    author_name = models.CharField(max_length=150)
    author_kind = models.CharField(max_length=8)
    author_role = models.CharField(max_length=10)
    key = models.UUIDField()
    text = models.TextField(blank=True)
    reply_to = models.CharField(max_length=26, blank=True, default="")
    network = models.CharField(max_length=32, blank=True, default="", editable=False)
    caught_by = models.CharField(max_length=16)  # the filter, or "approval" where the room wants to see them first
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    created_at = models.DateTimeField(default=timezone.now)
    handled_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    handled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["room", "author_key", "key"], name="held_key_once")]
        indexes = [models.Index(fields=["room", "id"], name="held_queue", condition=Q(state="waiting"))]

    def __str__(self) -> str:
        return f"{self.author_name}, {self.created_at:%Y-%m-%d %H:%M}"


class Reaction(models.Model):
    """One person's reaction to a message: each of them once."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="reactions")
    author_key = models.CharField(max_length=40)
    reaction = models.CharField(max_length=16)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["message", "author_key", "reaction"], name="reaction_once")]

    def __str__(self) -> str:
        return f"{self.reaction} · {self.author_key}"
