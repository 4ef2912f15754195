"""What keeps order: sanctions, reports, the site's own rules, and the record of who did what."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.people import User
from chat.models.rooms import Room, RulesFields

MAX_REASON_CHARS = 300


class SanctionQuerySet(models.QuerySet["Sanction"]):
    def in_force(self, now: datetime | None = None) -> SanctionQuerySet:
        """Neither lifted nor over."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=now or timezone.now()), lifted_at=None)


class Sanction(models.Model):
    """Somebody who may not write for a while (muted), or not be there (banned): in one room, or on the whole site.

    ``subject`` is whom it holds: an author's key (``u7``, ``g…``) or ``n`` and a network's keyed hash. One against an
    account or a guest also holds for guests of the same ``network`` who are newer than it: who signs out, or clears a
    cookie, is a new guest.
    """

    class Kind(models.TextChoices):
        MUTE = "mute", _("Mute: may read, and not write")
        BAN = "ban", _("Ban: may not be there")

    class Target(models.TextChoices):
        ACCOUNT = "account", _("The account, and new guests from the same network")
        GUEST = "guest", _("The guest, and new guests from the same network")
        NETWORK = "network", _("Everybody from the network who is not a member")

    room = models.ForeignKey(Room, on_delete=models.CASCADE, null=True, blank=True, related_name="sanctions")
    kind = models.CharField(max_length=4, choices=Kind)
    target = models.CharField(max_length=8, choices=Target)
    subject = models.CharField(max_length=40)
    network = models.CharField(max_length=32, blank=True, default="")
    name = models.CharField(max_length=150)  # what they were called
    reason = models.CharField(max_length=MAX_REASON_CHARS, blank=True, default="")
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True)  # None: for good
    lifted_at = models.DateTimeField(null=True, blank=True)

    objects = SanctionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["subject"], name="sanction_subject", condition=Q(lifted_at=None)),
            models.Index(fields=["network"], name="sanction_network", condition=Q(lifted_at=None) & ~Q(network="")),
            models.Index(fields=["room", "created_at"], name="sanction_room"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {self.name}"


class Report(models.Model):
    """Somebody finds that a message should not stand. It holds no copy of the text."""

    class Reason(models.TextChoices):
        SPAM = "spam", _("Spam or advertising")
        ABUSE = "abuse", _("Insult, threat or hatred")
        PRIVACY = "privacy", _("Something private about somebody")
        ILLEGAL = "illegal", _("Something illegal")
        OTHER = "other", _("Something else")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        RESOLVED = "resolved", _("Resolved")
        DISMISSED = "dismissed", _("Dismissed")

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="reports")
    mid = models.CharField(max_length=26)
    reason = models.CharField(max_length=8, choices=Reason)
    note = models.CharField(max_length=MAX_REASON_CHARS, blank=True, default="")
    reporter_key = models.CharField(max_length=40)  # a viewer's: "n" and their network's keyed hash
    reporter_name = models.CharField(max_length=150, blank=True, default="")
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    created_at = models.DateTimeField(default=timezone.now)
    handled_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    handled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["room", "mid", "reporter_key"], name="report_once"),
        ]
        indexes = [models.Index(fields=["room", "created_at"], name="report_queue", condition=Q(state="open"))]

    def __str__(self) -> str:
        return f"{self.reason} · {self.mid}"


class AuditEntry(models.Model):
    """Who did what to whom, and why. It holds no text of a message."""

    room = models.ForeignKey(Room, on_delete=models.SET_NULL, null=True, blank=True, related_name="audit")
    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=32)
    target = models.CharField(max_length=200, blank=True, default="")  # the name of a person, a setting, a program
    mid = models.CharField(max_length=26, blank=True, default="")
    reason = models.CharField(max_length=MAX_REASON_CHARS, blank=True, default="")
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name_plural = _("audit entries")
        indexes = [models.Index(fields=["room", "-at"], name="audit_room")]

    def __str__(self) -> str:
        return f"{self.actor_name} · {self.action} · {self.target}"


class SiteRules(RulesFields):
    """What is caught in every room: one row."""

    class Meta:
        verbose_name = verbose_name_plural = _("site rules")

    def __str__(self) -> str:
        return str(_("Rules of the whole site"))
