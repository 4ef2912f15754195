"""A page that goes on as messages come, for browsers without JavaScript: one response that does not end.

Nothing that a browser has been sent can be taken out of its page again. So when words that a page shows are changed or
taken back, the page ends, and comes anew by itself without them (``feeds.forms.writers.PageWriter``).
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from html import escape
from random import randint
from types import SimpleNamespace

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import get_template, render_to_string
from django.urls import reverse
from django.utils.translation import get_language, gettext

from chat import events, meters
from chat.errors import ChatError
from chat.events import LoggedEvent
from chat.follower import Message
from chat.models import Room
from chat.pages import permalinks
from feeds.forms.parts import Part, Watching, in_its_language, together

RESET, DROPPED = "reset", "dropped"
_MESSAGES, _END = "<!-- messages -->", "<!-- end -->"
_COMES_BACK_SECONDS = (5, 15)  # after an end: not all at once, and not before a process has started anew


@dataclass(frozen=True)
class LivePage(Watching):
    """The room ``slug``, its messages as the pages' own templates have them, in ``language``."""

    slug: str
    language: str = settings.LANGUAGE_CODE
    transport = meters.PAGE

    @in_its_language
    def events(self, logged: list[LoggedEvent]) -> list[Message]:
        return together([self._part(event) for event in logged])

    def heartbeat(self, head: int) -> list[Message]:
        return together([Part(b"\n")])

    def reset(self, head: int) -> list[Message]:
        return together([Part(b"", head, RESET)])

    @in_its_language
    def said_before(self, history: list[dict]) -> list[Part]:
        """The messages of a history."""
        known = {message["mid"]: message for message in history}
        return [Part(self._item(message, known), mid=message["mid"]) for message in history]

    @in_its_language
    def dropped(self, error: ChatError) -> list[Message]:
        return together([Part(room_heading(f"{self.slug}: {error.detail}"), type=DROPPED)])

    @in_its_language
    def complete(self, head: int) -> str:
        return page_end(gettext("This room is archived: nothing is added to it."))

    @in_its_language
    def ending(self, error: ChatError, place: str) -> str:
        return page_end(gettext("This page ended."), place)

    def _part(self, event: LoggedEvent) -> Part:
        content = b""
        if event.type in events.WITH_TEXT:
            content = self._item(json.loads(event.json), {})
        return Part(content, event.seq, event.type, event.mid)

    def _item(self, message: dict, known: dict[str, dict]) -> bytes:
        answers = message.get("reply_to") or ""
        answered = known.get(answers)
        context = {
            "message": SimpleNamespace(
                mid=message["mid"],
                author_key=message["author"]["id"],
                author_kind=message["author"]["kind"],
                author_role=message["author"]["role"],
                author_name=message["author"]["name"],
                text=message["message"],
                html=message["html"],
                created_at=datetime.fromisoformat(message["at"]),
                edited_at=message.get("edited_at"),
                reply_to=answers,
                reaction_counts=message.get("reactions"),
                answered=answered and SimpleNamespace(author_name=answered["author"]["name"], text=answered["message"]),
            ),
            **_addresses(self.slug),
        }
        return _message_template().render(context).encode()


def page_start(abouts: dict[str, dict], *, is_over: bool, is_anew: bool, request: HttpRequest | None = None) -> str:
    """A page up to where its messages come; ``abouts`` is what there is to know of its rooms, by slug. One that
    ``is_anew`` begins with the newest messages, another goes on from somewhere.

    Unless it is over from the start, it comes anew by itself soon after it has ended.
    """
    context = {
        "rooms": [{"slug": slug, **about} for slug, about in abouts.items()],
        "seconds": None if is_over else randint(*_COMES_BACK_SECONDS),  # noqa: S311 – spreads load, keeps no secret
        "is_anew": is_anew,
        "request": request,
    }
    return render_to_string("feeds/live.html", context).partition(_MESSAGES)[0]


def page_end(said: str, address: str | None = None, *, at_once: bool = False) -> str:
    """The rest of a page, with a link to ``address``, where it goes on (None: it does not); ``at_once`` by itself."""
    end = f"<p>{escape(said)}"
    if address is not None:
        end += f' <a href="{escape(address)}">{escape(gettext("Go on"))}</a>'
        if at_once:
            end += f'<meta http-equiv="refresh" content="0; url={escape(address)}">'
    return _rest_of_page(get_language()).replace(_END, f"{end}</p>")


def room_heading(title: str) -> bytes:
    return f'<li class="live__room"><bdi>{escape(title)}</bdi></li>'.encode()


@lru_cache(maxsize=256)  # asked of each message
def _addresses(slug: str) -> dict[str, str]:
    return {
        "report_url": reverse("feeds:report", args=[slug]),
        "permalinks": permalinks("feeds:message", Room(slug=slug)),
    }


@cache
def _message_template() -> object:
    return get_template("chat/_message.html")


@cache
def _rest_of_page(language: str) -> str:
    return render_to_string("feeds/live.html", {"rooms": []}).partition(_MESSAGES)[2]
