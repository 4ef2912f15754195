"""The audit log in words: what is kept of who did what, and how, are names from the code."""

from django import template
from django.db.models import Field
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from chat.administration import A_GUEST, A_NETWORK
from chat.audit import SITE
from chat.durations import in_words
from chat.erasing import NOBODY
from chat.models import AuditEntry, Report, Room
from chat.templatetags.people import badge

register = template.Library()

_NAMES = {
    A_GUEST: _("a guest"),
    A_NETWORK: _("a network"),
    NOBODY: _("deleted account"),
    SITE: _("the site"),
}
_DEEDS = {
    "approve": pgettext_lazy("audit log", "approved a message"),
    "archive": pgettext_lazy("audit log", "archived the room"),
    "ban": pgettext_lazy("audit log", "banned somebody"),
    "change": pgettext_lazy("audit log", "changed a setting"),
    "create_room": pgettext_lazy("audit log", "made the room"),
    "create_token": pgettext_lazy("audit log", "made a program’s token"),
    "create_view_token": pgettext_lazy("audit log", "made a view token"),
    "create_webhook": pgettext_lazy("audit log", "added a webhook"),
    "delete": pgettext_lazy("audit log", "deleted a message"),
    "delete_recent": pgettext_lazy("audit log", "deleted what somebody said lately"),
    "delete_room": pgettext_lazy("audit log", "deleted the room"),
    "disable_webhook": pgettext_lazy("audit log", "turned a webhook off"),
    "enable_webhook": pgettext_lazy("audit log", "turned a webhook on"),
    "erase": pgettext_lazy("audit log", "erased somebody"),
    "hide": pgettext_lazy("audit log", "hid a message"),
    "invite": pgettext_lazy("audit log", "made an invitation"),
    "join": pgettext_lazy("audit log", "joined"),
    "leave": pgettext_lazy("audit log", "left"),
    "mute": pgettext_lazy("audit log", "muted somebody"),
    "pin": pgettext_lazy("audit log", "pinned a message"),
    "reject": pgettext_lazy("audit log", "rejected a message"),
    "remove_webhook": pgettext_lazy("audit log", "removed a webhook"),
    "reopen": pgettext_lazy("audit log", "reopened the room"),
    "report_dismissed": pgettext_lazy("audit log", "dismissed a report"),
    "report_resolved": pgettext_lazy("audit log", "resolved a report"),
    "restore": pgettext_lazy("audit log", "let an account in again"),
    "revoke_invitation": pgettext_lazy("audit log", "revoked an invitation"),
    "revoke_token": pgettext_lazy("audit log", "revoked a program’s token"),
    "revoke_view_token": pgettext_lazy("audit log", "revoked a view token"),
    "role": pgettext_lazy("audit log", "gave a role"),
    "site_rules": pgettext_lazy("audit log", "changed the site’s rules"),
    "suspend": pgettext_lazy("audit log", "suspended an account"),
    "unban": pgettext_lazy("audit log", "lifted a ban"),
    "unhide": pgettext_lazy("audit log", "showed a message again"),
    "unmute": pgettext_lazy("audit log", "lifted a mute"),
    "unpin": pgettext_lazy("audit log", "unpinned a message"),
}
_DETAILS = {
    "against": pgettext_lazy("audit log", "against"),
    "caught_by": pgettext_lazy("audit log", "caught by"),
    "count": pgettext_lazy("audit log", "how many"),
    "days": pgettext_lazy("audit log", "days"),
    "from": pgettext_lazy("audit log", "before"),
    "messages": pgettext_lazy("audit log", "messages"),
    "most_uses": pgettext_lazy("audit log", "most uses"),
    "scopes": pgettext_lazy("audit log", "may"),
    "seconds": pgettext_lazy("audit log", "for"),
    "to": pgettext_lazy("audit log", "now"),
    "token": pgettext_lazy("audit log", "token"),
    "until": pgettext_lazy("audit log", "until"),
    "webhook": pgettext_lazy("audit log", "webhook"),
    "why": pgettext_lazy("audit log", "because of"),
}
_VALUES = {
    True: pgettext_lazy("audit log", "yes"),
    False: pgettext_lazy("audit log", "no"),
    "account": pgettext_lazy("audit log", "the account"),
    "guest": pgettext_lazy("audit log", "the guest"),
    "network": pgettext_lazy("audit log", "the network"),
    "delete": pgettext_lazy("audit log", "deleted"),
    "anonymise": pgettext_lazy("audit log", "left without a name"),
}
_OF_SETTINGS = ("change", "site_rules")


@register.filter
def called(name: str) -> str:
    """A name as it is kept, or the page's word for nobody's."""
    return str(_NAMES.get(name, name))


@register.filter
def deed(action: str) -> str:
    """An entry's action in the page's language; as it is where there is no word for it."""
    return str(_DEEDS.get(action, action))


@register.filter
def whom(entry: AuditEntry) -> str:
    """Whom or what it was done to: somebody's name, or what a setting is called."""
    if entry.action in _OF_SETTINGS:
        setting = _setting(entry.target)
        return capfirst(setting.verbose_name) if setting is not None else entry.target
    return called(badge(entry.target) if entry.action in ("invite", "revoke_invitation") else entry.target)


@register.filter
def how(entry: AuditEntry) -> list[str]:
    """What else is kept of it, each with what it is."""
    setting = _setting(entry.target) if entry.action in _OF_SETTINGS else None
    return [f"{_DETAILS.get(name, name)}: {_in_words(name, value, setting)}" for name, value in entry.details.items()]


def _setting(name: str) -> Field | None:
    return next((field for field in Room._meta.fields if field.name == name), None)


def _in_words(name: str, value: object, setting: Field | None) -> object:
    if setting is not None and setting.choices:
        return dict(setting.flatchoices).get(value, value)
    match name, value:
        case "seconds", int():
            return in_words(value)
        case "seconds", None:
            return _("for good")
        case _, None | "":
            return "–"
        case "why", str():
            return dict(Report.Reason.choices).get(value, value)
        case "from" | "to", str():
            return badge(value)
        case "scopes", str():
            return ", ".join(map(badge, value.split()))
        case "against" | "messages", str():
            return _VALUES.get(value, value)
        case _, bool():
            return _VALUES[value]
    return value
