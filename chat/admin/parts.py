"""What the pages of the admin share: reading without changing, one filter by room, confirming, reporting back."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from chat.errors import ChatError
from chat.models import Room

MOST_NAMED = 50  # things that a question names one by one


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows to look at. What can be done about them are actions, each with a permission of its own."""

    list_per_page = 50
    show_full_result_count = False  # counting a large table takes as long as reading it

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def log_addition(self, request: HttpRequest, obj: Model, message: object) -> LogEntry:
        return _nameless(super().log_addition(request, obj, message))

    def log_change(self, request: HttpRequest, obj: Model, message: object) -> LogEntry:
        return _nameless(super().log_change(request, obj, message))

    def has_act_permission(self, request: HttpRequest) -> bool:
        """For actions: whoever may change such a thing."""
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")


def _nameless(entry: LogEntry) -> LogEntry:
    """An entry of the admin's history, which is kept for good, without the names of those whom it was about."""
    entry.object_repr = f"{entry.content_type.model} {entry.object_id}"
    entry.save(update_fields=["object_repr"])
    return entry


class RoomFilter(admin.SimpleListFilter):
    """By room, as pages of rooms link to it: a list of all rooms would have no end."""

    title = _("room")
    parameter_name = "room"
    field = "room"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        choices = []
        if model_admin.model._meta.get_field(self.field).null:
            choices = [("site", _("The whole site")), ("rooms", _("A room"))]
        if (pk := self._pk()) is not None:
            slug = Room.objects.filter(pk=pk).values_list("slug", flat=True).first()
            choices.append((str(pk), slug or "–"))
        return choices

    def has_output(self) -> bool:
        return bool(self.lookup_choices)

    def _pk(self) -> int | None:
        value = self.value()
        return int(value) if value and value.isascii() and value.isdecimal() and len(value) < 19 else None

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if (pk := self._pk()) is not None:
            return queryset.filter(**{self.field: pk})
        match self.value():
            case "site":
                return queryset.filter(**{f"{self.field}__isnull": True})
            case "rooms":
                return queryset.filter(**{f"{self.field}__isnull": False})
        return queryset


class WaitingFilter(admin.SimpleListFilter):
    """What waits, unless all are asked for."""

    title = _("state")
    parameter_name = "state"
    waiting: str
    states: list[tuple[str, object]]

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, object]]:
        return [("all", _("All")), *(state for state in self.states if state[0] != self.waiting)]

    def choices(self, changelist: Any) -> Any:
        first, *rest = super().choices(changelist)
        return [{**first, "display": dict(self.states)[self.waiting]}, *rest]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value()
        return queryset if value == "all" else queryset.filter(state=value or self.waiting)


def link_to_list(model: type[Model], text: object, **query: object) -> SafeString:
    """A link to the list of ``model``, filtered."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    parameters = "&".join(f"{name}={value}" for name, value in query.items())
    return format_html('<a href="{}?{}">{}</a>', url, parameters, text)


def link_to(thing: Model, text: object = None) -> SafeString:
    """A link to a thing's own page."""
    url = reverse(f"admin:{thing._meta.app_label}_{thing._meta.model_name}_change", args=[thing.pk])
    return format_html('<a href="{}">{}</a>', url, thing if text is None else text)


def ask_first(
    model_admin: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet, *, question: str, warning: str
) -> HttpResponse | None:
    """The page that asks whether an action is meant; None where that was answered."""
    if request.POST.get("confirmed"):
        return None
    context = {
        **model_admin.admin_site.each_context(request),
        "title": question,
        "warning": warning,
        "opts": model_admin.opts,
        "count": queryset.count(),
        "named": list(queryset[:MOST_NAMED]),
        "action": request.POST["action"],
        "checkbox": ACTION_CHECKBOX_NAME,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
    }
    return TemplateResponse(request, "admin/confirm_action.html", context)


def for_each(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    things: Iterable[Model],
    act: Callable[[Any], object],
    done: Promise,
) -> None:
    """Do something to each of ``things``, which says False where there was nothing to do. Enter in the admin's history
    who did it, and say what came of it: ``done`` names ``%(count)s``, how many."""
    count, refused = 0, []
    for thing in things:
        try:
            if act(thing) is False:
                continue
        except ChatError as error:
            refused.append(f"{thing}: {error.detail}")
            continue
        count += 1
        with translation.override("en"):  # the history is kept as it is written, whoever reads it
            entered = done % {"count": 1}
        model_admin.log_change(request, thing, entered)
    for sentence in refused[:5]:
        model_admin.message_user(request, sentence, messages.ERROR)
    model_admin.message_user(request, done % {"count": count}, messages.SUCCESS if count else messages.WARNING)
