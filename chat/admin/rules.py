"""What is caught in every room: one row, made once and changed from then on."""

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from chat import audit
from chat.models import SiteRules


@admin.register(SiteRules)
class SiteRulesAdmin(admin.ModelAdmin):
    fields = ["blocked_words", "on_words", "on_links", "on_repeats", "on_shouting"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not SiteRules.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: SiteRules | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is nothing to choose from."""
        found = SiteRules.objects.first()
        if found is not None and self.has_view_or_change_permission(request):
            return HttpResponseRedirect(reverse("admin:chat_siterules_change", args=[found.pk]))
        return super().changelist_view(request, extra_context)

    def save_model(self, request: HttpRequest, obj: SiteRules, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        for name in form.changed_data:
            # A list of words need not be repeated in the audit log.
            details = {} if name == "blocked_words" else {"from": form.initial.get(name), "to": getattr(obj, name)}
            audit.record(None, None, "site_rules", name, **details)
