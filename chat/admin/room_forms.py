"""What is filled in on a room's page: its settings, and who belongs to it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from chat import governing
from chat.errors import ChatError
from chat.forms import DescribedField
from chat.models import Membership, Room


class MembershipForm(forms.ModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.fields["user"].disabled = True  # a membership is one person's; another's is another row


class MembershipFormSet(BaseInlineFormSet):
    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        had_owner = any(form.initial.get("role") == Membership.Role.OWNER for form in self.initial_forms)
        stays = any(
            form.cleaned_data.get("role") == Membership.Role.OWNER and not form.cleaned_data.get("DELETE")
            for form in self.forms
            if form.cleaned_data.get("user")
        )
        if had_owner and not stays:
            raise forms.ValidationError(_("A room keeps an owner: name another one first."))


class MembershipInline(admin.TabularInline):
    model = Membership
    form = MembershipForm
    formset = MembershipFormSet
    autocomplete_fields = ["user"]
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user")


class RoomForm(forms.ModelForm):
    bound_field_class = DescribedField

    class Meta:
        model = Room
        fields = governing.SETTINGS
        help_texts = {
            "visibility": _("Where a private room is opened, what was said in it before stays among its members."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True  # what was changed here is told from what others changed meanwhile

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name, cleaner in governing.CLEANERS.items():
            if name in cleaned:
                try:
                    cleaned[name] = cleaner(cleaned[name])
                except ChatError as error:
                    self.add_error(name, error.detail)
        return cleaned
