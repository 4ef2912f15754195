"""The table of who may do what: for each action the roles and what each is answered, in a plain public room, and what
each setting of a room changes. It is written down here and nowhere computed from the policy, which it checks.

``ok``, ``held`` or the code of the refusal.
"""

GOVERNING = ("owner", "moderator")
MEMBERS = (*GOVERNING, "member")
STRANGERS = ("account", "guest", "other_moderator")
BANNED = ("banned_account", "banned_guest", "banned_network")
BOTS = ("token", "reading_token", "other_token")
ACTORS = (*MEMBERS, *STRANGERS, "muted", *BANNED, *BOTS)
VIEWERS = ("viewer", "banned_viewer", "other_token_viewer")
# With a view token of the room: who has it may read the room while it is private, and does nothing else there.
GRANTED = ("token_viewer", "banned_token_viewer")
ROLES = (*ACTORS, *VIEWERS, *GRANTED)

READING = {
    **dict.fromkeys((*MEMBERS, *STRANGERS, "muted", "token", "reading_token"), "ok"),
    **dict.fromkeys(("viewer", "token_viewer", "other_token_viewer"), "ok"),
    **dict.fromkeys((*BANNED, "banned_viewer", "banned_token_viewer"), "banned"),
    "other_token": "room.not_found",
}
ACTING = {role: answer for role, answer in READING.items() if role in ACTORS}  # what nobody can do without an identity
WRITING = {**ACTING, "muted": "muted", "reading_token": "token.scope"}


def only(roles: tuple[str, ...], base: dict[str, str] = ACTING) -> dict[str, str]:
    """``ok`` for ``roles`` alone; for others who may be here, not allowed."""
    return {role: "not_allowed" if answer == "ok" and role not in roles else answer for role, answer in base.items()}


MODERATING = only(GOVERNING)
GOVERNING_THE_ROOM = only(("owner",))

PUBLIC = {
    "enter": READING,
    "read_history": READING,
    "post": WRITING,
    "reply": WRITING,
    "edit_own": WRITING,
    "edit_others": only((), WRITING),
    "delete_own": {**ACTING, "reading_token": "token.scope"},
    "delete_others": {**only((*GOVERNING, "token")), "reading_token": "token.scope"},
    "react": WRITING,
    "unreact": WRITING,
    "report": READING,
    "seen": only((*MEMBERS, "account", "other_moderator")),  # of others it is not kept
    "pin": MODERATING,
    "unpin": MODERATING,
    "hide": MODERATING,
    "hide_owners": MODERATING,  # a message is not its author
    "delete_owners": {**only((*GOVERNING, "token")), "reading_token": "token.scope"},
    "unhide": MODERATING,
    "delete_hidden": MODERATING,
    "delete_recent": MODERATING,
    "mute": MODERATING,
    "mute_member": MODERATING,
    "mute_moderator": only(("owner",)),
    "mute_owner": only(()),
    "ban": MODERATING,
    "ban_network": MODERATING,
    "ban_moderator": only(("owner",)),
    "lift": MODERATING,
    "approve": MODERATING,
    "reject": MODERATING,
    "handle_report": MODERATING,
    "change_room": GOVERNING_THE_ROOM,
    "archive": GOVERNING_THE_ROOM,
    "reopen": GOVERNING_THE_ROOM,
    "delete_room": GOVERNING_THE_ROOM,
    "set_role": GOVERNING_THE_ROOM,
    "create_view_token": GOVERNING_THE_ROOM,
    "revoke_view_token": GOVERNING_THE_ROOM,
}

WRITES = ("post", "reply", "edit_own", "edit_others", "react", "unreact")
POSTS = ("post", "reply")
TEXTS = ("post", "reply", "edit_own", "edit_others")


def instead(
    actions: tuple[str, ...], roles: tuple[str, ...], answer: str, of: tuple[str, ...] = ("ok", "not_allowed")
) -> dict[tuple[str, str], str]:
    """``answer`` for these actions and roles where a plain room would give one ``of`` those."""
    return {(action, role): answer for action in actions for role in roles if PUBLIC[action].get(role) in of}


EVERY = tuple(PUBLIC)
KNOWN = ("ok", "not_allowed", "banned", "muted", "token.scope", "room.not_found")
WATCHING = ("viewer", "token_viewer", "other_token_viewer")
NOT_MEMBERS = (*STRANGERS, "muted", *BANNED, *VIEWERS)

# By setting: what is different from a plain public room.
CHANGES: dict[str, dict[tuple[str, str], str]] = {
    "public": {},
    "unlisted": {},
    "private": {
        **instead(EVERY, NOT_MEMBERS, "room.not_found", KNOWN),
        **instead(("report",), GRANTED, "room.not_found", KNOWN),
    },
    "deleted": {
        **instead(EVERY, ROLES, "room.not_found", KNOWN),
        **instead(("enter", "read_history"), GRANTED, "token.invalid", KNOWN),  # it went with the room
    },
    "archived": {
        **instead(WRITES, (*MEMBERS, *STRANGERS, "muted", "token"), "room.archived", ("ok", "not_allowed", "muted")),
        **instead(("approve",), GOVERNING, "room.archived", ("ok",)),
    },
    "posting_signed_in": instead(WRITES, ("guest",), "posting.signed_in"),
    "posting_members": instead(WRITES, STRANGERS, "posting.members"),
    "posting_moderators": instead(TEXTS, ("member", *STRANGERS), "posting.moderators"),
    "account_age": {
        **instead(WRITES, ("guest",), "posting.signed_in"),
        **instead(WRITES, ("account", "other_moderator"), "account.too_new"),
    },
    "slow_mode": instead(POSTS, ("member", *STRANGERS), "slow_mode"),
    "approval_guests": {
        **instead(POSTS, ("guest",), "held"),
        **instead(("edit_own",), ("guest",), "text.refused"),  # else what was approved could become anything
    },
    "approval_newcomers": {
        **instead(POSTS, STRANGERS, "held"),
        **instead(("edit_own",), STRANGERS, "text.refused"),
    },
    "blocked_words": instead(("post", "reply", "edit_own"), ("member", *STRANGERS), "text.refused"),
    "held_words": {
        **instead(POSTS, ("member", *STRANGERS), "held"),
        **instead(("edit_own",), ("member", *STRANGERS), "text.refused"),  # what stands cannot wait
    },
    "links_held": {
        **instead(POSTS, ("member", *STRANGERS), "held"),
        **instead(("edit_own",), ("member", *STRANGERS), "text.refused"),
    },
    "edit_window": instead(("edit_own",), (*MEMBERS, *STRANGERS, "token"), "edit.too_late"),
    # Opened after it was private, with what was said before among its members.
    "sealed": {
        **instead(("edit_own",), (*MEMBERS, *STRANGERS, "token"), "edit.too_late"),
        **instead(("react", "unreact", "report"), (*STRANGERS, *WATCHING), "message.not_found", ("ok",)),
        **instead(("report",), ("muted",), "message.not_found"),
        **instead(("pin", "unhide"), GOVERNING, "not_allowed", ("ok",)),
        **instead(("approve", "reject"), GOVERNING, "message.not_found", ("ok",)),  # what waited was turned away
    },
    "shows_names": {},
    "retention": {},
    "language": {},
    "indexed": {},
    "embed_origins": {},
}


def expected(setting: str, action: str, role: str) -> str | None:
    """What ``role`` is answered to ``action`` in a room with ``setting``; None where there is no such thing to ask."""
    if role not in PUBLIC[action]:
        return None
    return CHANGES[setting].get((action, role), PUBLIC[action][role])
