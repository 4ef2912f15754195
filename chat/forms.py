"""The forms of a room's owner. What they may hold is for the models and ``chat.governing`` to say; a form only puts
what is wrong beside its field."""

from copy import copy
from typing import Any
from unicodedata import normalize

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from chat import errors
from chat.governing import CLEANERS, SETTINGS
from chat.models import Room

FIELDSETS = (
    (_("About"), ("title", "topic", "language")),
    (_("Who may read"), ("visibility", "embed_origins", "is_indexed", "shows_names", "shows_typing")),
    (_("Who may write"), ("posting", "slow_seconds", "account_age_hours")),
    (
        _("Before it is said"),
        ("approval", "blocked_words", "on_words", "on_links", "on_repeats", "on_shouting"),
    ),
    (_("How long"), ("retention_days",)),
)


class DescribedField(forms.BoundField):
    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        """Django describes also what a field was, which is hidden and needs no description."""
        built = super().build_widget_attrs(attrs, widget)
        if widget is not None and widget.is_hidden:
            built.pop("aria-describedby", None)
        return built


class SettingsForm(forms.ModelForm):
    """All settings of a room, or only those that are posted.

    Each field goes along with what it was when the page was made, so that of two owners who save at the same time
    neither takes back what the other has changed.
    """

    bound_field_class = DescribedField

    class Meta:
        model = Room
        fields = SETTINGS
        widgets = {
            "topic": forms.Textarea({"rows": 2}),
            "visibility": forms.RadioSelect,
            "embed_origins": forms.Textarea({"rows": 2, "spellcheck": "false", "autocapitalize": "none"}),
            "blocked_words": forms.Textarea({"rows": 5, "spellcheck": "false", "autocapitalize": "none"}),
        }
        labels = {
            "on_words": _("What has a blocked word"),
            "on_links": _("What has a link"),
            "on_repeats": _("What repeats itself"),
            "on_shouting": _("What is nearly all capitals"),
        }
        help_texts = {
            "visibility": _("Who may no longer read it is disconnected at once."),
            "embed_origins": _(
                "* for any site, or origins like https://example.org separated by spaces, or nothing for none. This "
                "governs framing only: who may read a public room, may read it, framed or not."
            ),
            "is_indexed": _("Only where it is public."),
            "shows_names": _("Otherwise everybody sees how many are here, and nobody who."),
            "shows_typing": _("To those who take part, while somebody writes; never to those who only watch."),
            "slow_seconds": _("0: no slow mode. Owners and moderators need not wait."),
            "account_age_hours": _("0: no matter. Otherwise guests do not write, and members always may."),
            "approval": _("Such a message is seen by nobody before a moderator approves it."),
            "on_repeats": _("One thing over and over in a message, or the same message again."),
        }

    def __init__(self, data: QueryDict | None, room: Room) -> None:
        super().__init__(data, instance=copy(room))  # what was typed is not the room's yet
        for name, field in list(self.fields.items()):
            has_initial = data is None or self.add_initial_prefix(name) in data
            if data is not None and name not in data and not has_initial:
                del self.fields[name]
            field.show_hidden_initial = has_initial
            if not isinstance(field.widget, forms.CheckboxInput | forms.RadioSelect):
                field.widget.attrs["class"] = "field"
        self.room = room

    def fieldsets(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields in their groups, each with its legend."""
        return [(legend, [self[name] for name in names if name in self.fields]) for legend, names in FIELDSETS]

    def changes(self) -> dict[str, Any]:
        """What ``governing.change_room`` is to be asked for."""
        return {name: self.cleaned_data[name] for name in self.changed_data}

    def opens(self) -> bool:
        """Whether it makes a private room one that others may read."""
        was, will = self.room.visibility, self.changes().get("visibility")
        return was == Room.Visibility.PRIVATE and will not in (None, Room.Visibility.PRIVATE)

    def clean_title(self) -> str:
        return _cleaned("title", self.cleaned_data["title"])

    def clean_topic(self) -> str:
        return _cleaned("topic", self.cleaned_data["topic"])

    def clean_blocked_words(self) -> str:
        return _with_plain_line_ends(self.cleaned_data["blocked_words"])

    def clean_embed_origins(self) -> str:
        return " ".join(self.cleaned_data["embed_origins"].split())


class DeletionForm(forms.Form):
    """Whoever deletes a room types its name first."""

    name = forms.CharField(label=_("The room’s name"), strip=True)

    def __init__(self, data: QueryDict | None, room: Room) -> None:
        super().__init__(data)
        self.room = room
        self.fields["name"].widget.attrs.update({"class": "field", "autocomplete": "off", "spellcheck": "false"})

    def clean_name(self) -> str:
        typed, name = self.cleaned_data["name"], str(self.room)
        if " ".join(normalize("NFKC", typed).split()) != " ".join(normalize("NFKC", name).split()):
            raise ValidationError(_("That is not its name. Nothing was deleted."))
        return typed


def _cleaned(name: str, value: str) -> str:
    try:
        return CLEANERS[name](value)
    except errors.ChatError as error:
        raise ValidationError(error.detail) from None


def _with_plain_line_ends(value: str) -> str:
    """Browsers send ``\\r\\n``, whatever was there before."""
    return value.replace("\r\n", "\n").replace("\r", "\n")
