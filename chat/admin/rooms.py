"""Rooms: how they are set up, who belongs to them, and when they end. All of it through ``chat.governing``."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Func, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from chat import governing
from chat.admin.parts import ask_first, for_each, link_to_list
from chat.admin.room_forms import MembershipInline, RoomForm
from chat.models import (
    ApiToken,
    AuditEntry,
    HeldMessage,
    Invitation,
    Membership,
    Message,
    Report,
    Room,
    Sanction,
    ViewToken,
    Webhook,
)

_RANKS = [Membership.Role.OWNER, Membership.Role.MODERATOR, Membership.Role.MEMBER]


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, object]]:
        return [("there", _("In use")), ("archived", _("Archived")), ("deleted", _("Deleted"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Room]) -> QuerySet[Room]:
        match self.value():
            case "there":
                return queryset.filter(deleted_at=None, archived_at=None)
            case "archived":
                return queryset.filter(deleted_at=None).exclude(archived_at=None)
            case "deleted":
                return queryset.exclude(deleted_at=None)
        return queryset


def _how_many(found: QuerySet) -> Coalesce:
    """How many of ``found`` belong to the room of a row. Each has an index that begins with its room."""
    theirs = found.filter(room=OuterRef("pk")).order_by().annotate(how_many=Func("pk", function="COUNT"))
    return Coalesce(Subquery(theirs.values("how_many"), output_field=IntegerField()), 0)


@admin.register(Room)
class RoomAdmin(admin.ModelAdmin):
    form = RoomForm
    list_display = ["slug", "title", "visibility", "state", "members", "reports", "waiting", "banned", "created_at"]
    list_filter = [StateFilter, "visibility", "posting"]
    list_per_page = 50
    search_fields = ["slug", "title", "topic"]
    readonly_fields = ["slug", "page", "state", "more", "said", "head", "floor", "created_at"]
    fieldsets = [
        (None, {"fields": ["slug", "page", "state", "more"]}),
        (_("What it is"), {"fields": ["title", "topic", "language"]}),
        (
            _("Who may do what"),
            {
                "fields": [
                    "visibility",
                    "posting",
                    "approval",
                    "slow_seconds",
                    "account_age_hours",
                    "shows_names",
                    "shows_typing",
                ]
            },
        ),
        (_("Filters"), {"fields": ["blocked_words", "on_words", "on_links", "on_repeats", "on_shouting"]}),
        (_("Elsewhere, and for how long"), {"fields": ["is_indexed", "embed_origins", "retention_days"]}),
        (_("Its log"), {"fields": ["said", "head", "floor", "created_at"]}),
    ]
    inlines = [MembershipInline]
    actions = ["archive", "reopen", "delete_rooms"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a room is made by entering it, or by manage.py create_room, which gives it an owner

    def has_change_permission(self, request: HttpRequest, obj: Room | None = None) -> bool:
        return (obj is None or obj.deleted_at is None) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Room | None = None) -> bool:
        return False  # of the row: its address must never lead to another room

    def has_delete_rooms_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.delete_room")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Room]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                members=_how_many(Membership.objects.all()),
                open_reports=_how_many(Report.objects.filter(state=Report.State.OPEN)),
                waiting_held=_how_many(HeldMessage.objects.filter(state=HeldMessage.State.WAITING)),
                sanctions_here=_how_many(Sanction.objects.in_force()),
            )
        )

    def save_model(self, request: HttpRequest, obj: Room, form: forms.ModelForm, change: bool) -> None:
        # Nothing but what was changed: what the log owns, and what others set, may have moved since the form was shown.
        governing.change_room(None, obj.pk, {name: form.cleaned_data[name] for name in form.changed_data})

    def save_formset(self, request: HttpRequest, form: Any, formset: BaseInlineFormSet, change: bool) -> None:
        # Owners first, so that one can take another's place; then who leaves.
        for membership in sorted(formset.save(commit=False), key=lambda each: _RANKS.index(each.role)):
            governing.set_role(None, form.instance.pk, membership.user.username, membership.role)
        for membership in formset.deleted_objects:
            governing.set_role(None, form.instance.pk, membership.user.username, None)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        # Of the room alone: who was given which role is in the audit log, out of which a person can be erased.
        return super().construct_change_message(request, form, [], add)

    @admin.display(description=_("state"))
    def state(self, room: Room) -> object:
        if room.deleted_at is not None:
            return _("deleted")
        return _("in use") if room.archived_at is None else _("archived")

    @admin.display(description=_("members"), ordering="members")
    def members(self, room: Room) -> int:
        return room.members

    @admin.display(description=_("open reports"), ordering="open_reports")
    def reports(self, room: Room) -> object:
        return link_to_list(Report, room.open_reports, room=room.pk, state="open") if room.open_reports else 0

    @admin.display(description=_("held"), ordering="waiting_held")
    def waiting(self, room: Room) -> object:
        return link_to_list(HeldMessage, room.waiting_held, room=room.pk) if room.waiting_held else 0

    @admin.display(description=_("sanctions"), ordering="sanctions_here")
    def banned(self, room: Room) -> object:
        return link_to_list(Sanction, room.sanctions_here, room=room.pk) if room.sanctions_here else 0

    @admin.display(description=_("page"))
    def page(self, room: Room) -> SafeString:
        return format_html('<a href="{0}">{0}</a>', reverse("chat:room", args=[room.slug]))

    @admin.display(description=_("messages"))
    def said(self, room: Room) -> int:
        return Message.objects.filter(room=room).visible().aggregate(Count("pk"))["pk__count"]

    @admin.display(description=_("of this room"))
    def more(self, room: Room) -> SafeString:
        lists = (Report, HeldMessage, Sanction, AuditEntry, Message, Invitation, ApiToken, ViewToken, Webhook)
        links = [(link_to_list(model, model._meta.verbose_name_plural, room=room.pk),) for model in lists]
        return format_html_join(" · ", "{}", links)

    @admin.action(description=_("Archive the selected rooms"), permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Room]) -> HttpResponse | None:
        if page := ask_first(
            self,
            request,
            queryset,
            question=_("Archive these rooms?"),
            warning=_("They can be read, and nothing more can be said in them until they are reopened."),
        ):
            return page
        done = ngettext_lazy("%(count)s room archived.", "%(count)s rooms archived.", "count")
        for_each(self, request, queryset, lambda room: governing.archive(None, room.pk), done)
        return None

    @admin.action(description=_("Reopen the selected rooms"), permissions=["change"])
    def reopen(self, request: HttpRequest, queryset: QuerySet[Room]) -> HttpResponse | None:
        if page := ask_first(
            self,
            request,
            queryset,
            question=_("Reopen these rooms?"),
            warning=_("What can be said in them is again what their settings allow."),
        ):
            return page
        done = ngettext_lazy("%(count)s room reopened.", "%(count)s rooms reopened.", "count")
        for_each(self, request, queryset, lambda room: governing.reopen(None, room.pk), done)
        return None

    @admin.action(description=_("Delete the selected rooms for good"), permissions=["delete_rooms"])
    def delete_rooms(self, request: HttpRequest, queryset: QuerySet[Room]) -> HttpResponse | None:
        if page := ask_first(
            self,
            request,
            queryset,
            question=_("Delete these rooms for good?"),
            warning=_(
                "All that was said in them goes, with their members, links and programs. It cannot be brought back, "
                "and their addresses lead nowhere again."
            ),
        ):
            return page
        done = ngettext_lazy("%(count)s room deleted.", "%(count)s rooms deleted.", "count")
        for_each(self, request, queryset, lambda room: governing.delete_room(None, room.pk), done)
        return None
