"""The page of a room's owner for programs: those that act in the room, and those that are told of its messages."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import errors, programs
from chat.errors import ChatError
from chat.models import Room
from chat.owner_views import OwnerView, number_in
from chat.queue import waiting_in
from chat.sentences import filled

SCOPES = {
    "read": _("Read what is said"),
    "post": _("Post, and change what it posted"),
    "delete": _("Delete anybody’s messages"),
}
MAX_TOKEN_DAYS = 3650
REVOKED_SHOWN = 20


class ProgramsView(OwnerView):
    """Lists tokens and webhooks, makes them and takes them away. A secret is shown by the answer that made it."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return self.page(request, self.owned(slug))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        room = self.owned(slug)
        act = {
            "create_token": self.create_token,
            "revoke_token": self.revoke_token,
            "create_webhook": self.create_webhook,
            "remove_webhook": self.remove_webhook,
            "enable_webhook": self.enable_webhook,
        }.get(request.POST.get("action", ""))
        if act is None:
            return self.page(request, room, error=errors.InvalidQuery())
        try:
            return act(request, room)
        except ChatError as error:
            return self.page(request, room, error=error)

    def create_token(self, request: HttpRequest, room: Room) -> HttpResponse:
        form = request.POST
        expires_at = _after_days(form.get("days", ""))
        token, secret = programs.create_token(
            self.me, room.pk, form.get("name", ""), form.getlist("scopes"), expires_at
        )
        return self.page(request, room, made=_("The token of %(name)s") % {"name": token.name}, secret=secret)

    def revoke_token(self, request: HttpRequest, room: Room) -> HttpResponse:
        programs.revoke_token(self.me, room.pk, number_in(request.POST.get("token", "")))
        return self.done(request, room, _("That token is good for nothing now."))

    def create_webhook(self, request: HttpRequest, room: Room) -> HttpResponse:
        webhook, secret = programs.create_webhook(self.me, room.pk, request.POST.get("url", ""))
        made = _("The secret of the webhook to %(address)s") % {"address": webhook.url}
        return self.page(request, room, made=made, secret=secret)

    def remove_webhook(self, request: HttpRequest, room: Room) -> HttpResponse:
        programs.remove_webhook(self.me, room.pk, number_in(request.POST.get("webhook", "")))
        return self.done(request, room, _("That address is told nothing any more."))

    def enable_webhook(self, request: HttpRequest, room: Room) -> HttpResponse:
        programs.enable_webhook(self.me, room.pk, number_in(request.POST.get("webhook", "")))
        return self.done(request, room, _("That address is called again."))

    def done(self, request: HttpRequest, room: Room, notice: str) -> HttpResponse:
        messages.success(request, notice)
        return HttpResponseRedirect(reverse("chat:programs", args=[room.slug]))

    def page(
        self, request: HttpRequest, room: Room, error: ChatError | None = None, made: str = "", secret: str = ""
    ) -> HttpResponse:
        context: dict[str, Any] = {
            "room": room,
            "error": error,
            "made": made,
            "secret": secret,
            "tokens": room.tokens.in_force().select_related("created_by"),
            "over": room.tokens.exclude(pk__in=room.tokens.in_force())[:REVOKED_SHOWN],
            "webhooks": room.webhooks.select_related("created_by"),
            "scopes": SCOPES.items(),
            "typed": request.POST if error is not None else {},
            "typed_scopes": request.POST.getlist("scopes") if error is not None else [],
            "max_name_chars": settings.MAX_NAME_CHARS,
            "max_days": MAX_TOKEN_DAYS,
            "api_url": f"{settings.PUBLIC_URL}/api/v1/rooms/{room.slug}/messages",
            "may_govern": True,
            "waiting": sum(waiting_in([room.pk])[room.pk]),
        }
        return render(request, "chat/programs.html", context, status=error.status if error is not None else 200)


def _after_days(days: str) -> datetime | None:
    """The moment after so many days; None where none are given. Raises ``SettingInvalid``."""
    if not days.strip():
        return None
    number = number_in(days.strip())
    if not 1 <= number <= MAX_TOKEN_DAYS:
        raise errors.SettingInvalid(
            filled(_("A token is good for 1 to %(most)s days, or, with none given, for ever."), most=MAX_TOKEN_DAYS)
        )
    return timezone.now() + timedelta(days=number)
