"""What the audit log has words for only in the code: who acted where it was nobody's account, and what they did."""

from django import template
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from chat.administration import A_GUEST, A_NETWORK
from chat.audit import SITE
from chat.erasing import NOBODY

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


@register.filter
def called(name: str) -> str:
    """A name as it is kept, or the page's word for nobody's."""
    return str(_NAMES.get(name, name))


@register.filter
def deed(action: str) -> str:
    """An entry's action in the page's language; as it is where there is no word for it."""
    return str(_DEEDS.get(action, action))
