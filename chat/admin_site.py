"""The admin's front page: in the order in which an operator needs things, with how many of them wait."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from chat import guessing
from chat.models import HeldMessage, Report, Sanction
from chat.signing_in import AdminSignInForm

# Models by name: what asks for something first, what is only looked up last.
ORDER = (
    "Report",
    "HeldMessage",
    "Sanction",
    "Room",
    "User",
    "Message",
    "SiteRules",
    "AuditEntry",
    "Invitation",
    "ApiToken",
    "ViewToken",
    "Webhook",
    "Group",
)


class SiteAdministration(admin.AdminSite):
    site_header = site_title = _("Engawa administration")
    index_title = _("What waits, and what there is")
    index_template = "admin/engawa_index.html"
    login_form = AdminSignInForm

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        apps = super().get_app_list(request, app_label)
        for app in apps:
            app["models"].sort(key=lambda model: _place(model["object_name"]))
        return sorted(apps, key=lambda app: min(_place(model["object_name"]) for model in app["models"]))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().login(request, extra_context)
        if request.method == "POST" and response.status_code == 302 and request.user.is_authenticated:
            guessing.remember(request, response)
        return response

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().index(request, {"waiting": self._waiting(request), **(extra_context or {})})

    def _waiting(self, request: HttpRequest) -> list[dict[str, Any]]:
        """What there is to do, of what this person may see: counted by the queues' own indexes."""
        waits = (
            (
                Report,
                Report.objects.filter(state=Report.State.OPEN),
                ngettext_lazy("%(count)s open report", "%(count)s open reports", "count"),
                "?state=open",
            ),
            (
                HeldMessage,
                HeldMessage.objects.filter(state=HeldMessage.State.WAITING),
                ngettext_lazy("%(count)s held message", "%(count)s held messages", "count"),
                "",
            ),
            (
                Sanction,
                Sanction.objects.in_force().filter(room=None),
                ngettext_lazy("%(count)s sanction of the whole site", "%(count)s sanctions of the whole site", "count"),
                "?room=site",
            ),
        )
        return [
            {"label": label % {"count": found.count()}, "url": self._list_of(model) + query}
            for model, found, label, query in waits
            if self._registry[model].has_view_permission(request)
        ]

    def _list_of(self, model: type[Model]) -> str:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist", current_app=self.name)


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)
