"""How long ago something was, for people, in the language of the page."""

from datetime import UTC, datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
DAYS = 7  # after as many, the day itself says more

register = template.Library()


@register.filter
def ago(moment: datetime) -> str:
    """“just now”, “5 minutes ago”, and beyond a week the day, in UTC."""
    now = timezone.now()
    seconds = (now - moment).total_seconds()
    if seconds < MINUTE:
        return _("just now")
    if seconds < HOUR:
        count = int(seconds // MINUTE)
        return ngettext("%(count)s minute ago", "%(count)s minutes ago", count) % {"count": count}
    if seconds < DAY:
        count = int(seconds // HOUR)
        return ngettext("%(count)s hour ago", "%(count)s hours ago", count) % {"count": count}
    if seconds < DAYS * DAY:
        count = int(seconds // DAY)
        return ngettext("%(count)s day ago", "%(count)s days ago", count) % {"count": count}
    day = moment.astimezone(UTC)
    return date_format(day, "MONTH_DAY_FORMAT" if day.year == now.year else "DATE_FORMAT")


@register.filter
def in_time(seconds: float | None) -> str:
    """How long to wait: “12 seconds”, “3 minutes”, “2 hours”, “4 days”; never less than it is."""
    left = max(1, int(-(-(seconds or 0) // 1)))
    if left <= 2 * MINUTE:
        return ngettext("%(count)s second", "%(count)s seconds", left) % {"count": left}
    if left <= 2 * HOUR:
        count = -(-left // MINUTE)
        return ngettext("%(count)s minute", "%(count)s minutes", count) % {"count": count}
    if left <= 2 * DAY:
        count = -(-left // HOUR)
        return ngettext("%(count)s hour", "%(count)s hours", count) % {"count": count}
    count = -(-left // DAY)
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}
