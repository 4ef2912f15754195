"""The start of a text on one line, as where a reply shows what it answers: without the signs that only say how it is to
look."""

import re

from django import template

MOST_CHARS = 80  # as static/js/lib/excerpt.js has it, and the signs

_SIGNS = re.compile(r"^> ?|(?<![*`\\])(\*\*?|`)(?![\s*`])([^*`\n]+)(?<!\s)\1(?![*`])", re.MULTILINE)

register = template.Library()


@register.filter
def excerpt(text: str) -> str:
    line = " ".join((_SIGNS.sub(r"\2", text) or text).split())
    return line if len(line) <= MOST_CHARS else f"{line[:MOST_CHARS].rstrip()}…"
