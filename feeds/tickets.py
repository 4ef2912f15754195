"""Where a view token is changed for a ticket, for who can send no header: a browser's ``EventSource``."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt

from chat import errors, policies, viewing
from chat.limits import count_ticket
from feeds.reading import PREFLIGHT, ReadView, reader_of, room_at


# No cookie is read here, so there is nobody whose name another site could act in.
@method_decorator(csrf_exempt, name="dispatch")
class TicketView(ReadView):
    """POST with the token in ``Authorization``. A ticket makes no other: it is not asked about here."""

    http_method_names = ["post", "options"]
    is_for_programs = True

    def answer(self, request: HttpRequest, slug: str, rest: dict[str, str]) -> HttpResponseBase:
        if request.method == "OPTIONS":
            methods = {"Access-Control-Allow-Methods": "POST", "Allow": "POST, OPTIONS"}
            return HttpResponse(status=204, headers={**PREFLIGHT, **methods})
        if request.method != "POST":
            return self.http_method_not_allowed(request)
        return self.post(request, slug)

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        reader = reader_of(request)
        if reader.grant is None:
            raise errors.TokenInvalid(_("A ticket is made from a view token, sent as Authorization: Bearer …"))
        room = room_at(slug)
        policies.require_readable(room, None, reader.network, reader.grant)
        if reader.grant.room_id != room.pk:
            raise errors.RoomNotFound()
        count_ticket(reader.grant.token_id)
        ticket, seconds = viewing.ticket_of(reader.grant)
        stream = settings.PUBLIC_URL + reverse("feeds:stream", args=[room.slug])
        answer = {"ticket": ticket, "expires_in": seconds, "stream": f"{stream}?{urlencode({'ticket': ticket})}"}
        return JsonResponse(answer, status=201, headers={"Cache-Control": "no-store"})
