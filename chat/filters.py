"""What a room's or the site's filters say about a text or a nickname, before it is kept. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from chat.render import has_link
from chat.sentences import Sentence
from chat.wordlist import check_words, compiled, folded, spelled, unmarked

__all__ = ["ACTIONS", "WAITS", "Rules", "Verdict", "catches_name", "check_words", "fingerprint", "judge"]

ACTIONS = ("allow", "hold", "refuse")
MOST_REPEATS = 20  # of one character or short run, one after the other
LEAST_CASED = 15  # letters, before capitals are shouting
MOST_CAPITALS = 0.7

_REPEATED = re.compile(rf"(?=\S)(.{{1,8}}?)\1{{{MOST_REPEATS}}}", re.DOTALL)
_NOT_SAID = re.compile(r"[\W_]+")
# Addresses without a scheme, which pages do not make links of, and people copy all the same.
_BARE_LINK = re.compile(
    r"(?<![\w.-])(?:www\d?\.[\w-]{1,63}\.|"
    r"[\w-]{1,63}(?:\.[\w-]{1,63}){0,5}\.(?:(?:com|net|org|info|biz|xyz|io|gg|shop|site|online|top|club|app|dev|ru|cn|de|jp|uk"
    r"|tk|me|ly|tv|cc)(?![\w-]|\.\w)|[^\W\d_]{2,24}(?::\d{1,5})?/))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What one room, or the site, wants caught. ``words`` are a list (``chat.wordlist``); the rest is in ACTIONS."""

    words: str = ""
    on_words: str = "refuse"
    on_links: str = "allow"
    on_repeats: str = "allow"
    on_shouting: str = "allow"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``action`` is "hold" or "refuse", ``filter`` what caught it, ``detail`` a sentence for the author."""

    action: str
    filter: str
    detail: Sentence


WAITS = _("Your message waits until a moderator has seen it.")
_SENTENCES = {
    "refuse": {
        "words": _("It has a word that is not welcome here: it was not posted."),
        "links": _("It has a link: it was not posted."),
        "repeats": _("It repeats itself, or what you said before: it was not posted."),
        "shouting": _("It is nearly all capitals: it was not posted."),
    },
    "hold": {
        "words": _("It has a word that is not welcome here: a moderator looks at it first."),
        "links": _("It has a link: a moderator looks at it first."),
        "repeats": _("It repeats itself, or what you said before: a moderator looks at it first."),
        "shouting": _("It is nearly all capitals: a moderator looks at it first."),
    },
}


def judge(rules: Iterable[Rules], text: str, earlier: Sequence[str] = ()) -> Verdict | None:
    """The strictest verdict of all ``rules`` on ``text``, refusing before holding; None where nothing is caught.

    ``earlier`` are the fingerprints of what its author said last.
    """
    wanted: dict[str, str] = {}
    lists: list[tuple[str, str]] = []
    for rule in rules:
        if rule.words and rule.on_words != "allow":
            lists.append((rule.on_words, rule.words))
        if rule.on_links != "allow":
            wanted["links"] = max(rule.on_links, wanted.get("links", ""))  # "refuse" is the greater word, too
        if rule.on_repeats != "allow":
            wanted["repeats"] = max(rule.on_repeats, wanted.get("repeats", ""))
        if rule.on_shouting != "allow":
            wanted["shouting"] = max(rule.on_shouting, wanted.get("shouting", ""))
    if not wanted and not lists:
        return None
    for action in ("refuse", "hold"):
        if caught := _caught(action, lists, wanted, text, earlier):
            return Verdict(action, caught, _SENTENCES[action][caught])
    return None


def _caught(
    action: str, lists: list[tuple[str, str]], wanted: dict[str, str], text: str, earlier: Sequence[str]
) -> str | None:
    """The first filter with this action that catches the text."""
    if _has_word([words for on_words, words in lists if on_words == action], text):
        return "words"
    for name, action_of in wanted.items():
        if action_of == action and _TESTS[name](text, earlier):
            return name
    return None


def catches_name(rules: Iterable[Rules], name: str) -> bool:
    """Whether a nickname has a blocked word of those rules whose ``on_words`` is not "allow"."""
    return _has_word([rule.words for rule in rules if rule.words and rule.on_words != "allow"], name)


def fingerprint(text: str) -> str:
    """What texts that say the same have in common: 16 characters, which only this site can make and nobody can read."""
    said = folded(text)
    said = _NOT_SAID.sub("", said) or "".join(said.split())
    return salted_hmac("chat.filters.fingerprint", said, algorithm="sha256").hexdigest()[:16]


def _has_word(lists: Iterable[str], text: str) -> bool:
    compiled_lists = [compiled(words) for words in lists]
    if not any(compiled_lists):
        return False
    letters = spelled(text)
    return any(words.is_in(letters) for words in compiled_lists)


def _has_link(text: str, earlier: Sequence[str]) -> bool:
    if has_link(text):
        return True
    plain = unmarked(text).replace("。", ".").replace("\u2024", ".")
    return "." in plain and (_BARE_LINK.search(plain) is not None or has_link(plain))


def _repeats(text: str, earlier: Sequence[str]) -> bool:
    return _REPEATED.search(folded(text)) is not None or (bool(earlier) and fingerprint(text) in earlier)


def _shouts(text: str, earlier: Sequence[str]) -> bool:
    if len(text) < LEAST_CASED:
        return False
    capitals = sum(map(str.isupper, text))
    cased = capitals + sum(map(str.islower, text))
    return cased >= LEAST_CASED and capitals > MOST_CAPITALS * cased


_TESTS = {"links": _has_link, "repeats": _repeats, "shouting": _shouts}
