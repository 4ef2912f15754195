"""A message's time as pages write it. Django's ``date`` goes through its format letter by letter: for a page of
messages, which has two times each, that is a third of its work."""

from datetime import UTC, datetime

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def second(moment: datetime | None) -> str:
    """RFC 3339 in UTC, to the second: ``2026-11-21T07:00:00Z``; nothing where there is no moment."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if moment else ""


@register.filter
def day(moment: datetime | None) -> str:
    """``2026-11-21``, in UTC; nothing where there is no moment."""
    return moment.astimezone(UTC).date().isoformat() if moment else ""


@register.filter
def minute(moment: datetime | None) -> str:
    """For people: ``2026-11-21 07:00``, in UTC; nothing where there is no moment."""
    return moment.astimezone(UTC).isoformat(" ", timespec="minutes")[:16] if moment else ""


@register.filter
def clock(moment: datetime | None) -> str:
    """For people who see which day it is: ``07:00``, in UTC; nothing where there is no moment."""
    return minute(moment)[11:]


@register.filter
def stamp(moment: datetime | None) -> SafeString | str:
    """A ``<time>`` as the page's language writes it, in UTC and saying so; nothing where there is no moment. For where
    there are few."""
    if moment is None:
        return ""
    words = date_format(moment.astimezone(UTC), "DATETIME_FORMAT")
    return format_html('<time datetime="{}">{} UTC</time>', second(moment), words)
