"""The start of a text on one line, as where a reply shows what it answers."""

from django import template

MOST_CHARS = 80  # as static/js/lib/excerpt.js has it

register = template.Library()


@register.filter
def excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_CHARS else f"{line[:MOST_CHARS].rstrip()}…"
