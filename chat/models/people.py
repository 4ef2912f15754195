"""Accounts, and the guests that some of them were before."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.core.validators import MaxValueValidator
from django.db import models

from chat.hues import HUES
from chat.identity import Identity
from chat.lookalike import skeleton


class User(AbstractUser):
    """An account. Django's own, under a name of ours so that it can grow."""

    # What the name looks like (``chat.lookalike``): nobody else may be called something that looks the same.
    skeleton = models.CharField(max_length=300, blank=True, default="", editable=False, db_index=True)
    # The keys of their FormerGuest rows, separated by spaces: here, so that who somebody is takes one row to read.
    former_keys = models.CharField(max_length=400, blank=True, default="", editable=False)
    language = models.CharField(max_length=10, blank=True, default="")  # chosen; empty: as the browser has it
    hue = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(HUES - 1)])  # chosen

    def save(self, *args: object, **kwargs: object) -> None:
        self.skeleton = skeleton(self.username)[:300]
        if (fields := kwargs.get("update_fields")) is not None and "username" in fields:
            kwargs["update_fields"] = {*fields, "skeleton"}
        super().save(*args, **kwargs)

    @property
    def identity(self) -> Identity:
        return Identity(
            key=f"u{self.pk}",
            name=self.username,
            kind="user",
            user_id=self.pk,
            is_staff=self.is_staff,
            former=tuple(self.former_keys.split()),
            since=self.date_joined.timestamp(),
            hue=self.hue,
        )


class FormerGuest(models.Model):
    """Who somebody was before they signed up: their messages as that guest are theirs."""

    key = models.CharField(max_length=40, primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="former_guests")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.key


class OutsideIdentity(models.Model):
    """Who somebody is at a provider of accounts (OpenID Connect), and which account that opens here."""

    issuer = models.CharField(max_length=300)
    subject = models.CharField(max_length=255)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="outside_identities")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="outside_identity_once")]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"
