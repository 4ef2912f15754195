"""A room as an Atom feed: RFC 4287, in pages as RFC 5005 has them."""

from xml.etree.ElementTree import Element, tostring

from chat.events import timestamp
from chat.models import Message
from feeds import xml
from feeds.addresses import public_file
from feeds.entries import MOST_BYTES, FeedPage, FeedView, changed_at, id_of_message, id_of_room, title_of

TYPE = "application/atom+xml"
_NAMESPACE = "http://www.w3.org/2005/Atom"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


class AtomView(FeedView):
    path_name = "feeds:atom"
    content_type = f"{TYPE}; charset=utf-8"

    def size_of(self, message: Message) -> int:
        return len(tostring(_entry(message, self.addresses), encoding="utf-8"))

    def encode(self, page: FeedPage) -> bytes:
        room = page.room
        feed = Element("feed", {"xmlns": _NAMESPACE})
        if room.language:
            feed.set(_LANGUAGE, room.language)
        xml.add(feed, "id", id_of_room(room))
        xml.add(feed, "title", str(room))
        if room.topic:
            xml.add(feed, "subtitle", room.topic)
        xml.add(feed, "updated", timestamp(page.updated))
        xml.add(feed, "generator", "Engawa")
        xml.add(feed, "icon", public_file("images/icon.png"))
        xml.add(feed, "link", rel="self", type=TYPE, href=page.here)
        xml.add(feed, "link", rel="alternate", type="text/html", href=page.watch)
        xml.add(feed, "link", rel="first", type=TYPE, href=page.newest)
        for way, address in (("previous", page.newer), ("next", page.older)):
            if address:
                xml.add(feed, "link", rel=way, type=TYPE, href=address)
        if not page.messages:
            xml.add(xml.add(feed, "author"), "name", str(room))  # where no entry has one, the feed must
        feed.extend(_entry(message, self.addresses) for message in page.messages)
        return xml.serialise(feed)


def _entry(message: Message, addresses: str) -> Element:
    entry = Element("entry")
    xml.add(entry, "id", id_of_message(message))
    xml.add(entry, "title", title_of(message))
    xml.add(entry, "published", timestamp(message.created_at))
    xml.add(entry, "updated", timestamp(changed_at(message)))
    xml.add(xml.add(entry, "author"), "name", message.author_name)
    xml.add(entry, "link", rel="alternate", type="text/html", href=f"{addresses}{message.mid}/")
    # Markup may make much of little, and escaped once more it is still longer.
    is_short = len(message.html) * 2 < MOST_BYTES // 2
    content = message.html if is_short else message.text
    xml.add(entry, "content", content, type="html" if is_short else "text")
    return entry
