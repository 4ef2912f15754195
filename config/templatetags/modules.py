"""A page's script with all that it imports, which is asked for at once and not one after the other."""

from functools import cache

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config.delivery.bundles import Module, in_order, taken_apart
from config.delivery.sources import minified

register = template.Library()


@register.simple_tag
def modules(name: str) -> SafeString:
    """The script element of a module. Where it is not delivered in one file with all that it imports: also links that
    have that loaded meanwhile. What it may import later, by ``import()``, is not among them."""
    needed = () if name in staticfiles_storage.names else (_needed if settings.DEBUG else _needed_once)(name)
    # After the styles, which the page cannot be shown without.
    link = '<link rel="modulepreload" href="{}" fetchpriority="low">'
    links = format_html_join("\n", link, ((static(each),) for each in needed))
    return format_html('{}\n<script type="module" src="{}"></script>', links, static(name))


def _needed(name: str) -> tuple[str, ...]:
    """What a module imports, and what that imports."""
    return tuple(module.name for module in in_order(name, _module)[:-1])


_needed_once = cache(_needed)


def _module(name: str) -> Module:
    path = finders.find(name)
    if path is None:
        raise template.TemplateSyntaxError(f"there is no script {name!r} in static/")
    with open(path, encoding="utf-8") as file:
        return taken_apart(name, minified(name, file.read()))
