"""The page of a room's owner for view tokens: who may read the room without belonging to it, and until when."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import durations, errors, viewing
from chat.durations import in_words
from chat.errors import ChatError
from chat.models import Room
from chat.owner_views import OwnerView, number_in
from chat.queue import waiting_in

TERMS = {
    "1h": _("An hour"),
    "1d": _("A day"),
    "7d": _("A week"),
    "30d": in_words(30 * 24 * 3600),
    "90d": in_words(90 * 24 * 3600),
    f"{viewing.MAX_DAYS}d": _("A year"),
}
USUAL_TERM = "7d"
PAST_SHOWN = 20


class ViewTokensView(OwnerView):
    """Lists view tokens, makes them and takes them away. A secret is shown by the answer that made it."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return self.page(request, self.owned(slug))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        room = self.owned(slug)
        act = {"create": self.create, "revoke": self.revoke}.get(request.POST.get("action", ""))
        if act is None:
            return self.page(request, room, error=errors.InvalidQuery())
        try:
            return act(request, room)
        except ChatError as error:
            return self.page(request, room, error=error)

    def create(self, request: HttpRequest, room: Room) -> HttpResponse:
        form = request.POST
        expires_at = _end_of(form.get("other_term", "").strip() or form.get("term", ""))
        token, secret = viewing.create_view_token(self.me, room.pk, form.get("name", ""), expires_at)
        return self.page(request, room, made=token.name, secret=secret)

    def revoke(self, request: HttpRequest, room: Room) -> HttpResponse:
        viewing.revoke_view_token(self.me, room.pk, number_in(request.POST.get("token", "")))
        messages.success(request, _("That token is good for nothing now. Whoever was reading by it no longer is."))
        return HttpResponseRedirect(reverse("chat:view_tokens", args=[room.slug]))

    def page(
        self, request: HttpRequest, room: Room, error: ChatError | None = None, made: str = "", secret: str = ""
    ) -> HttpResponse:
        in_force = room.view_tokens.in_force()
        context: dict[str, Any] = {
            "room": room,
            "error": error,
            "made": made,
            "secret": secret,
            "public_url": settings.PUBLIC_URL,
            "watch_url": settings.PUBLIC_URL + reverse("feeds:watch", args=[room.slug]),
            "stream_url": settings.PUBLIC_URL + reverse("feeds:stream", args=[room.slug]),
            "ticket_url": settings.PUBLIC_URL + reverse("feeds:ticket", args=[room.slug]),
            "ticket_seconds": settings.VIEW_TICKET_SECONDS,
            "tokens": in_force.select_related("created_by"),
            "past": room.view_tokens.exclude(pk__in=in_force.values("pk"))[:PAST_SHOWN],
            "prefix": viewing.PREFIX,
            "terms": TERMS.items(),
            "max_days": viewing.MAX_DAYS,
            "typed": request.POST if error is not None else {"term": USUAL_TERM},
            "max_name_chars": settings.MAX_NAME_CHARS,
            "may_govern": True,
            "waiting": sum(waiting_in([room.pk])[room.pk]),
        }
        return render(request, "chat/view_tokens.html", context, status=error.status if error is not None else 200)


def _end_of(term: str) -> datetime:
    """When ``term`` is over that begins now. Raises ``DurationInvalid``, ``SettingInvalid``."""
    seconds = durations.seconds_of(term)
    if seconds is None or seconds > viewing.MAX_DAYS * 24 * 3600:
        raise errors.SettingInvalid(viewing.too_long())
    return timezone.now() + timedelta(seconds=seconds)
