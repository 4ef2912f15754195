"""Rooms as their owners have set them up, who belongs to them, and under what name others take part."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.filters import Rules, check_words
from chat.identity import Identity
from chat.models.people import User
from chat.text import MAX_SLUG_CHARS, check_embed_origins

MAX_SLOW_SECONDS = 6 * 3600
MAX_ACCOUNT_AGE_HOURS = 365 * 24
MAX_RETENTION_DAYS = 100 * 365


class RulesFields(models.Model):
    """What is caught before it is said, and what then happens to it. A room has these, and so has the site."""

    class Catch(models.TextChoices):
        ALLOW = "allow", _("Allow")
        HOLD = "hold", _("Hold until a moderator approves")
        REFUSE = "refuse", _("Refuse, and say why")

    blocked_words = models.TextField(
        _("blocked words"),
        blank=True,
        default="",
        validators=[check_words],
        help_text=_("One on each line. * stands for any letters. They count in nicknames as well."),
    )
    on_words = models.CharField(_("blocked words"), max_length=8, choices=Catch, default=Catch.REFUSE)
    on_links = models.CharField(_("links"), max_length=8, choices=Catch, default=Catch.ALLOW)
    on_repeats = models.CharField(_("repeats"), max_length=8, choices=Catch, default=Catch.ALLOW)
    on_shouting = models.CharField(_("shouting"), max_length=8, choices=Catch, default=Catch.ALLOW)

    class Meta:
        abstract = True

    @property
    def rules(self) -> Rules:
        return Rules(self.blocked_words, self.on_words, self.on_links, self.on_repeats, self.on_shouting)


class RoomQuerySet(models.QuerySet["Room"]):
    def there(self) -> RoomQuerySet:
        """All but those that were deleted, of which a tombstone keeps the address."""
        return self.filter(deleted_at=None)

    def indexed(self) -> RoomQuerySet:
        """Those that search engines may list, as ``policies.may_be_indexed`` says of one."""
        return self.there().filter(is_indexed=True, visibility=Room.Visibility.PUBLIC)

    def listed_for(self, actor: Identity | None) -> RoomQuerySet:
        """Public rooms, and those of which ``actor`` is a member."""
        listed = Q(visibility=Room.Visibility.PUBLIC)
        if actor is not None and actor.user_id is not None:
            listed |= Q(pk__in=Membership.objects.filter(user_id=actor.user_id).values("room_id"))
        return self.there().filter(listed)


class Room(RulesFields):
    class Visibility(models.TextChoices):
        PUBLIC = "public", _("Public: listed, and anyone may watch")
        UNLISTED = "unlisted", _("Unlisted: anyone who knows the address may watch")
        PRIVATE = "private", _("Private: members only")

    class Posting(models.TextChoices):
        EVERYONE = "everyone", _("Everyone")
        SIGNED_IN = "signed-in", _("Everyone with an account")
        MEMBERS = "members", _("Members")
        MODERATORS = "moderators", _("Moderators: the others read")

    class Approval(models.TextChoices):
        NOBODY = "nobody", _("Nobody's")
        GUESTS = "guests", _("Guests'")
        NEWCOMERS = "newcomers", _("Everybody's who is not a member")

    slug = models.CharField(max_length=MAX_SLUG_CHARS, unique=True, editable=False)
    title = models.CharField(_("title"), max_length=200)
    topic = models.CharField(_("topic"), max_length=500, blank=True)
    language = models.CharField(
        _("language"),
        max_length=35,
        blank=True,
        default="",
        validators=[RegexValidator(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")],
        help_text=_("As in en, ja or zh-Hant."),
    )
    visibility = models.CharField(_("who may read"), max_length=10, choices=Visibility, default=Visibility.PUBLIC)
    posting = models.CharField(_("who may post"), max_length=10, choices=Posting, default=Posting.EVERYONE)
    approval = models.CharField(
        _("whose messages wait for approval"), max_length=10, choices=Approval, default=Approval.NOBODY
    )
    slow_seconds = models.PositiveIntegerField(
        _("seconds between two messages of one person"), default=0, validators=[MaxValueValidator(MAX_SLOW_SECONDS)]
    )
    account_age_hours = models.PositiveIntegerField(
        _("hours an account must be old"), default=0, validators=[MaxValueValidator(MAX_ACCOUNT_AGE_HOURS)]
    )
    shows_names = models.BooleanField(_("show who is here, not only how many"), default=False)
    shows_typing = models.BooleanField(_("show who is typing"), default=False)
    is_indexed = models.BooleanField(_("search engines may list it"), default=False)
    retention_days = models.PositiveIntegerField(
        _("days for which messages are kept"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_RETENTION_DAYS)],
        help_text=_("Nothing: for ever."),
    )
    embed_origins = models.TextField(
        _("sites that may frame it"),
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
    said = models.BigIntegerField(default=0, editable=False)  # the number of its last message
    # What was said up to this message, while the room was private, only members may read.
    sealed_mid = models.CharField(max_length=26, default="", blank=True, editable=False)
    # The newest message that is gone because the room keeps none so long.
    expired_mid = models.CharField(max_length=26, default="", blank=True, editable=False)
    pinned_mid = models.CharField(max_length=26, default="", blank=True, editable=False)
    has_held = models.BooleanField(default=False, editable=False)  # whether any message was ever held back here
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

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


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def in_force(self) -> InvitationQuerySet:
        """Neither over nor revoked nor used up, and made by somebody who could make it now."""
        theirs = Membership.objects.filter(room=models.OuterRef("room"), user=models.OuterRef("created_by"))
        return self.filter(
            Q(most_uses=None) | Q(uses__lt=models.F("most_uses")),
            models.Exists(theirs.filter(role=Membership.Role.OWNER))
            | (Q(role=Membership.Role.MEMBER) & models.Exists(theirs.filter(role=Membership.Role.MODERATOR))),
            created_by__is_active=True,
            revoked_at=None,
            expires_at__gt=timezone.now(),
        )


class Invitation(models.Model):
    """A link that makes whoever follows it a member. The link itself is kept nowhere, only its hash."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="invitations")
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    role = models.CharField(max_length=10, choices=Membership.Role, default=Membership.Role.MEMBER)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    most_uses = models.PositiveIntegerField(null=True, blank=True)  # None: any number
    uses = models.PositiveIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.room} · {self.role} · {self.expires_at:%Y-%m-%d %H:%M}"


class Participant(models.Model):
    """What must be known of somebody in a room before their next message, kept only where the room asks for it.

    ``skeleton`` is what a guest's nickname looks like, theirs for some time after ``seen_at``; ``posted_at`` is when
    they last spoke in a room with slow mode; ``fingerprints`` are those of their last messages, newest last,
    separated by spaces, where repeats are caught.
    """

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="participants")
    author_key = models.CharField(max_length=40)
    skeleton = models.CharField(max_length=300, blank=True, default="")
    seen_at = models.DateTimeField(null=True)
    posted_at = models.DateTimeField(null=True)
    fingerprints = models.CharField(max_length=400, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "author_key"], name="participant_once")]
        indexes = [models.Index(fields=["room", "skeleton"], name="participant_name", condition=~Q(skeleton=""))]

    def __str__(self) -> str:
        return self.author_key


class ReadMark(models.Model):
    """How far somebody with an account has read a room: up to the message ``mid``, the room's ``number``-th."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="read_marks")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="read_marks")
    mid = models.CharField(max_length=26, blank=True, default="")
    number = models.BigIntegerField(default=0)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "room"], name="read_mark_once")]

    def __str__(self) -> str:
        return f"{self.user} · {self.room} · {self.number}"


class Headcount(models.Model):
    """How many people one process has in a room, as it said last; nobody's word is taken for longer than until
    ``until``."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="headcounts")
    process = models.CharField(max_length=32)
    participants = models.PositiveIntegerField(default=0)
    viewers = models.PositiveIntegerField(default=0)
    until = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "process"], name="headcount_once")]

    def __str__(self) -> str:
        return f"{self.room} · {self.participants} + {self.viewers}"
