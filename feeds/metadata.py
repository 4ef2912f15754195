"""What a page about a room, or about one message of it, says of itself: to search engines, to those who show links."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext

from chat import policies
from chat.events import timestamp
from chat.models import Message, Room
from feeds import atom, jsonfeed, oembed
from feeds.addresses import absolute, permanent_addresses, public_file
from feeds.entries import changed_at, title_of

MOST_CHARS = 200  # of a description: more is shown nowhere
# Where Open Graph wants to know which country's, and a language alone does not say.
_COUNTRIES = {
    **{"en": "US", "ja": "JP", "zh": "CN", "zh-hans": "CN", "zh-hant": "TW", "ko": "KR", "de": "DE", "fr": "FR"},
    **{"es": "ES", "pt": "BR", "it": "IT", "nl": "NL", "sv": "SE", "da": "DK", "nb": "NO", "fi": "FI", "pl": "PL"},
    **{"cs": "CZ", "el": "GR", "tr": "TR", "ru": "RU", "uk": "UA", "he": "IL", "ar": "AR", "hi": "IN", "th": "TH"},
    **{"vi": "VN", "id": "ID"},
}


def describe(room: Room, target: Message | None, place: tuple[str, str] | None = None) -> dict[str, object]:
    """For a page's head; ``place`` is where in the history it is, as its address says it. Empty for a room that is not
    open: nobody but its own readers meets that page."""
    if not policies.anyone_may_read(room):
        return {}
    watch = absolute("feeds:watch", room.slug)
    if target:
        about = {
            "address": absolute("feeds:message", room.slug, target.mid),
            "kind": "article",
            "title": gettext("%(author)s in %(room)s") % {"author": target.author_name, "room": room},
            "description": _shortened(target.text),
            "times": [("article:published_time", timestamp(target.created_at))]
            + [("article:modified_time", timestamp(moment)) for moment in (target.edited_at,) if moment],
        }
    else:
        about = {
            "address": f"{watch}?{urlencode([place])}" if place else watch,
            "kind": "website",
            "title": str(room),
            "description": room.topic or gettext("What is said in %(room)s, live.") % {"room": room},
            "times": [],
        }
    return {
        **about,
        "locale": locale_of(room.language),
        "image": public_file("images/card.png"),
        "alternates": [
            (atom.TYPE, f"{room} (Atom)", absolute("feeds:atom", room.slug)),
            (jsonfeed.TYPE, f"{room} (JSON Feed)", absolute("feeds:json", room.slug)),
            *((kind, about["title"], href) for kind, href in oembed.discovery(room, target)),
        ],
    }


def locale_of(language: str) -> str:
    """``ja_JP`` for ``ja``: Open Graph's form; empty where we do not know the country."""
    parts = language.split("-")
    country = next((part for part in parts[1:] if len(part) == 2), None)
    country = country or _COUNTRIES.get(language.lower()) or _COUNTRIES.get(parts[0].lower())
    return f"{parts[0].lower()}_{country.upper()}" if country and language else ""


def linked_data(room: Room, messages: list[Message], target: Message | None) -> dict[str, Any] | None:
    """JSON-LD in schema.org's words: a live blog where only moderators write, else a discussion, in order; on the page
    of a message, that message with what was said after it. ``messages`` are the page's, oldest first."""
    if not policies.anyone_may_read(room):
        return None
    is_blog = room.posting == Room.Posting.MODERATORS
    addresses = permanent_addresses(room)
    about = _of_message(addresses, target, is_blog) if target else _of_room(room, messages)
    if target:
        kind = "BlogPosting" if is_blog else "DiscussionForumPosting"
        about["isPartOf"] = {
            "@type": "LiveBlogPosting" if is_blog else "DiscussionForumPosting",
            "headline": str(room),
            "url": absolute("feeds:watch", room.slug),
        }
        messages = [message for message in messages if message.mid > target.mid]
    else:
        kind = "LiveBlogPosting" if is_blog else "DiscussionForumPosting"
    if is_blog and not target:
        about["coverageStartTime"] = timestamp(room.created_at)
        if room.archived_at:
            about["coverageEndTime"] = timestamp(room.archived_at)
        about["liveBlogUpdate"] = [
            {"@type": "BlogPosting", **_of_message(addresses, message, is_blog)} for message in reversed(messages)
        ]
    elif not is_blog:
        about["comment"] = [_comment(addresses, message) for message in messages]
    return {"@context": "https://schema.org", "@type": kind, **about}


def _of_room(room: Room, messages: list[Message]) -> dict[str, Any]:
    """``url`` is the room's, on whichever page of its history."""
    watch = absolute("feeds:watch", room.slug)
    about = {
        "@id": watch,
        "url": watch,
        "headline": str(room),
        "text": room.topic or str(room),
        "image": public_file("images/card.png"),
        "author": {"@type": "Organization", "name": "Engawa", "url": f"{settings.PUBLIC_URL}/"},
        "datePublished": timestamp(room.created_at),
        "dateModified": timestamp(max(map(changed_at, messages), default=room.created_at)),
    }
    if room.language:
        about["inLanguage"] = room.language
    return about


def _of_message(addresses: str, message: Message, is_blog: bool) -> dict[str, Any]:
    address = f"{addresses}{message.mid}/"
    about = {
        "@id": address,
        "url": address,
        "headline": title_of(message),
        "articleBody" if is_blog else "text": message.text,
        "author": {"@type": "Organization" if message.author_kind == "bot" else "Person", "name": message.author_name},
        "datePublished": timestamp(message.created_at),
    }
    if message.edited_at:
        about["dateModified"] = timestamp(message.edited_at)
    return about


def _comment(addresses: str, message: Message) -> dict[str, Any]:
    about = _of_message(addresses, message, is_blog=False)
    del about["headline"]
    return {"@type": "Comment", **about}


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_CHARS else f"{line[: MOST_CHARS - 1].rstrip()}…"
