"""A transcript of a room as a file, in every form: how it begins, each message, and how it ends. Pure.

Each begins with how many messages there were when it was begun, and ends with a line that says that it is complete, or
why it is not. A file without either was broken off. What a file says to people is in the active language; what programs
go by is the same in all: the words "complete" and "incomplete", the names of columns, fields and ranks.
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from chat.events import encode, message_fields, timestamp
from chat.languages import bcp47
from chat.ledger import safe_cell
from chat.models import Message
from feeds.forms.harmless import harmless, set_off


@dataclass(frozen=True, slots=True)
class About:
    """What is exported: of which room, from when to when (RFC 3339, or "" where it is open), how many messages."""

    slug: str
    title: str
    address: str
    since: str
    until: str
    at: str
    total: int

    @property
    def span(self) -> str:
        """In words."""
        ends = {"since": self.since, "until": self.until}
        if self.since and self.until:
            return gettext("from %(since)s to %(until)s") % ends
        if self.since:
            return gettext("from %(since)s") % ends
        return gettext("to %(until)s") % ends if self.until else gettext("all of it")


@dataclass(frozen=True, slots=True)
class Form:
    """One form of transcript. ``mark`` is in it once for each message, and nowhere else but for ``extra_marks`` times
    in the beginning and the end."""

    name: str
    title: str | Promise
    content_type: str
    mark: str
    extra_marks: int
    begin: Callable[[About], str]
    message: Callable[[Message, str], str]
    end: Callable[[int, str], str]  # of how many were written, and why that is not all ("": it is)


def _messages(count: int) -> str:
    return ngettext("%(count)s message", "%(count)s messages", count) % {"count": count}


# JSON Lines ------------------------------------------------------------------------------------------------


def _begin_lines(about: About) -> str:
    fields = {"type": "transcript", "room": about.slug, "title": about.title, "url": about.address}
    return _line({**fields, "from": about.since, "to": about.until, "at": about.at, "total": about.total})


def _message_line(message: Message, slug: str) -> str:
    return encode(message_fields(message, slug)) + "\n"


def _end_lines(count: int, reason: str) -> str:
    end: dict[str, Any] = {"type": "incomplete" if reason else "complete", "messages": count}
    return _line({**end, "reason": reason} if reason else end)


def _line(fields: dict[str, Any]) -> str:
    return encode(fields) + "\n"


# CSV -------------------------------------------------------------------------------------------------------

COLUMNS = ("type", "mid", "at", "author", "kind", "role", "author_id", "reply_to", "edited_at", "reactions", "message")
# Spreadsheets take a file for UTF-8 only where it begins with this.
BOM = "\ufeff"


def _row(*cells: str) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([safe_cell(cell) for cell in cells])
    return line.getvalue()


def _begin_rows(about: About) -> str:
    about_it = f"{about.title}, {about.span}: {_messages(about.total)}, {about.address}"
    return BOM + _row(*COLUMNS) + _row("transcript", "", about.at, *[""] * 7, about_it)


def _message_row(message: Message, slug: str) -> str:
    return _row(
        "message",
        message.mid,
        timestamp(message.created_at),
        message.author_name,
        message.author_kind,
        message.author_role,
        message.author_key,
        message.reply_to,
        timestamp(message.edited_at) if message.edited_at else "",
        _reactions(message),
        message.text,
    )


def _end_rows(count: int, reason: str) -> str:
    said = f"{_messages(count)}. {reason}" if reason else _messages(count)
    return _row("incomplete" if reason else "complete", *[""] * 9, said)


def _reactions(message: Message) -> str:
    return " ".join(f"{reaction} {count}" for reaction, count in (message.reaction_counts or {}).items())


# Plain text ------------------------------------------------------------------------------------------------


def _begin_text(about: About) -> str:
    words = gettext("%(span)s, %(messages)s, as of %(at)s. All times are UTC.")
    told = words % {"span": about.span, "messages": _messages(about.total), "at": about.at}
    lines = (about.title, about.address, told)
    return "".join(f"{harmless(line)}\n" for line in lines) + "\n"


def _message_text(message: Message, slug: str) -> str:
    name = set_off(message.author_name, message.author_kind, message.author_role)
    edited = f" {gettext('(edited)')}" if message.edited_at else ""
    text = "\n    ".join(map(harmless, message.text.split("\n")))
    return f"[{timestamp(message.created_at)[:19].replace('T', ' ')}] {name}{edited} {text}\n"


def _end_text(count: int, reason: str) -> str:
    messages = _messages(count)
    return f"\n-- Incomplete, {messages}: {reason}\n" if reason else f"\n-- Complete: {messages}.\n"


# HTML ------------------------------------------------------------------------------------------------------

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; }
body { max-width: 46rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
ol { list-style: none; padding: 0; }
li { padding: 0.3rem 0; break-inside: avoid; }
time, small, .reply { color: GrayText; font-size: 0.875rem; }
p, pre, blockquote { margin: 0; }
pre { white-space: pre-wrap; }
blockquote { padding-inline-start: 0.75rem; border-inline-start: 3px solid GrayText; }
"""
_STYLE_HASH = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
HTML_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'"


_KINDS = {"guest": _("guest"), "bot": _("bot")}


def _begin_html(about: About) -> str:
    title, language = escape(about.title), bcp47(get_language() or settings.LANGUAGE_CODE)
    words = escape(gettext("A transcript, %(span)s: %(messages)s, as of %(at)s. All times are UTC."))
    at = f'<time datetime="{about.at}">{about.at}</time>'
    told = words % {"span": escape(about.span), "messages": escape(_messages(about.total)), "at": at}
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(HTML_POLICY, quote=True)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1><a href="{escape(about.address)}"><bdi>{title}</bdi></a></h1>\n'
        f"<p>{told}</p>\n<ol>\n"
    )


def _message_html(message: Message, slug: str) -> str:
    at = timestamp(message.created_at)
    kind = _KINDS.get(message.author_kind)
    badge = f" <small>{escape(str(kind))}</small>" if kind else ""
    in_reply = escape(gettext("in reply"))
    reply = f' <a class="reply" href="#m-{message.reply_to}">{in_reply}</a>' if message.reply_to else ""
    edited = f" <small>{escape(gettext('(edited)'))}</small>" if message.edited_at else ""
    reactions = f"<small>{escape(_reactions(message))}</small>" if message.reaction_counts else ""
    return (
        f'<li id="m-{message.mid}"><b><bdi>{escape(message.author_name)}</bdi></b>{badge} '
        f'<time datetime="{at}">{at[:19].replace("T", " ")}</time>{edited}{reply}'
        # Safe: chat.render made this HTML from the text and sanitised it.
        f'<div dir="auto">{message.html}</div>{reactions}</li>\n'
    )


def _end_html(count: int, reason: str) -> str:
    counted = {"messages": _messages(count), "reason": reason}
    words = gettext("Incomplete, %(messages)s: %(reason)s") if reason else gettext("Complete: %(messages)s.")
    state = "incomplete" if reason else "complete"
    return f'</ol>\n<p data-end="{state}">{escape(words % counted)}</p>\n</body>\n</html>\n'


FORMS = {
    form.name: form
    for form in (
        Form("html", _("A page (HTML)"), "text/html", '<li id="m-', 0, _begin_html, _message_html, _end_html),
        Form("txt", _("Plain text"), "text/plain", "\n[", 0, _begin_text, _message_text, _end_text),
        Form("csv", _("A table (CSV)"), "text/csv", "\r\n", 3, _begin_rows, _message_row, _end_rows),
        Form("jsonl", "JSON Lines", "application/x-ndjson", "\n", 2, _begin_lines, _message_line, _end_lines),
    )
}
