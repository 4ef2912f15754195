"""The commands of ``chat.commands`` over HTTP: for programs that speak JSON, and for forms."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from chat import errors
from chat.answers import Posted
from chat.commands import COMMANDS, Frame
from chat.errors import ChatError
from chat.middleware import error_response, wants_json
from chat.models import Message, Sanction
from chat.protocol import read_frame
from chat.views import PersonView

# What a form sends empty where nobody chose anything, and which then counts as left out.
_OPTIONAL = frozenset({"mid", "held", "target", "seconds"})
_NOTICES = {
    "edit": _("The message is changed."),
    "delete": _("The message is deleted."),
    "delete_hidden": _("The message is deleted."),
    "delete_recent": _("What they said in the last 24 hours is deleted."),
    "hide": _("The message is hidden. It can be shown again."),
    "unhide": _("The message is shown again."),
    "report": _("Thank you. The moderators will look at it."),
    "pin": _("The message is pinned."),
    "unpin": _("The message is no longer pinned."),
    "mute": _("They are muted: they can read, and not write."),
    "ban": _("They are banned."),
    "lift": _("That no longer holds."),
    "approve": _("The message is approved, and stands in the room."),
    "reject": _("The message is rejected."),
    "handle_report": _("The report is closed."),
}


class CommandsView(PersonView):
    """One command. JSON is answered with JSON; a form goes on to its ``next``, with a notice."""

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        as_json = wants_json(request)
        room, _standing = self.room(slug)
        to = _next(request, reverse("chat:room", args=[room.slug]))
        try:
            frame = _frame(request)
            done = self.run(room.pk, frame)
        except ChatError as error:
            if as_json:
                return error_response(error)
            messages.error(request, error.detail)
            return HttpResponseRedirect(to)
        if as_json:
            return JsonResponse({"done": True, **done})
        messages.success(request, _NOTICES.get(frame["type"], _("Done.")))
        return HttpResponseRedirect(to)

    def run(self, room_id: int, frame: Frame) -> dict[str, object]:
        """What is to be said about what was done. Raises ``UnknownFrameType`` and all that the command does."""
        name = frame.get("type")
        command = COMMANDS.get(name) if isinstance(name, str) else None
        if command is None:
            raise errors.UnknownFrameType()
        if command.counts:
            self.count()
        match command.run(self.me, room_id, frame):
            case Posted(mid=mid, seq=seq):
                return {"mid": mid, "id": seq}
            case Message(mid=mid):
                return {"mid": mid}
            case Sanction(pk=pk):
                return {"sanction": pk}
            case int(count):
                return {"count": count}
        return {}


def _frame(request: HttpRequest) -> dict[str, Any]:
    if request.content_type == "application/json":
        return read_frame(request.body.decode(errors="replace"))
    return {name: value for name, value in request.POST.items() if value or name not in _OPTIONAL}


def _next(request: HttpRequest, otherwise: str) -> str:
    wanted = request.POST.get("next", "") if request.content_type != "application/json" else ""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return otherwise
