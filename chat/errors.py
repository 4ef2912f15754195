"""Everything that can be wrong with what a client asks, each with a code that never changes.

A code is for programs, the sentence for people. Transports turn a ``ChatError`` into a frame, a status or a
close code with what it carries; ``docs/protocol.md`` lists them all. The sentence is translated where it is told.
"""

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from chat.sentences import Sentence

# Close codes: 4000–4499 come back, 4500–4999 stay away.
GOING_AWAY = 4001
SIGNED_OUT = 4002
TOO_SLOW = 4008
TOO_MANY_FRAMES = 4009
TRY_AGAIN = 4013
BAD_REQUEST = 4500
ROOM_NOT_FOUND = 4501
NOT_ALLOWED = 4503
TOO_MANY_CONNECTIONS = 4504


class ChatError(Exception):
    """What went wrong: a stable ``code``, a sentence, the HTTP ``status`` it answers as.

    ``close`` is the WebSocket close code where the error ends the connection; ``retryable`` says that the same
    request may succeed later, ``retry_after`` in how many seconds, where that is known.
    """

    code = "server.error"
    detail: Sentence = _("Something went wrong on our side.")
    status = 500
    close: int | None = None
    retryable = False

    def __init__(self, detail: Sentence | None = None, retry_after: float | None = None) -> None:
        if detail is not None:
            self.detail = detail
        self.retry_after = retry_after
        super().__init__(self.detail)

    def __str__(self) -> str:
        """In English: for logs, and for who starts commands."""
        with translation.override("en"):
            return str(self.detail)

    def as_dict(self) -> dict[str, object]:
        """As programs get it, in the language that is active."""
        answer: dict[str, object] = {"code": self.code, "detail": str(self.detail)}
        if self.retryable:
            answer["retryable"] = True
        if self.retry_after is not None:
            answer["retry_after"] = round(self.retry_after, 1)
        return answer


class ServerError(ChatError):
    """What we did not foresee: the log has it, the client only learns that it was us."""

    close = TRY_AGAIN
    retryable = True


class TooSlow(ChatError):
    code = "connection.too_slow"
    detail = _("You fell too far behind; come back with your last number.")
    status = 503
    close = TOO_SLOW
    retryable = True


class GoingAway(ChatError):
    """The end of this connection, not of the conversation: a restart, or a connection that has grown old."""

    code = "server.going_away"
    detail = _("This connection ends; come back with your last number.")
    status = 503
    close = GOING_AWAY
    retryable = True


class SessionEnded(ChatError):
    code = "session.ended"
    detail = _("You are signed out here; come back as who you are now.")
    status = 401
    close = SIGNED_OUT
    retryable = True


class TooManyPosts(ChatError):
    code = "limit.posts"
    detail = _("That is more than one can say at once; wait a moment.")
    status = 429
    retryable = True


class TooManyReports(ChatError):
    code = "limit.reports"
    detail = _("There were many reports from your network already; try again later.")
    status = 429
    retryable = True


class TooManyTickets(ChatError):
    code = "limit.tickets"
    detail = _("That token has made many tickets just now; wait a moment.")
    status = 429
    retryable = True


class TooManySearches(ChatError):
    code = "limit.searches"
    detail = _("That is more than one can look for at once; wait a moment.")
    status = 429
    retryable = True


class TooManyAttempts(ChatError):
    """To sign in or up, or to get a new password: the same whether there is such an account or not."""

    code = "limit.attempts"
    detail = _("There were too many attempts already; wait before you try again.")
    status = 429
    retryable = True


class TooManyFrames(ChatError):
    code = "limit.frames"
    detail = _("That is more than one connection may send.")
    status = 429
    close = TOO_MANY_FRAMES
    retryable = True


class TooManyConnections(ChatError):
    code = "limit.connections"
    detail = _("There are too many connections from your address, or to this room.")
    status = 429
    close = TOO_MANY_CONNECTIONS


class ServerBusy(ChatError):
    code = "server.busy"
    detail = _("The database is not answering just now. Try again; with the same key nothing is posted twice.")
    status = 503
    close = TRY_AGAIN
    retryable = True


class InvalidFrame(ChatError):
    code = "frame.invalid"
    detail = _("A frame is one JSON object.")
    status = 400


class FrameTooLong(ChatError):
    code = "frame.too_long"
    detail = _("That frame is too long.")
    status = 413


class UnknownFrameType(ChatError):
    code = "frame.unknown_type"
    detail = _("There is no frame of that type.")
    status = 400


class InvalidKey(ChatError):
    code = "key.invalid"
    detail = _("A key is a UUID.")
    status = 400


class InvalidQuery(ChatError):
    code = "query.invalid"
    detail = _("That address asks for something that there is not.")
    status = 400
    close = BAD_REQUEST


class InvalidCursor(ChatError):
    code = "cursor.invalid"
    detail = _("A cursor is a number of 1 to 18 digits.")
    status = 400
    close = BAD_REQUEST


class TextEmpty(ChatError):
    code = "text.empty"
    detail = _("There is nothing to see in that text.")
    status = 400


class TextTooLong(ChatError):
    code = "text.too_long"
    detail = _("That text is too long.")
    status = 400


class TextInvalid(ChatError):
    code = "text.invalid"
    detail = _("A message is a string.")
    status = 400


class NameInvalid(ChatError):
    code = "name.invalid"
    detail = _("That name cannot be used.")
    status = 400


class RoomNameInvalid(ChatError):
    code = "room.name_invalid"
    detail = _("A room's name has at least one letter or number.")
    status = 400


class RoomNameReserved(ChatError):
    code = "room.name_reserved"
    detail = _("That name is reserved; choose another.")
    status = 400


class RoomCreationClosed(ChatError):
    code = "room.creation_closed"
    detail = _("There is no such room, and you may not open one here.")
    status = 403


class RoomNotFound(ChatError):
    """Also where a room may not be known to exist."""

    code = "room.not_found"
    detail = _("There is no such room.")
    status = 404
    close = ROOM_NOT_FOUND


class MessageNotFound(ChatError):
    code = "message.not_found"
    detail = _("There is no such message here.")
    status = 404


class NotAllowed(ChatError):
    code = "not_allowed"
    detail = _("You may not do that here.")
    status = 403


class Banned(ChatError):
    """``retry_after`` where the ban has an end; ``target`` is whom it holds: "account", "guest" or "network"."""

    code = "banned"
    detail = _("You were banned here.")
    status = 403
    close = NOT_ALLOWED
    target = ""


class Muted(ChatError):
    code = "muted"
    detail = _("You were muted here: you can read, and write again later.")
    status = 403
    retryable = True


class SlowMode(ChatError):
    code = "slow_mode"
    detail = _("This room is in slow mode: wait a moment between two messages.")
    status = 429
    retryable = True


class RoomArchived(ChatError):
    code = "room.archived"
    detail = _("This room is archived: it can be read, and nothing is added.")
    status = 403


class PostingSignedIn(ChatError):
    code = "posting.signed_in"
    detail = _("Sign in to write here.")
    status = 403


class PostingMembers(ChatError):
    code = "posting.members"
    detail = _("Only members write here.")
    status = 403


class PostingModerators(ChatError):
    code = "posting.moderators"
    detail = _("Only moderators write here.")
    status = 403


class AccountTooNew(ChatError):
    code = "account.too_new"
    detail = _("Accounts must be older to write here.")
    status = 403


class AccountOwns(ChatError):
    code = "account.owns"
    detail = _("You are the only owner of a room: make somebody else its owner, or delete it first.")
    status = 409


class AccountNotFound(ChatError):
    code = "account.not_found"
    detail = _("There is no such account.")
    status = 404


class TextRefused(ChatError):
    """What a filter of the room or the site caught."""

    code = "text.refused"
    detail = _("That cannot be said here.")
    status = 400


class NameTaken(ChatError):
    code = "name.taken"
    detail = _("Somebody here is called that, or something that looks the same; choose another name.")
    status = 409


class NameReserved(ChatError):
    code = "name.reserved"
    detail = _("That name is reserved; choose another.")
    status = 400


class EditTooLate(ChatError):
    code = "edit.too_late"
    detail = _("It is too late to edit that message.")
    status = 403


class ReactionUnknown(ChatError):
    code = "reaction.unknown"
    detail = _("There is no such reaction here.")
    status = 400


class SettingInvalid(ChatError):
    code = "setting.invalid"
    detail = _("A room cannot be set up like that.")
    status = 400


class DurationInvalid(ChatError):
    code = "duration.invalid"
    detail = _("That is no time for which somebody can be muted or banned.")
    status = 400


class TargetInvalid(ChatError):
    code = "target.invalid"
    detail = _("There is nobody whom that would hold.")
    status = 400


class ReportInvalid(ChatError):
    code = "report.invalid"
    detail = _("A report says why: spam, abuse, privacy, illegal or other.")
    status = 400


class InvitationInvalid(ChatError):
    code = "invitation.invalid"
    detail = _("That invitation is no longer good. Ask for another.")
    status = 404


class TokenInvalid(ChatError):
    code = "token.invalid"
    detail = _("That token is not known here, or no longer.")
    status = 401


class TokenScope(ChatError):
    code = "token.scope"
    detail = _("That token is not for this.")
    status = 403


class WebhookInvalid(ChatError):
    code = "webhook.invalid"
    detail = _("That address cannot be called from here.")
    status = 400


class TooManyItems(ChatError):
    """Invitations, tokens, webhooks: a room has only so many at a time."""

    code = "limit.items"
    detail = _("There are too many of these already; remove some first.")
    status = 409


class FormatUnknown(ChatError):
    code = "format.unknown"
    detail = _("There is no such format here.")
    status = 501


class AddressNotFound(ChatError):
    code = "address.not_found"
    detail = _("There is nothing at that address.")
    status = 404


class MethodNotAllowed(ChatError):
    code = "method.not_allowed"
    detail = _("That cannot be done at that address.")
    status = 405


class InvalidHost(ChatError):
    code = "host.invalid"
    detail = _("There is no such site here.")
    status = 400


class NotAcceptable(ChatError):
    code = "form.not_acceptable"
    detail = _("That is not to be had in any form that you accept.")
    status = 406


class PayloadTooLarge(ChatError):
    code = "payload.too_large"
    detail = _("That is more than we take in one request.")
    status = 413


class PayloadInvalid(ChatError):
    code = "payload.invalid"
    detail = _("What is posted here is UTF-8.")
    status = 400


class PayloadType(ChatError):
    code = "payload.type"
    detail = _("What is posted here is JSON, and says so: Content-Type: application/json.")
    status = 415


def every_error() -> list[type[ChatError]]:
    """All errors there are, for the documentation's test."""
    return sorted(ChatError.__subclasses__(), key=lambda error: error.code)
