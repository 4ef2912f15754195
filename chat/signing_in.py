"""The doors where a password is asked for: to sign in, to the admin too, and again of who is signed in already."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import forms as auth
from django.contrib.auth import update_session_auth_hash, views
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import guessing

JUST_SIGNED_IN = timedelta(minutes=10)


class _Counted:
    """A form of Django's to sign in with, whose tries are counted."""

    def clean(self) -> dict[str, Any]:
        if not self.cleaned_data.get("username") or not self.cleaned_data.get("password"):
            return super().clean()
        tried = guessing.at_account(self.request, self.cleaned_data["username"])
        cleaned = super().clean()
        tried.was_right()
        return cleaned


class SignInForm(_Counted, auth.AuthenticationForm):
    pass


class AdminSignInForm(_Counted, AdminAuthenticationForm):
    pass


class SignInView(views.LoginView):
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: SignInForm) -> HttpResponse:
        response = super().form_valid(form)
        guessing.remember(self.request, response)
        return response


class PasswordAskedForm(forms.Form):
    """A form that does what it says only with the account's password; where it has none, to who has just signed in."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, request: HttpRequest, *args: object, **kwargs: object) -> None:
        self.request = request
        super().__init__(*args, **kwargs)
        if not request.user.has_usable_password():
            del self.fields["password"]

    def clean(self) -> dict[str, Any] | None:
        last = self.request.user.last_login
        if "password" not in self.fields and (last is None or timezone.now() - last > JUST_SIGNED_IN):
            raise ValidationError(_("Log out and in again first, so that it is sure that it is you."), code="old_login")
        return super().clean()

    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        tried = guessing.at_own(self.request)
        user, kept = self.request.user, self.request.user.password
        if not user.check_password(password):
            raise ValidationError(_("That is not your password."), code="password_incorrect")
        if user.password != kept:  # it is kept in a newer way now, to which the session does not fit any more
            update_session_auth_hash(self.request, user)
        tried.was_right()
        return password


class PasswordChangeForm(auth.PasswordChangeForm):
    request: HttpRequest

    def clean_old_password(self) -> str:
        tried = guessing.at_own(self.request)
        password = super().clean_old_password()
        tried.was_right()
        return password


class PasswordChangeView(views.PasswordChangeView):
    form_class = PasswordChangeForm

    def get_form(self, form_class: type[PasswordChangeForm] | None = None) -> PasswordChangeForm:
        form = super().get_form(form_class)
        form.request = self.request
        return form

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        response = super().form_valid(form)
        guessing.remember(self.request, response)
        return response
