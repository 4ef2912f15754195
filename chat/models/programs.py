"""Programs that take part in a room: those that call us, those that we call, and those that only read."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q
from django.utils import timezone

from chat.identity import Identity
from chat.models.people import User
from chat.models.rooms import Room


class TokenQuerySet(models.QuerySet["Token"]):
    def in_force(self) -> TokenQuerySet:
        """Neither revoked nor over."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)


class Token(models.Model):
    """A secret that is good for something in one room. The secret itself is kept nowhere, only its hash."""

    name = models.CharField(max_length=64)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=8, editable=False)  # its first characters, to tell it from others
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = TokenQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"


class ApiToken(Token):
    """What lets a program act in one room, as the bot ``name``.

    ``scopes`` are words separated by spaces: ``read``, ``post`` and ``delete`` (anybody's messages).
    """

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="tokens")
    scopes = models.CharField(max_length=64)

    @property
    def identity(self) -> Identity:
        return Identity(
            key=f"b{self.pk}",
            name=self.name,
            kind="bot",
            room_id=self.room_id,
            scopes=frozenset(self.scopes.split()),
            since=self.created_at.timestamp(),
        )


class ViewToken(Token):
    """What lets whoever has it read one room, a private one too, and nothing else: until ``expires_at``, which it
    always has. ``name`` says to the room's owner whom it was given to."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="view_tokens")
    expires_at = models.DateTimeField()


class Webhook(models.Model):
    """An address that is told of a room's new, edited and deleted messages.

    It follows the room's log by a number of its own, ``position``, so that nothing is lost while it, or we, are away.
    """

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="webhooks")
    url = models.URLField(max_length=500)
    secret = models.CharField(max_length=64, editable=False)  # what its requests are signed with
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    position = models.BigIntegerField(default=0, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)  # in a row
    last_status = models.CharField(max_length=100, blank=True, default="", editable=False)
    last_success_at = models.DateTimeField(null=True, blank=True, editable=False)
    next_at = models.DateTimeField(default=timezone.now, editable=False)  # not asked before
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)  # by the process that delivers
    disabled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["next_at"], name="webhook_due", condition=Q(disabled_at=None))]

    def __str__(self) -> str:
        return urlsplit(self.url).netloc.rpartition("@")[2]  # what comes after it may be a secret
