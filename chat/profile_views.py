"""An account's own pages: what it is, what is kept of it, and its end."""

from collections.abc import AsyncIterator, Iterator

from django import forms
from django.contrib import messages
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from chat import errors, people, personal
from chat.database import in_database
from chat.hues import NAMES, hue_of
from chat.limits import count_post
from chat.models import Membership, User
from chat.screening import MAX_USERNAME_CHARS
from chat.signing_in import PasswordAskedForm


class EmailForm(PasswordAskedForm):
    email = forms.EmailField(
        label=_("E-mail address"), required=False, help_text=_("Without it there is no way to a new password.")
    )
    field_order = ("email", "password")


class DeleteForm(PasswordAskedForm):
    messages = forms.ChoiceField(
        label=_("What becomes of what you said?"),
        widget=forms.RadioSelect,
        choices=[
            ("delete", _("It is deleted, everywhere")),
            ("anonymise", _("It stays, and says that it is by a deleted account")),
        ],
    )
    field_order = ("messages", "password")


class NameForm(forms.Form):
    username = UsernameField(
        label=_("Name"),
        max_length=MAX_USERNAME_CHARS,
        validators=User._meta.get_field("username").validators,
        help_text=_("What you said before keeps the name that you said it under."),
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs["autocomplete"] = "username"


class ColourForm(forms.Form):
    hue = forms.TypedChoiceField(
        label=_("Colour"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", _("By itself")), *((str(hue), name) for hue, name in enumerate(NAMES))],
    )


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class ProfileView(LoginRequiredMixin, View):
    """An account as its owner sees it, and changes it: each part by a form of its own."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        match request.POST.get("part"):
            case "name":
                return self.rename(request)
            case "colour":
                return self.colour(request)
        form = EmailForm(request, request.POST)
        if not form.is_valid():
            return self.page(request, email_form=form, status=400)
        request.user.email = form.cleaned_data["email"]
        request.user.save(update_fields=["email"])
        return self.done(request, _("Your e-mail address is changed."))

    def rename(self, request: HttpRequest) -> HttpResponse:
        form = NameForm(request.POST)
        if form.is_valid():
            user = User.objects.get(pk=request.user.pk)
            try:
                count_post(user.identity)  # who is called something else has their connections come back
                people.rename(user, form.cleaned_data["username"])
                return self.done(request, _("You are called something else now."))
            except errors.ChatError as error:
                form.add_error("username", ValidationError(error.detail, code=error.code))
                return self.page(request, name_form=form, status=error.status)
        return self.page(request, name_form=form, status=400)

    def colour(self, request: HttpRequest) -> HttpResponse:
        form = ColourForm(request.POST)
        if not form.is_valid():
            return self.page(request, status=400)
        request.user.hue = form.cleaned_data["hue"]
        request.user.save(update_fields=["hue"])
        return self.done(request, _("Your colour is changed. Rooms that are open show it once they are loaded anew."))

    def done(self, request: HttpRequest, notice: str) -> HttpResponse:
        messages.info(request, notice)
        return HttpResponseRedirect(reverse("profile"))

    def page(
        self,
        request: HttpRequest,
        *,
        name_form: NameForm | None = None,
        email_form: EmailForm | None = None,
        status: int = 200,
    ) -> HttpResponse:
        rooms = Membership.objects.filter(user=request.user, room__deleted_at=None).select_related("room")
        user = request.user
        context = {
            "form": email_form or EmailForm(request, initial={"email": user.email}),
            "name_form": name_form or NameForm(initial={"username": user.username}),
            "memberships": rooms.order_by("room__slug"),
            "hues": list(enumerate(NAMES)),
            "own_hue": hue_of(user.identity.key),
        }
        return render(request, "registration/profile.html", context, status=status)


@method_decorator(never_cache, name="dispatch")
class ExportView(LoginRequiredMixin, View):
    """All that is kept of an account, as a file."""

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        user = User.objects.get(pk=request.user.pk)
        response = StreamingHttpResponse(_piece_by_piece(personal.export(user)), content_type="application/json")
        response["Content-Disposition"] = 'attachment; filename="engawa-account.json"'
        return response


async def _piece_by_piece(pieces: Iterator[str]) -> AsyncIterator[str]:
    """Each made in a thread that may use the database, when the one before it is on its way."""
    while (piece := await in_database(next, pieces, None)) is not None:
        yield piece


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class DeleteAccountView(LoginRequiredMixin, View):
    """The end of an account."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request, DeleteForm(request))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = DeleteForm(request, request.POST)
        if not form.is_valid():
            return self.page(request, form, status=400)
        try:
            personal.erase(User.objects.get(pk=request.user.pk), form.cleaned_data["messages"])
        except errors.AccountOwns as error:
            form.add_error(None, ValidationError(error.detail, code=error.code))
            return self.page(request, form, status=error.status)
        request.session.flush()
        request.user = AnonymousUser()
        messages.info(request, _("Your account is deleted."))
        return HttpResponseRedirect(reverse("chat:index"))

    def page(self, request: HttpRequest, form: DeleteForm, status: int = 200) -> HttpResponse:
        context = {"form": form, "owned_alone": personal.rooms_owned_alone(request.user)}
        return render(request, "registration/delete_account.html", context, status=status)
