"""A message's text as HTML: links, ``code``, emphasis, quotes, line breaks, mentions; nothing else.

Rendered once, when a message is written, and kept beside the text with ``RENDERER``, the version of these
rules. markdown-it parses (raw HTML is text to it), nh3 sanitises what it made: two libraries would have to fail
in the same place.
"""

import re
from html import escape

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

RENDERER = 1

# Nothing that Markdown, the linkifier or the sanitiser would act on: no character that begins any of their marks,
# none that HTML writes in another way, no space but the plain one, and that only between words. Addresses, which all
# have ":/" or "@", are left to the linkifier. Whatever is in doubt is not plain.
_WORD = r"[^\x00- &*<>@\\_`~\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\ud800-\udfff]+"
_PLAIN = re.compile(rf"{_WORD}(?:(?: +|\n){_WORD})*")
_MAX_QUOTE_DEPTH = 5
_DEEP_QUOTE = re.compile(rf"^[ \t]*(?:>[ \t]*){{{_MAX_QUOTE_DEPTH + 1}}}", re.MULTILINE)
_TAG = re.compile(r"<[^>]*>")
_MENTION = re.compile(r"@([^\W_](?:[\w.+-]{0,62}[\w+])?)")
_RUNS_INTO = re.compile(r"[\w@./]")


def to_html(text: str) -> str:
    """Sanitised HTML for ``text``: block elements ``p``, ``blockquote`` and ``pre`` only at the top."""
    if is_plain(text):
        return "<p>" + text.replace("\n", "<br>\n") + "</p>"
    return _parsed(text)


def is_plain(text: str) -> bool:
    """Whether ``text`` is certainly its own HTML but for its line breaks. Most of what people say is."""
    return ":/" not in text and _PLAIN.fullmatch(text) is not None


def has_link(text: str) -> bool:
    """Whether something in ``text`` may be made a link: an address with its scheme, or one for mail."""
    return _markdown.linkify.test(text)


def _parsed(text: str) -> str:
    """The same by the parser and the sanitiser, for any text."""
    if not _DEEP_QUOTE.search(text):  # the parser drops what lies deeper than it goes; we lose nothing
        html = _sanitiser.clean(_markdown.render(text)).strip()
        if _TAG.sub("", html).strip():
            return html
    return "<p>" + escape(text).replace("\n", "<br>\n") + "</p>"


def _mention(state: StateInline, silent: bool) -> bool:
    """An inline rule: ``@name`` where no word or address runs into it."""
    if state.src[state.pos] != "@" or (state.pos and _RUNS_INTO.match(state.src, state.pos - 1)):
        return False
    match = _MENTION.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        token = state.push("mention_open", "span", 1)
        token.attrs = {"class": "mention"}
        state.push("text", "", 0).content = match[0]
        state.push("mention_close", "span", -1)
    state.pos = match.end()
    return True


def _parser() -> MarkdownIt:
    markdown = MarkdownIt("zero", {"html": False, "linkify": True, "breaks": True, "maxNesting": 20})
    markdown.enable(["newline", "backticks", "fence", "emphasis", "blockquote", "autolink", "linkify", "escape"])
    markdown.inline.ruler.push("mention", _mention)
    # Only what names its scheme is a link: "readme.md" and "and.so" are words.
    markdown.linkify.set({"fuzzy_link": False, "fuzzy_email": True, "fuzzy_ip": False})
    markdown.linkify.add("ftp:", None)
    markdown.linkify.add("//", None)
    return markdown


_markdown = _parser()
_sanitiser = nh3.Cleaner(
    tags={"p", "br", "a", "code", "pre", "em", "strong", "blockquote", "span"},
    attributes={"a": {"href"}},
    allowed_classes={"span": {"mention"}},
    url_schemes={"http", "https", "mailto"},
    link_rel="nofollow ugc noopener",
)
