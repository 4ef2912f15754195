"""What is kept: people, rooms and who belongs to them, what is said, the logs, what keeps order, and programs."""

import chat.order  # noqa: F401  for what it does: it explains itself where Django is not set up
from chat.models.jobs import Job
from chat.models.logs import Event, SearchIndex, SiteEvent, SiteHead
from chat.models.messages import HeldMessage, Message, NewMessage, Reaction
from chat.models.moderation import AuditEntry, Report, Sanction, SiteRules
from chat.models.people import FormerGuest, OutsideIdentity, User
from chat.models.programs import ApiToken, ViewToken, Webhook
from chat.models.rooms import Headcount, Invitation, Membership, Participant, ReadMark, Room

__all__ = [
    "ApiToken",
    "AuditEntry",
    "Event",
    "FormerGuest",
    "Headcount",
    "HeldMessage",
    "Invitation",
    "Job",
    "Membership",
    "Message",
    "NewMessage",
    "OutsideIdentity",
    "Participant",
    "Reaction",
    "ReadMark",
    "Report",
    "Room",
    "Sanction",
    "SearchIndex",
    "SiteEvent",
    "SiteHead",
    "SiteRules",
    "User",
    "ViewToken",
    "Webhook",
]
