"""Messages: looked up, and deleted everywhere."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from chat import actions
from chat.admin.parts import ReadOnlyAdmin, RoomFilter, ask_first, for_each
from chat.errors import MessageNotFound
from chat.models import Message


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "room", "author_name", "excerpt", "edited_at", "hidden_at", "deleted_at"]
    list_filter = [
        RoomFilter,
        "author_kind",
        ("deleted_at", admin.EmptyFieldListFilter),
        ("hidden_at", admin.EmptyFieldListFilter),
    ]
    search_fields = ["text", "author_name", "=mid", "=author_key"]
    list_select_related = ["room"]
    date_hierarchy = "created_at"
    ordering = ["-mid"]
    fields = [
        "mid",
        "room",
        "author_name",
        "author_kind",
        "author_role",
        "author_key",
        "text",
        "reply_to",
        "created_at",
        "edited_at",
        "hidden_at",
        "deleted_at",
    ]
    actions = ["delete_everywhere"]

    def has_delete_everywhere_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.delete_message")

    @admin.display(description=_("text"))
    def excerpt(self, message: Message) -> str:
        return message.text[:80]

    @admin.action(description=_("Delete the selected messages everywhere"), permissions=["delete_everywhere"])
    def delete_everywhere(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponse | None:
        there = queryset.filter(deleted_at=None)
        if page := ask_first(
            self,
            request,
            there,
            question=_("Delete these messages everywhere?"),
            warning=_("Their texts go from every row, log and screen, and cannot be brought back."),
        ):
            return page
        done = ngettext_lazy("%(count)s message deleted everywhere.", "%(count)s messages deleted everywhere.", "count")
        for_each(self, request, there.order_by("mid"), _remove, done)
        return None


def _remove(message: Message) -> bool:
    try:
        actions.remove(message.room_id, message.mid)
    except MessageNotFound:
        return False  # somebody else was faster
    return True
