"""A page's script, and all that it imports, which is asked for at once and not one after the other."""

import posixpath
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()
# As all of ours are written: each at the beginning of a line, and what it names in double quotes.
_IMPORT = re.compile(r'^(?:import|export)\b(?:[^;"]*\bfrom)?\s*"(\.{1,2}/[^"]+)";', re.MULTILINE)


@register.simple_tag
def modules(name: str) -> SafeString:
    """The script element of a module, and before it links that have what it imports loaded meanwhile. What it may
    import later, by ``import()``, is not among them."""
    needed = (_needed if settings.DEBUG else _needed_once)(name)
    # After the styles, which the page cannot be shown without.
    link = '<link rel="modulepreload" href="{}" fetchpriority="low">'
    links = format_html_join("\n", link, ((static(each),) for each in needed))
    return format_html('{}\n<script type="module" src="{}"></script>', links, static(name))


def _needed(name: str) -> tuple[str, ...]:
    """What a module imports, and what that imports, each once."""
    found = dict.fromkeys(_imports(name))
    for each in (waiting := list(found)):
        new = [other for other in _imports(each) if other not in found]
        found.update(dict.fromkeys(new))
        waiting += new
    return tuple(found)


_needed_once = cache(_needed)


def _imports(name: str) -> Iterator[str]:
    path = finders.find(name)
    if path is None:
        raise template.TemplateSyntaxError(f"there is no script {name!r} in static/")
    for imported in _IMPORT.findall(Path(path).read_text(encoding="utf-8")):
        yield posixpath.normpath(posixpath.join(posixpath.dirname(name), imported))
