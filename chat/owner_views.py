"""The pages of a room's owner: how it is set up, how it ends, and who did what in it. For others they are not there."""

from collections.abc import AsyncIterator, Callable

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from chat import errors, governing, ledger, policies
from chat.forms import DeletionForm, SettingsForm
from chat.models import Room
from chat.queue import waiting_in
from chat.views import PersonView

ENTRIES_ON_A_PAGE = 50


class OwnerView(PersonView):
    def owned(self, slug: str) -> Room:
        """The room at this address, whose owner is asking. Raises ``Http404`` for everybody else."""
        room, standing = self.room(slug)
        if not policies.may_govern(standing):
            raise Http404()
        return room


def number_in(text: str) -> int:
    """A number out of a form; 0, which nothing has, where it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


class SettingsView(OwnerView):
    """Everything that a room's owner can change about it, and its end."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        return self.page(request, self.owned(slug))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        room = self.owned(slug)
        match request.POST.get("do"):
            case "archive":
                governing.archive(self.me, room.pk)
                return self.done(request, room, _("The room is archived: it can be read, and nothing is added."))
            case "reopen":
                governing.reopen(self.me, room.pk)
                return self.done(request, room, _("The room is open again."))
            case "delete":
                return self.delete(request, room)
        return self.save(request, room)

    def save(self, request: HttpRequest, room: Room) -> HttpResponse:
        form = SettingsForm(request.POST, room)
        if not form.is_valid():
            return self.page(request, room, form, status=400)
        opens_past = request.POST.get("opens_past")
        if form.opens() and opens_past not in ("yes", "no"):
            return self.ask_about_past(request, room, form)
        try:
            changed = governing.change_room(self.me, room.pk, form.changes(), opens_past=opens_past == "yes")
        except (errors.SettingInvalid, errors.NameInvalid) as error:
            form.add_error(None, error.detail)
            return self.page(request, room, form, status=error.status)
        if not changed:
            return self.done(request, room, _("Nothing was changed."))
        names = [str(SettingsForm.base_fields[name].label) for name in changed]
        return self.done(request, room, _("Saved: %(settings)s.") % {"settings": ", ".join(names)})

    def ask_about_past(self, request: HttpRequest, room: Room, form: SettingsForm) -> HttpResponse:
        """The second step of opening a private room: what was said before is asked for by itself."""
        names = {name for field in form for name in (field.html_name, field.html_initial_name)}
        typed = [(name, value) for name in sorted(names) for value in request.POST.getlist(name)]
        return render(request, "chat/settings_past.html", {"room": room, "typed": typed})

    def delete(self, request: HttpRequest, room: Room) -> HttpResponse:
        form = DeletionForm(request.POST, room)
        if not form.is_valid():
            return self.page(request, room, deletion=form, status=400)
        governing.delete_room(self.me, room.pk)
        messages.success(request, _("%(room)s is deleted, with all that was said in it.") % {"room": room})
        return HttpResponseRedirect(reverse("chat:index"))

    def done(self, request: HttpRequest, room: Room, notice: str) -> HttpResponse:
        messages.success(request, notice)
        return HttpResponseRedirect(reverse("chat:settings", args=[room.slug]))

    def page(
        self,
        request: HttpRequest,
        room: Room,
        form: SettingsForm | None = None,
        deletion: DeletionForm | None = None,
        status: int = 200,
    ) -> HttpResponse:
        context = {
            "room": room,
            "form": form or SettingsForm(None, room),
            "deletion": deletion or DeletionForm(None, room),
            "may_govern": True,
            "waiting": sum(waiting_in([room.pk])[room.pk]),
        }
        return render(request, "chat/settings.html", context, status=status)


class AuditView(OwnerView):
    """Who did what in the room, newest first."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        room = self.owned(slug)
        wanted = ledger.Wanted.of(request.GET)
        context = {
            "room": room,
            "entries": Paginator(ledger.entries(room, wanted), ENTRIES_ON_A_PAGE).get_page(request.GET.get("page")),
            "actions": ledger.actions_in(room),
            "wanted": wanted,
            "query": wanted.query(),
            "may_govern": True,
            "waiting": sum(waiting_in([room.pk])[room.pk]),
        }
        return render(request, "chat/audit.html", context)


class AuditExportView(OwnerView):
    """The same as a file, all of it or what the page was filtered to. It is written while it is read."""

    FORMS: dict[str, tuple[str, Callable[[Room, ledger.Wanted], AsyncIterator[str]]]] = {
        "csv": ("text/csv; charset=utf-8", ledger.as_csv),
        "jsonl": ("application/jsonl; charset=utf-8", ledger.as_json_lines),
    }

    def get(self, request: HttpRequest, slug: str, form: str) -> HttpResponseBase:
        room = self.owned(slug)
        if form not in self.FORMS:
            raise Http404()
        content_type, lines = self.FORMS[form]
        response = StreamingHttpResponse(lines(room, ledger.Wanted.of(request.GET)), content_type=content_type)
        response["Content-Disposition"] = f'attachment; filename="audit.{form}"'
        return response
