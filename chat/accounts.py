"""How somebody gets an account, or takes a name as a guest."""

from dataclasses import replace
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.views import RedirectURLMixin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from chat import errors, guessing, people, policies, screening
from chat.addresses import network_of_request
from chat.errors import ChatError
from chat.identity import Identity, guest_token, new_guest
from chat.limits import count_sign_up
from chat.models import Room, User
from chat.text import canonical_slug, clean_name
from chat.visitors import guest_of


class SignUpForm(UserCreationForm):
    email = forms.EmailField(
        label=_("E-mail address"),
        required=False,
        help_text=_("Optional, and shown to nobody. Without it there is no way to a new password."),
    )

    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username", "email")

    def clean_username(self) -> str:
        username = self.cleaned_data["username"]
        try:
            screening.check_username(username)
        except ChatError as error:
            raise ValidationError(error.detail, code=error.code) from None
        return username


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class SignUpView(RedirectURLMixin, FormView):
    """Make an account. What one said as a guest stays one's own."""

    form_class = SignUpForm
    template_name = "registration/signup.html"
    next_page = reverse_lazy("chat:index")

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if request.user.is_authenticated:
            return HttpResponseRedirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return super().get_context_data(**kwargs, next=self.get_redirect_url())

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        network = network_of_request(self.request)
        count_sign_up(network)
        user = form.save(commit=False)
        try:
            people.sign_up(user, guest_of(self.request.COOKIES, network), network)
        except ChatError as error:  # somebody was faster
            form.add_error("username", ValidationError(error.detail, code=error.code))
            return self.form_invalid(form)
        login(self.request, user)
        response = super().form_valid(form)
        guessing.remember(self.request, response)
        response.delete_cookie(settings.GUEST_COOKIE_NAME, samesite="Lax")
        return response


class GuestView(View):
    """A guest takes a name. Who they are stays the same."""

    def post(self, request: HttpRequest) -> HttpResponse:
        network = network_of_request(request)
        before = guest_of(request.COOKIES, network) or new_guest(network=network)
        destination = _next(request)
        response = HttpResponseRedirect(destination)
        try:
            name = clean_name(request.POST.get("name"))
            if name != before.name:
                room = _room_at(destination, before)
                if room is not None:
                    screening.check_name_in(room, before, name)
                else:
                    screening.check_name(name, [screening.site_rules()])
        except ChatError as error:
            messages.error(request, error.detail)
            return response
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


def _room_at(address: str, guest: Identity) -> Room | None:
    """The room whose page that is, if ``guest`` may be there: what is taken in another is not for them to know."""
    try:
        match = resolve(urlsplit(address).path)
    except Resolver404:
        return None
    slug = canonical_slug(match.kwargs["slug"]) if match.view_name == "chat:room" else None
    room = Room.objects.filter(slug=slug).first() if slug else None
    try:
        policies.require_readable(room, guest)
    except (errors.RoomNotFound, errors.Banned):
        return None
    return room
