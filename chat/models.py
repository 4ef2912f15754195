"""What is kept: rooms, who belongs to them, their messages, and the log of events that everything follows."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import NamedTuple

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chat.identity import Identity
from chat.text import MAX_SLUG_CHARS, check_embed_origins


class User(AbstractUser):
    """An account. Django's own, under a name of ours so that it can grow."""

    @property
    def identity(self) -> Identity:
        return Identity(key=f"u{self.pk}", name=self.username, kind="user", user_id=self.pk, is_staff=self.is_staff)


class RoomQuerySet(models.QuerySet["Room"]):
    def listed_for(self, actor: Identity | None) -> RoomQuerySet:
        """Public rooms, and those of which ``actor`` is a member."""
        listed = Q(visibility=Room.Visibility.PUBLIC)
        if actor is not None and actor.user_id is not None:
            listed |= Q(pk__in=Membership.objects.filter(user_id=actor.user_id).values("room_id"))
        return self.filter(listed)


class Room(models.Model):
    class Visibility(models.TextChoices):
        PUBLIC = "public", _("Public: listed, and anyone may watch")
        UNLISTED = "unlisted", _("Unlisted: anyone who knows the address may watch")
        PRIVATE = "private", _("Private: members only")

    slug = models.CharField(max_length=MAX_SLUG_CHARS, unique=True, editable=False)
    title = models.CharField(max_length=200)
    topic = models.CharField(max_length=500, blank=True)
    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.PUBLIC)
    embed_origins = models.TextField(
        default="*",
        blank=True,
        validators=[check_embed_origins],
        help_text=_(
            "Who may frame this room's embed page: * for any site, or origins like https://example.org separated by "
            "spaces, or nothing for none. This governs framing, not who may read a public room."
        ),
    )
    # The log's last number, and the one up to which it can no longer be replayed: a cursor c is good where
    # floor <= c <= head.
    head = models.BigIntegerField(default=0, editable=False)
    floor = models.BigIntegerField(default=0, editable=False)
    last_mid = models.CharField(max_length=26, default="", blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RoomQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(condition=Q(floor__lte=models.F("head")), name="room_floor_below_head"),
        ]

    def __str__(self) -> str:
        return self.title or self.slug


class Membership(models.Model):
    class Role(models.TextChoices):
        OWNER = "owner", _("Owner")
        MODERATOR = "moderator", _("Moderator")
        MEMBER = "member", _("Member")

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} · {self.role}"


class SiteHead(models.Model):
    """The site log's last number: one row, whose lock makes numbers rise in the order of their commits."""

    head = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.head)


class SiteEvent(models.Model):
    """Something that changes what connections may stay open, whatever room they are in. Written by ``chat.site``."""

    class Kind(models.TextChoices):
        USER = "user", _("An account's sessions, password or standing")
        ROOM = "room", _("Who belongs to a room")

    seq = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=8, choices=Kind)
    subject = models.BigIntegerField()  # the account's or the room's primary key
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["seq"]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind} {self.subject}"


class MessageQuerySet(models.QuerySet["Message"]):
    def visible(self) -> MessageQuerySet:
        return self.filter(deleted_at=None)

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

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["mid"]
        constraints = [
            # Posting twice is posting once.
            models.UniqueConstraint(fields=["room", "author_key", "key"], name="message_key_once"),
        ]
        indexes = [
            # A room's page, newest first, without what is deleted.
            models.Index(fields=["room", "mid"], name="message_page", condition=Q(deleted_at=None)),
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

    edited_at = None


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
