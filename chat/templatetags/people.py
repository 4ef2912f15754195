"""Somebody's colour and letter, what they are, and the language of a page."""

from urllib.parse import quote

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language, pgettext_lazy

from chat import hues, policies, words, writing
from chat.languages import PARAMETER, bcp47

register = template.Library()
register.filter("letter", hues.letter_of)

# What stands in the code and in events, as a badge says it.
_BADGES = {
    "owner": pgettext_lazy("badge", "owner"),
    "moderator": pgettext_lazy("badge", "moderator"),
    "member": pgettext_lazy("badge", "member"),
    "guest": pgettext_lazy("badge", "guest"),
    "bot": pgettext_lazy("badge", "bot"),
    "public": pgettext_lazy("badge", "public"),
    "unlisted": pgettext_lazy("badge", "unlisted"),
    "private": pgettext_lazy("badge", "private"),
    "read": pgettext_lazy("what a program may do", "read"),
    "post": pgettext_lazy("what a program may do", "post"),
    "delete": pgettext_lazy("what a program may do", "delete"),
}


@register.filter
def badge(code: str) -> str:
    """A role, a kind of author, a visibility or a scope, in the page's language; another word stays as it is."""
    return str(_BADGES.get(code, code))


@register.filter
def hue(message: object) -> int | str:
    """The colour of the author of a message or a held one (``author_hue`` where they chose it); nothing of none."""
    return hues.hue_of(message.author_key, getattr(message, "author_hue", None)) if message else ""


@register.simple_tag
def written_in(message: object, expected: str) -> str | None:
    """The language of a message's text, as its script says; ``expected`` where it may be that of its room."""
    return writing.language_of(message.text, expected or "") if message else None


@register.filter
def own_hue(user: object) -> int:
    """The colour of an account."""
    return hues.hue_of(user.identity.key, user.hue)


@register.simple_tag(takes_context=True)
def way_back(context: template.Context) -> str:
    """What the address of signing in or up adds, so that it leads back here; nothing where here is no place to be."""
    request = context.get("request")
    if request is None:
        return ""
    match = request.resolver_match
    is_place = request.method == "GET" and match is not None and match.view_name != "join"  # which leads there itself
    here = request.get_full_path() if is_place else ""
    if request.path.startswith(reverse("login").removesuffix("login/")):
        here = context.get("next") or ""  # on the way already
    return f"?next={quote(here, safe='/')}" if here not in ("", reverse("chat:index"), reverse("home")) else ""


@register.simple_tag(takes_context=True)
def after_logout(context: template.Context) -> str:
    """Where somebody goes who signs out here: they stay in a room that anybody may read; all else was theirs."""
    request, room = context.get("request"), context.get("room")
    match = getattr(request, "resolver_match", None)
    if match is None or match.view_name not in ("chat:room", "chat:message") or room is None:
        return reverse("chat:index")
    return request.path if policies.anyone_may_read(room) else reverse("chat:index")


@register.simple_tag
def page_language() -> str:
    """What ``<html lang>`` says."""
    return bcp47(get_language() or settings.LANGUAGE_CODE)


@register.simple_tag
def words_url() -> str:
    """The script with what scripts say in this page's language; empty where they need none."""
    language = get_language() or settings.LANGUAGE_CODE
    if language == words.SOURCE or language not in dict(settings.LANGUAGES):
        return ""
    return reverse("words", args=[language, words.digest_of(language)])


@register.simple_tag(takes_context=True)
def languages(context: template.Context) -> list[dict[str, object]]:
    """Each language that a page may be had in: its code, its own name, its BCP 47 tag, whether this page is in it, and
    the address of this page in it."""
    request = context.get("request")
    query = request.GET.copy() if request else None
    choices = []
    for code, name in settings.LANGUAGES:
        if query is not None:
            query[PARAMETER] = code
        choices.append(
            {
                "code": code,
                "name": name,
                "tag": bcp47(code),
                "is_current": code == get_language(),
                "address": f"?{query.urlencode()}" if query is not None else f"?{PARAMETER}={code}",
            }
        )
    return choices
