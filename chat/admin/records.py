"""The audit log, to be read."""

import json

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from chat.admin.parts import ReadOnlyAdmin, RoomFilter
from chat.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "actor_name", "action", "target", "where", "reason", "told"]
    list_filter = ["action", RoomFilter]
    list_select_related = ["room"]
    search_fields = ["actor_name", "target", "reason", "=mid", "room__slug"]
    date_hierarchy = "at"
    fields = ["at", "actor_name", "action", "target", "where", "mid", "reason", "told"]
    readonly_fields = ["where", "told"]

    @admin.display(description=_("where"), ordering="room")
    def where(self, entry: AuditEntry) -> object:
        return _("the whole site") if entry.room is None else entry.room.slug

    @admin.display(description=_("details"))
    def told(self, entry: AuditEntry) -> str:
        return ", ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in entry.details.items())
