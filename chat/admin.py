"""Django's admin for rooms, messages and people.

What others must hear of goes through the same actions as everywhere, so that a text deleted here is gone from
every log and screen as well.
"""

from contextlib import suppress

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from chat import actions, governing
from chat.errors import MessageNotFound
from chat.models import Membership, Message, Room, User


class MembershipInline(admin.TabularInline):
    model = Membership
    autocomplete_fields = ["user"]
    extra = 0


@admin.register(Room)
class RoomAdmin(admin.ModelAdmin):
    list_display = ["slug", "title", "visibility", "head", "created_at"]
    list_filter = ["visibility"]
    search_fields = ["slug", "title", "topic"]
    fields = ["slug", "title", "topic", "visibility", "embed_origins", "head", "floor", "created_at"]
    readonly_fields = ["slug", "head", "floor", "created_at"]
    inlines = [MembershipInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a room is made by entering it, which gives it an owner

    def has_delete_permission(self, request: HttpRequest, obj: Room | None = None) -> bool:
        return False  # its address must never lead to another room

    def save_model(self, request: HttpRequest, obj: Room, form: object, change: bool) -> None:
        # Never save what the log owns (head, floor): it may have moved since the form was shown.
        Room.objects.filter(pk=obj.pk).update(title=obj.title, topic=obj.topic, embed_origins=obj.embed_origins)
        governing.change_room(None, obj.pk, {"visibility": obj.visibility})


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    list_display = ["created_at", "room", "author_name", "excerpt", "edited_at", "deleted_at"]
    list_filter = ["author_kind", ("deleted_at", admin.EmptyFieldListFilter), "room"]
    search_fields = ["text", "author_name", "mid"]
    list_select_related = ["room"]
    date_hierarchy = "created_at"
    ordering = ["-mid"]
    fields = [
        "mid",
        "room",
        "author_name",
        "author_kind",
        "author_role",
        "text",
        "created_at",
        "edited_at",
        "deleted_at",
    ]
    actions = ["delete_everywhere"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False  # of the row: its text goes by the action below, and its key stays used

    def has_delete_everywhere_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.delete_message")

    @admin.display(description="text")
    def excerpt(self, message: Message) -> str:
        return message.text[:80]

    @admin.action(description="Delete the selected messages everywhere", permissions=["delete_everywhere"])
    def delete_everywhere(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        deleted = 0
        for room_id, mid in list(queryset.filter(deleted_at=None).values_list("room_id", "mid")):
            with suppress(MessageNotFound):  # somebody else was faster
                actions.remove(room_id, mid)
                deleted += 1
        self.message_user(request, f"{deleted} messages deleted everywhere.", messages.SUCCESS)


admin.site.register(User, UserAdmin)
