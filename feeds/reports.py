"""Where somebody who only watches reports a message: a page of its own, which knows no cookies."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from chat import actions, errors, policies, review
from chat.addresses import network_of_request
from chat.errors import ChatError
from chat.limits import count_report
from chat.middleware import banned_page, error_response, wants_json
from chat.models import Message, Report, Room
from chat.models.moderation import MAX_REASON_CHARS
from chat.origins import is_ours
from chat.text import canonical_slug


# Without cookies there is nobody whose name another site could act in, and no token. What other sites would have our
# viewers' browsers send is turned away all the same.
@method_decorator([csrf_exempt, never_cache], name="dispatch")
class ReportView(View):
    """A form for one message, ``?mid=``, and what it is sent to."""

    room: Room
    message: Message
    network: str

    def dispatch(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        self.network = network_of_request(request)
        try:
            self.room, self.message = self._reported(slug, request.GET.get("mid"))
        except errors.Banned as error:
            return error_response(error) if wants_json(request) else banned_page(request, error)
        except (errors.RoomNotFound, errors.MessageNotFound) as error:
            if wants_json(request):
                return error_response(error)
            raise Http404() from None
        return super().dispatch(request)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            self._require_own_page(request)
            if request.POST.get("reason") not in Report.Reason.values:
                raise errors.ReportInvalid(_("Say why, so that the moderators know what to look for."))
            count_report(self.network)
            review.report(
                None, self.network, self.room.pk, self.message.mid, request.POST["reason"], request.POST.get("note")
            )
        except ChatError as error:
            return error_response(error) if wants_json(request) else self.page(request, error)
        if wants_json(request):
            return JsonResponse({"done": True}, status=201)
        return render(request, "feeds/reported.html", self._context())

    def page(self, request: HttpRequest, error: ChatError | None = None) -> HttpResponse:
        context = {
            **self._context(),
            "message": self.message,
            "reasons": Report.Reason.choices,
            "reason": request.POST.get("reason"),
            "note": request.POST.get("note", "")[:MAX_REASON_CHARS],
            "max_note_chars": MAX_REASON_CHARS,
            "error": error,
        }
        return render(request, "feeds/report.html", context, status=error.status if error else 200)

    def _context(self) -> dict[str, object]:
        return {"room": self.room, "watch_url": reverse("feeds:watch", args=[self.room.slug])}

    def _reported(self, slug: str, mid: object) -> tuple[Room, Message]:
        """The message and its room, as far as any viewer may know of them."""
        canonical = canonical_slug(slug)
        room = Room.objects.filter(slug=canonical).first() if canonical else None
        policies.require_readable(room, None, self.network)
        message = actions.find(room, mid)
        if policies.is_sealed(room, message.mid):
            raise errors.MessageNotFound()
        return room, message

    @staticmethod
    def _require_own_page(request: HttpRequest) -> None:
        """Raises ``NotAllowed`` where the browser says that another site's page sent this."""
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        origin = request.headers.get("Origin")
        policies.require(
            site in ("same-origin", "none") and (origin is None or is_ours(origin, request.get_host())),
            _("A report is sent from its own page here."),
        )
