"""Who chose the colour of their letter, asked for all messages that are shown together."""

from collections.abc import Collection

from chat.models import Message, User


def with_hues(messages: Collection[Message]) -> None:
    """Have each of ``messages`` know the colour that its author chose, as ``author_hue``: in one query, or none where
    nobody among them has an account."""
    authors = {message.author_id for message in messages if message.author_id is not None}
    if not authors:
        return
    chosen = dict(User.objects.filter(pk__in=authors).exclude(hue=None).values_list("pk", "hue"))
    for message in messages:
        message.author_hue = chosen.get(message.author_id)
