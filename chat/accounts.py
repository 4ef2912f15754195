"""People's pages that are not rooms: signing up, and a guest's name. The rest is Django's own."""

from dataclasses import replace

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.forms import UserCreationForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from django.views.generic import CreateView

from chat import errors
from chat.identity import Identity, guest_token, new_guest
from chat.models import User
from chat.text import clean_name
from chat.visitors import guest_of


class SignUpForm(UserCreationForm):
    class Meta(UserCreationForm.Meta):
        model = User


class SignUpView(CreateView):
    form_class = SignUpForm
    template_name = "registration/signup.html"
    success_url = reverse_lazy("chat:index")

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        response = super().form_valid(form)
        login(self.request, self.object)
        return response


class GuestView(View):
    """A guest takes a name. Who they are stays the same."""

    def post(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponseRedirect(_next(request))
        try:
            name = clean_name(request.POST.get("name"))
        except errors.NameInvalid as error:
            messages.error(request, error.detail)
            return response
        before = guest_of(request.COOKIES, "") or new_guest()
        remember_guest(response, replace(before, name=name))
        return response


def remember_guest(response: HttpResponse, guest: Identity) -> None:
    """Have ``guest``'s browser say who they are from now on."""
    response.set_cookie(
        settings.GUEST_COOKIE_NAME,
        guest_token(guest),
        max_age=settings.GUEST_COOKIE_SECONDS,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return str(reverse_lazy("chat:index"))
