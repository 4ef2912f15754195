"""Sanctions: who is muted or banned, where and until when. Those of the whole site are made here."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from chat import administration, durations
from chat.admin.parts import ReadOnlyAdmin, RoomFilter, ask_first
from chat.errors import ChatError
from chat.models import Sanction, User
from chat.models.moderation import MAX_REASON_CHARS


class SanctionForm(forms.ModelForm):
    """A new one of the whole site, against one of: an account, a guest, a network."""

    user = forms.ModelChoiceField(
        User.objects.all(), required=False, label=_("Account"), help_text=_("Either an account,")
    )
    guest = forms.CharField(
        max_length=40, required=False, label=_("Guest's key"), help_text=_("or a guest: the key of their messages,")
    )
    address = forms.CharField(
        max_length=45,
        required=False,
        label=_("Network address"),
        help_text=_(
            "or everybody from an IP address (IPv6: its /64) who is not a member where they go. Only a keyed hash of "
            "it is kept."
        ),
    )
    lasts = forms.CharField(
        max_length=20, initial=durations.FOREVER, label=_("For"), help_text=_("As in 90s, 15m, 2h, 3d, 2w or forever.")
    )
    reason = forms.CharField(max_length=MAX_REASON_CHARS, required=False, label=_("Reason"))

    class Meta:
        model = Sanction
        fields = ["kind", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What finds accounts as they are typed: a list of all of them would have no end.
        field = self.fields["user"]
        field.widget = AutocompleteSelect(Sanction._meta.get_field("by"), admin.site)
        field.widget.choices = field.choices

    def clean_lasts(self) -> int | None:
        try:
            return durations.seconds_of(self.cleaned_data["lasts"])
        except ChatError as error:
            raise forms.ValidationError(error.detail) from None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        named = [name for name in ("user", "guest", "address") if cleaned.get(name)]
        if not named and self.errors:
            return cleaned
        if len(named) != 1:
            raise forms.ValidationError(_("Name one: an account, a guest or an address."))
        makers = {"user": administration.account, "guest": administration.guest, "address": administration.network}
        try:
            cleaned["whom"] = makers[named[0]](cleaned[named[0]])
        except ChatError as error:
            self.add_error(named[0], error.detail)
        return cleaned


class InForceFilter(admin.SimpleListFilter):
    """What is in force, unless all are asked for."""

    title = _("in force")
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, object]]:
        return [("all", _("All")), ("no", _("Ended"))]

    def choices(self, changelist: Any) -> Any:
        first, *rest = super().choices(changelist)
        return [{**first, "display": _("In force")}, *rest]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Sanction]) -> QuerySet[Sanction]:
        match self.value():
            case None:
                return queryset.in_force()
            case "no":
                return queryset.exclude(pk__in=Sanction.objects.in_force().values("pk"))
        return queryset


@admin.register(Sanction)
class SanctionAdmin(ReadOnlyAdmin):
    list_display = ["name", "kind", "target", "where", "reason", "by_name", "created_at", "ends_at", "lifted_at"]
    list_filter = [InForceFilter, "kind", "target", RoomFilter]
    list_select_related = ["room"]
    search_fields = ["name", "reason", "by_name", "room__slug"]
    date_hierarchy = "created_at"
    actions = ["lift"]
    fields = ["name", "kind", "target", "where", "reason", "by_name", "created_at", "ends_at", "lifted_at"]
    add_fieldsets = [
        (None, {"fields": ["kind", "user", "guest", "address", "lasts", "reason"]}),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.add_sanction")

    def get_fieldsets(self, request: HttpRequest, obj: Sanction | None = None) -> Any:
        return self.add_fieldsets if obj is None else super().get_fieldsets(request, obj)

    def get_form(self, request: HttpRequest, obj: Sanction | None = None, change: bool = False, **kwargs: Any) -> Any:
        return SanctionForm if obj is None else super().get_form(request, obj, change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Sanction, form: forms.ModelForm, change: bool) -> None:
        given = form.cleaned_data
        made = administration.impose(None, given["kind"], given["whom"], given["lasts"], given["reason"])
        obj.pk, obj.name = made.pk, made.name

    @admin.display(description=_("where"), ordering="room")
    def where(self, sanction: Sanction) -> object:
        return _("the whole site") if sanction.room is None else sanction.room.slug

    @admin.action(description=_("Lift the selected sanctions"), permissions=["act"])
    def lift(self, request: HttpRequest, queryset: QuerySet[Sanction]) -> HttpResponse | None:
        if page := ask_first(
            self,
            request,
            queryset,
            question=_("Lift these sanctions?"),
            warning=_("Whom they hold may write, and be there, again at once."),
        ):
            return page
        found = list(queryset.in_force())
        lifted = administration.lift(Sanction.objects.filter(pk__in=[each.pk for each in found]))
        for each in found:
            self.log_change(request, each, "Lifted.")
        done = ngettext_lazy("%(count)s sanction lifted.", "%(count)s sanctions lifted.", "count")
        self.message_user(request, done % {"count": lifted})
        return None
