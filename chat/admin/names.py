"""What the admin calls things and what is known of them. Here, and not in the models: no other page shows these words,
and a word that changes is no migration.
"""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from chat.models import (
    ApiToken,
    AuditEntry,
    HeldMessage,
    Invitation,
    Membership,
    Message,
    Report,
    Room,
    Sanction,
    SiteRules,
    User,
    ViewToken,
    Webhook,
)

_THINGS = {
    ApiToken: (_("token of a program"), _("tokens of programs")),
    AuditEntry: (_("audit entry"), _("audit entries")),
    HeldMessage: (_("held message"), _("held messages")),
    Invitation: (_("invitation"), _("invitations")),
    Membership: (_("membership"), _("memberships")),
    Message: (_("message"), _("messages")),
    Report: (_("report"), _("reports")),
    Room: (_("room"), _("rooms")),
    Sanction: (_("sanction"), _("sanctions")),
    SiteRules: (_("site rules"), _("site rules")),
    User: (_("account"), _("accounts")),
    ViewToken: (_("view token"), _("view tokens")),
    Webhook: (_("webhook"), _("webhooks")),
}
# By the name of a field, whatever it is a field of.
_FIELDS = {
    "action": _("action"),
    "actor_name": pgettext_lazy("who did it", "by"),
    "at": _("when"),
    "author_key": _("author’s key"),
    "author_kind": _("kind of author"),
    "author_name": _("author"),
    "author_role": _("author’s role"),
    "by_name": pgettext_lazy("who did it", "by"),
    "caught_by": _("caught by"),
    "created_at": _("since"),
    "created_by": _("made by"),
    "deleted_at": _("deleted"),
    "details": _("details"),
    "disabled_at": _("disabled"),
    "edited_at": _("edited"),
    "ends_at": _("until"),
    "expires_at": _("until"),
    "failures": _("failures in a row"),
    "floor": _("floor of the log"),
    "handled_at": _("handled"),
    "handled_by": _("handled by"),
    "head": _("head of the log"),
    "hidden_at": _("hidden"),
    "hint": _("begins with"),
    "kind": _("kind"),
    "last_status": _("last answer"),
    "last_success_at": _("last taken"),
    "last_used_at": _("last used"),
    "lifted_at": _("lifted"),
    "mid": _("message identifier"),
    "most_uses": _("most uses"),
    "name": _("name"),
    "note": _("note"),
    "reason": _("reason"),
    "reply_to": _("answers"),
    "reporter_name": _("reported by"),
    "revoked_at": _("revoked"),
    "role": _("role"),
    "room": _("room"),
    "scopes": _("may"),
    "slug": _("address"),
    "state": _("state"),
    "target": _("whom or what"),
    "text": _("text"),
    "user": _("account"),
    "uses": _("uses"),
}


def name_things() -> None:
    """Give the models their words. Migrations do not see them."""
    for model, (one, many) in _THINGS.items():
        model._meta.verbose_name, model._meta.verbose_name_plural = one, many
        for field in model._meta.fields:
            if field.name in _FIELDS and field.model is model and model is not User:
                field.verbose_name = _FIELDS[field.name]
