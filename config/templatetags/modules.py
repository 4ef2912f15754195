"""A page's script, and all that it imports, asked for at once and not one after the other."""

from functools import cache

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config.delivery.sources import imports, minified

register = template.Library()


@register.simple_tag
def modules(name: str) -> SafeString:
    """The script element of a module, and links that have what it imports loaded meanwhile. What it may import later,
    by ``import()``, is not among them."""
    needed = (_needed if settings.DEBUG else _needed_once)(name)
    # After the styles, which the page cannot be shown without.
    link = '<link rel="modulepreload" href="{}" fetchpriority="low">'
    links = format_html_join("\n", link, ((static(each),) for each in needed))
    return format_html('{}\n<script type="module" src="{}"></script>', links, static(name))


def _needed(name: str) -> tuple[str, ...]:
    """What a module imports, and what that imports, the nearest first."""
    found: dict[str, None] = {}
    nearest = [name]
    while nearest:
        nearest = [each for module in nearest for each in _imports(module) if each not in found and each != name]
        found.update(dict.fromkeys(nearest))
    return tuple(found)


_needed_once = cache(_needed)


def _imports(name: str) -> list[str]:
    path = finders.find(name)
    if path is None:
        raise template.TemplateSyntaxError(f"there is no script {name!r} in static/")
    with open(path, encoding="utf-8") as file:
        return imports(name, minified(name, file.read()))
