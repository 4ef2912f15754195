"""What is in the head of a page about a room, for programs that read it."""

from django import template
from django.utils.safestring import SafeString, mark_safe

from chat.events import encode
from chat.models import Message, Room
from feeds import metadata

register = template.Library()

# So that no text can end the script that it stands in, nor begin a comment there.
_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


@register.inclusion_tag("feeds/_metadata.html", takes_context=True)
def room_metadata(context: template.Context) -> dict[str, object]:
    """Needs room; target on the page of a message."""
    query = context["request"].GET
    place = next(((way, query[way]) for way in ("before", "after") if query.get(way)), None)
    return metadata.describe(context["room"], context.get("target"), place)


@register.simple_tag
def linked_data(room: Room, messages: list[Message], target: Message | None) -> SafeString:
    """JSON-LD, to stand in a script. Nothing for a room that is not open."""
    data = metadata.linked_data(room, messages, target)
    return mark_safe(encode(data).translate(_ESCAPED)) if data else ""  # noqa: S308 – what could do harm is escaped
