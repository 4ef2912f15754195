"""Numbers as people write them."""

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def grouped(number: int) -> str:
    """With what separates thousands in the page's language."""
    return number_format(number, force_grouping=True)
