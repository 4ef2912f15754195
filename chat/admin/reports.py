"""The reports of all rooms, each with what was said around it."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from chat import administration, review
from chat.admin.parts import ReadOnlyAdmin, RoomFilter, WaitingFilter, ask_first, for_each, link_to
from chat.models import Message, Report

AROUND = 5  # messages before and after a reported one


class ReportStateFilter(WaitingFilter):
    waiting, states = Report.State.OPEN, Report.State.choices


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "excerpt", "author", "reason", "room", "note", "state"]
    list_filter = [ReportStateFilter, "reason", RoomFilter]
    list_select_related = ["room"]
    search_fields = ["note", "reporter_name", "=mid", "room__slug"]
    date_hierarchy = "created_at"
    fields = [
        "room",
        "created_at",
        "reason",
        "note",
        "reporter",
        "author",
        "context",
        "state",
        "handled_by",
        "handled_at",
    ]
    readonly_fields = ["reporter", "author", "context"]
    actions = ["resolve", "dismiss", "delete_messages"]

    def has_delete_messages_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.delete_message")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        message = Message.objects.filter(mid=OuterRef("mid"))
        return (
            super()
            .get_queryset(request)
            .annotate(
                message_text=Subquery(message.values("text")[:1]),
                message_by=Subquery(message.values("author_name")[:1]),
            )
        )

    @admin.display(description=_("reported by"))
    def reporter(self, report: Report) -> object:
        return report.reporter_name or _("somebody who watched")

    @admin.display(description=_("message by"))
    def author(self, report: Report) -> str:
        return report.message_by or "–"

    @admin.display(description=_("message"))
    def excerpt(self, report: Report) -> str:
        return (report.message_text or "–")[:120]

    @admin.display(description=_("what was said"))
    def context(self, report: Report) -> SafeString:
        there = Message.objects.filter(room_id=report.room_id, deleted_at=None)
        before = list(there.filter(mid__lte=report.mid).order_by("-mid")[: AROUND + 1])[::-1]
        around = before + list(there.filter(mid__gt=report.mid).order_by("mid")[:AROUND])
        return format_html_join("", "<p>{}</p>", [(_line(each, is_it=each.mid == report.mid),) for each in around])

    @admin.action(description=_("Resolve the selected reports: something was done"), permissions=["act"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        done = ngettext_lazy("%(count)s report resolved.", "%(count)s reports resolved.", "count")
        for_each(self, request, _open(queryset), _closing(Report.State.RESOLVED), done)

    @admin.action(description=_("Dismiss the selected reports: nothing is wrong"), permissions=["act"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        done = ngettext_lazy("%(count)s report dismissed.", "%(count)s reports dismissed.", "count")
        for_each(self, request, _open(queryset), _closing(Report.State.DISMISSED), done)

    @admin.action(description=_("Delete the reported messages everywhere"), permissions=["delete_messages"])
    def delete_messages(self, request: HttpRequest, queryset: QuerySet[Report]) -> HttpResponse | None:
        if page := ask_first(
            self,
            request,
            queryset,
            question=_("Delete the messages that these reports are about?"),
            warning=_("Their texts go from every row, log and screen, and all open reports of them are resolved."),
        ):
            return page
        done = ngettext_lazy("%(count)s message deleted everywhere.", "%(count)s messages deleted everywhere.", "count")
        for_each(self, request, queryset, administration.delete_reported, done)
        return None


def _line(message: Message, *, is_it: bool) -> SafeString:
    text = format_html("<strong>{}</strong>", message.text) if is_it else message.text
    return format_html(
        "{} · {}: {}",
        f"{timezone.localtime(message.created_at):%Y-%m-%d %H:%M}",
        link_to(message, message.author_name),
        text,
    )


def _open(queryset: QuerySet[Report]) -> QuerySet[Report]:
    return queryset.filter(state=Report.State.OPEN)


def _closing(state: str) -> Any:
    """What closes a report, unless that of another one of the same message has closed it."""

    def close(report: Report) -> bool:
        if not Report.objects.filter(pk=report.pk, state=Report.State.OPEN).exists():
            return True
        review.handle_report(None, report.room_id, report.pk, state)
        return True

    return close
