"""The messages of all rooms that wait for approval."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from chat import review
from chat.admin.parts import ReadOnlyAdmin, RoomFilter, WaitingFilter, for_each
from chat.models import HeldMessage


class HeldStateFilter(WaitingFilter):
    waiting, states = HeldMessage.State.WAITING, HeldMessage.State.choices


@admin.register(HeldMessage)
class HeldMessageAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "excerpt", "author_name", "caught_by", "room", "state"]
    list_filter = [HeldStateFilter, "caught_by", RoomFilter]
    list_select_related = ["room"]
    search_fields = ["text", "author_name", "room__slug"]
    date_hierarchy = "created_at"
    fields = [
        "room",
        "created_at",
        "author_name",
        "author_kind",
        "caught_by",
        "text",
        "state",
        "handled_by",
        "handled_at",
    ]
    actions = ["approve", "reject"]

    @admin.display(description=_("text"))
    def excerpt(self, held: HeldMessage) -> str:
        return held.text[:120]

    @admin.action(description=_("Approve the selected messages: they are said now"), permissions=["act"])
    def approve(self, request: HttpRequest, queryset: QuerySet[HeldMessage]) -> None:
        waiting = queryset.filter(state=HeldMessage.State.WAITING).order_by("pk")
        done = ngettext_lazy("%(count)s message approved.", "%(count)s messages approved.", "count")
        for_each(self, request, waiting, lambda held: review.approve(None, held.room_id, held.pk), done)

    @admin.action(description=_("Reject the selected messages"), permissions=["act"])
    def reject(self, request: HttpRequest, queryset: QuerySet[HeldMessage]) -> None:
        waiting = queryset.filter(state=HeldMessage.State.WAITING).order_by("pk")
        done = ngettext_lazy("%(count)s message rejected.", "%(count)s messages rejected.", "count")
        for_each(self, request, waiting, lambda held: review.reject(None, held.room_id, held.pk), done)
