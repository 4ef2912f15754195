"""What a participant's client may ask for beside posting: one table, the same over WebSocket and HTTP.

Each command is an action with what it takes from a frame. Synchronous; the answer is that it was done, or the error
that says why not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chat import actions, moderation, read_marks, review
from chat.identity import Identity

Frame = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """``run`` acts for somebody in a room, as a frame asks. One that ``counts`` is limited like a post."""

    run: Callable[[Identity, int, Frame], object]
    counts: bool = False


def _of_mid(action: Callable[..., object], *names: str) -> Callable[[Identity, int, Frame], object]:
    """``action`` on the message that a frame names, with what else it takes out of the frame, by position."""
    return lambda actor, room_id, frame: action(actor, room_id, frame.get("mid"), *(frame.get(name) for name in names))


COMMANDS: dict[str, Command] = {
    "edit": Command(_of_mid(actions.edit, "message"), counts=True),
    "delete": Command(
        lambda actor, room_id, frame: actions.delete(actor, room_id, frame.get("mid"), frame.get("reason"))
    ),
    "react": Command(_of_mid(actions.react, "reaction"), counts=True),
    "unreact": Command(
        lambda actor, room_id, frame: actions.react(
            actor, room_id, frame.get("mid"), frame.get("reaction"), wanted=False
        ),
        counts=True,
    ),
    "seen": Command(_of_mid(read_marks.see)),
    "report": Command(
        lambda actor, room_id, frame: review.report(
            actor, actor.network, room_id, frame.get("mid"), frame.get("reason"), frame.get("note")
        ),
        counts=True,
    ),
    "pin": Command(_of_mid(moderation.pin)),
    "unpin": Command(_of_mid(moderation.take_pin)),
    "hide": Command(_of_mid(moderation.hide, "reason")),
    "unhide": Command(_of_mid(moderation.unhide, "reason")),
    "delete_hidden": Command(_of_mid(moderation.delete_hidden, "reason")),
    "delete_recent": Command(_of_mid(moderation.delete_recent, "reason")),
    "mute": Command(
        lambda actor, room_id, frame: moderation.mute(
            actor, room_id, frame.get("mid"), frame.get("seconds"), frame.get("reason"), held=frame.get("held")
        )
    ),
    "ban": Command(
        lambda actor, room_id, frame: moderation.ban(
            actor,
            room_id,
            frame.get("mid"),
            frame.get("target"),
            frame.get("seconds"),
            frame.get("reason"),
            held=frame.get("held"),
        )
    ),
    "lift": Command(
        lambda actor, room_id, frame: moderation.lift(actor, room_id, frame.get("sanction"), frame.get("reason"))
    ),
    "approve": Command(lambda actor, room_id, frame: review.approve(actor, room_id, frame.get("held"))),
    "reject": Command(
        lambda actor, room_id, frame: review.reject(actor, room_id, frame.get("held"), frame.get("reason"))
    ),
    "handle_report": Command(
        lambda actor, room_id, frame: review.handle_report(actor, room_id, frame.get("report"), frame.get("state"))
    ),
}
