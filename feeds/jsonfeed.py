"""A room as a feed in JSON: JSON Feed 1.1."""

from typing import Any

from chat.events import encode, timestamp
from chat.models import Message
from feeds.addresses import public_file
from feeds.entries import MOST_BYTES, FeedPage, FeedView, changed_at, id_of_message, title_of

TYPE = "application/feed+json"
VERSION = "https://jsonfeed.org/version/1.1"


class JsonFeedView(FeedView):
    path_name = "feeds:json"
    content_type = TYPE

    def size_of(self, message: Message) -> int:
        return len(encode(_item(message, self.addresses)).encode())

    def encode(self, page: FeedPage) -> bytes:
        room = page.room
        fields: dict[str, Any] = {
            "version": VERSION,
            "title": str(room),
            "home_page_url": page.watch,
            "feed_url": page.here,
            "icon": public_file("images/icon.png"),
            "favicon": public_file("images/icon-64.png"),
            "items": [_item(message, self.addresses) for message in page.messages],
        }
        if room.topic:
            fields["description"] = room.topic
        if room.language:
            fields["language"] = room.language
        if page.older:
            fields["next_url"] = page.older
        if room.archived_at:
            fields["expired"] = True
        return encode(fields).encode()


def _item(message: Message, addresses: str) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": id_of_message(message),
        "url": f"{addresses}{message.mid}/",
        "title": title_of(message),
        "content_html": message.html,
        "content_text": message.text,
        "date_published": timestamp(message.created_at),
        "authors": [{"name": message.author_name}],
    }
    if message.edited_at:
        item["date_modified"] = timestamp(changed_at(message))
    if len(message.html) * 2 >= MOST_BYTES // 2:  # markup may make much of little
        del item["content_html"]
    return item
