"""What lets others in: invitations, tokens of programs and of viewers, and the addresses that we call."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from chat import administration
from chat.admin.parts import ReadOnlyAdmin, RoomFilter, ask_first, for_each
from chat.models import ApiToken, Invitation, ViewToken, Webhook


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "room", "role", "created_by", "uses", "most_uses", "expires_at", "revoked_at"]
    list_filter = ["role", ("revoked_at", admin.EmptyFieldListFilter), RoomFilter]
    list_select_related = ["room", "created_by"]
    search_fields = ["room__slug", "created_by__username"]
    fields = ["room", "role", "created_by", "created_at", "expires_at", "uses", "most_uses", "revoked_at"]
    actions = ["revoke"]

    @admin.action(description=_("Revoke the selected invitations"), permissions=["act"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> HttpResponse | None:
        question = _("Revoke these invitations?")
        warning = _("Nobody can follow them any more. Who has followed one stays a member.")
        if page := ask_first(self, request, queryset, question=question, warning=warning):
            return page
        done = ngettext_lazy("%(count)s invitation revoked.", "%(count)s invitations revoked.", "count")
        for_each(self, request, queryset, administration.revoke_invitation, done)
        return None


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    list_display = ["name", "room", "scopes", "created_by", "created_at", "last_used_at", "expires_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter), RoomFilter]
    list_select_related = ["room", "created_by"]
    search_fields = ["name", "room__slug", "created_by__username"]
    fields = list_display
    actions = ["revoke"]

    @admin.action(description=_("Revoke the selected tokens"), permissions=["act"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> HttpResponse | None:
        question = _("Revoke these tokens?")
        warning = _("The programs that have them are let in no more. What they said stays.")
        if page := ask_first(self, request, queryset, question=question, warning=warning):
            return page
        done = ngettext_lazy("%(count)s token revoked.", "%(count)s tokens revoked.", "count")
        for_each(self, request, queryset, administration.revoke_token, done)
        return None


@admin.register(ViewToken)
class ViewTokenAdmin(ReadOnlyAdmin):
    list_display = ["name", "room", "created_by", "created_at", "last_used_at", "expires_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter), RoomFilter]
    list_select_related = ["room", "created_by"]
    search_fields = ["name", "room__slug", "created_by__username"]
    fields = list_display
    actions = ["revoke"]

    @admin.action(description=_("Revoke the selected view tokens"), permissions=["act"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ViewToken]) -> HttpResponse | None:
        question = _("Revoke these view tokens?")
        warning = _("Whoever reads a private room by one is let go at once.")
        if page := ask_first(self, request, queryset, question=question, warning=warning):
            return page
        done = ngettext_lazy("%(count)s view token revoked.", "%(count)s view tokens revoked.", "count")
        for_each(self, request, queryset, administration.revoke_view_token, done)
        return None


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    list_display = [
        "host",
        "room",
        "created_by",
        "created_at",
        "last_success_at",
        "last_status",
        "failures",
        "disabled_at",
    ]
    list_filter = [("disabled_at", admin.EmptyFieldListFilter), RoomFilter]
    list_select_related = ["room", "created_by"]
    search_fields = ["room__slug", "created_by__username"]
    fields = list_display
    actions = ["disable"]

    @admin.display(description=_("host"))
    def host(self, webhook: Webhook) -> str:
        return str(webhook)

    @admin.action(description=_("Disable the selected webhooks"), permissions=["act"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> HttpResponse | None:
        question = _("Disable these webhooks?")
        warning = _("They are called no more.")
        if page := ask_first(self, request, queryset, question=question, warning=warning):
            return page
        done = ngettext_lazy("%(count)s webhook disabled.", "%(count)s webhooks disabled.", "count")
        for_each(self, request, queryset, administration.disable_webhook, done)
        return None
