"""Accounts: suspended and restored, and what they said deleted everywhere."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from chat import administration
from chat.admin.parts import ask_first, for_each, link_to
from chat.models import Membership, User

MOST_ROOMS = 100


@admin.register(User)
class PersonAdmin(UserAdmin):
    list_display = ["username", "email", "is_active", "is_staff", "in_rooms", "date_joined", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser", "groups"]
    list_per_page = 50
    show_full_result_count = False
    ordering = ["username"]
    date_hierarchy = "date_joined"
    readonly_fields = ["password_link", "rooms", "last_login", "date_joined"]
    fieldsets = [
        # Django's own page shows what the password's hash begins with.
        (None, {"fields": ["username", "password_link", "is_active"]}),
        (_("Rooms"), {"fields": ["rooms"]}),
        (_("Personal info"), {"fields": ["first_name", "last_name", "email"]}),
        (_("Permissions"), {"fields": ["is_staff", "is_superuser", "groups", "user_permissions"]}),
        (_("Important dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    actions = ["suspend", "restore", "delete_recent"]

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # of the row: manage.py erase sees to what they said and had as well

    def has_delete_recent_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.delete_message")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).annotate(rooms_count=Count("memberships"))

    @admin.display(description=_("rooms"), ordering="rooms_count")
    def in_rooms(self, user: User) -> int:
        return user.rooms_count

    @admin.display(description=_("password"))
    def password_link(self, user: User) -> SafeString:
        url = reverse("admin:auth_user_password_change", args=[user.pk])
        return format_html('<a href="{}">{}</a>', url, _("Set another one"))

    @admin.display(description=_("rooms"))
    def rooms(self, user: User) -> Any:
        theirs = Membership.objects.filter(user=user).select_related("room").order_by("room__slug")[:MOST_ROOMS]
        return (
            format_html_join(", ", "{} ({})", [(link_to(each.room), each.get_role_display()) for each in theirs]) or "–"
        )

    @admin.action(description=_("Suspend the selected accounts everywhere"), permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        others = queryset.exclude(pk=request.user.pk)
        question = _("Suspend these accounts everywhere?")
        warning = _("They are signed out at once, on every page they have open, and cannot sign in until restored.")
        if page := ask_first(self, request, others, question=question, warning=warning):
            return page
        done = ngettext_lazy("%(count)s account suspended.", "%(count)s accounts suspended.", "count")
        for_each(self, request, others, lambda user: administration.suspend(user.pk), done)
        return None

    @admin.action(description=_("Restore the selected accounts"), permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        done = ngettext_lazy("%(count)s account restored.", "%(count)s accounts restored.", "count")
        for_each(self, request, queryset, lambda user: administration.restore(user.pk), done)

    @admin.action(description=_("Delete what they said in the last 24 hours"), permissions=["delete_recent"])
    def delete_recent(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        question = _("Delete what these accounts said in the last 24 hours?")
        warning = _("In every room, from every row, log and screen. It cannot be brought back.")
        if page := ask_first(self, request, queryset, question=question, warning=warning):
            return page
        deleted = 0
        for user in queryset:
            count = administration.delete_recent(user)
            deleted += count
            self.log_change(request, user, f"{count} messages deleted everywhere.")
        done = ngettext_lazy("%(count)s message deleted everywhere.", "%(count)s messages deleted everywhere.", "count")
        self.message_user(request, done % {"count": deleted})
        return None
