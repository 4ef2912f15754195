"""What people read, and nothing marks for translation: found as well as can be, in templates, Python and scripts.

Each function gives what it found, one line each, with where that is.
"""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from babel.messages.jslexer import tokenize
from django.template.base import Lexer, TokenType

# The same in every language.
NAMES = re.compile(r"\b(Engawa|UTC|CSV|JSON Lines|JSON Feed|JSON|Atom|RSS|HTML|Markdown|QR|URL|https?|English)\b")
_LETTERS = re.compile(r"[^\W\d_]{2,}")

# Templates ----------------------------------------------------------------------------------------------------

_NO_PROSE = {"script", "style", "code", "pre", "svg", "kbd", "textarea"}
_READ_OUT = {"aria-label", "aria-description", "aria-roledescription", "aria-valuetext", "title", "placeholder", "alt"}
_SHOWING_FILTER = re.compile(r"""\|(?:default|default_if_none|yesno):(["'])(.*?)\1""")
_LITERAL = re.compile(r"""(_\()?(["'])(.*?)\2""")


class _Prose(HTMLParser):
    """Collects what is read of a page: its text, and the attributes that are shown or read out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for name, value in attrs:
            is_read = name in _READ_OUT or (name == "content" and given.get("name") == "description")
            is_button = name == "value" and given.get("type") in ("submit", "button", "reset")
            if (is_read or is_button) and value and _says_something(value):
                self.found.append(f'{name}="{value.strip()}"')
        if tag in _NO_PROSE:
            self._inside.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside and _says_something(data):
            self.found.append(" ".join(data.split()))


def in_template(path: Path) -> Iterator[str]:
    page: list[str] = []
    until = ""  # the tag that ends what is not looked at: translated already, or a comment
    for token in Lexer(path.read_text()).tokenize():
        name = token.contents.split(" ")[0] if token.token_type == TokenType.BLOCK else ""
        if until:
            until = "" if name == until else until
        elif name in ("blocktranslate", "blocktrans", "comment"):
            until = f"end{name}"
        elif token.contents == "block body_class":  # an attribute's value, in another template
            until = "endblock"
        elif token.token_type == TokenType.TEXT:
            page.append(token.contents)
        elif token.token_type == TokenType.VAR or name in ("include", "with", "if", "elif"):
            yield from _unmarked_arguments(token.contents, name)
            if page and page[-1].endswith(("<", "</")):
                page.append("x")  # an element whose name is not written here
    prose = _Prose()
    prose.feed("".join(page))
    prose.close()
    yield from prose.found


def _unmarked_arguments(contents: str, name: str) -> Iterator[str]:
    if "|pluralize" in contents:
        yield f"pluralize in {{{{ {contents} }}}}"
    for _, literal in _SHOWING_FILTER.findall(contents):
        if _says_something(literal) and (" " in literal or "," in literal or literal[:1].isupper()):
            yield f"“{literal}” in {{{{ {contents} }}}}"
    if name in ("include", "with"):
        for mark, _, literal in _LITERAL.findall(contents):
            if not mark and _says_something(literal) and (" " in literal.strip() or literal[:1].isupper()):
                yield f"“{literal}” in {{% {contents} %}}"


def _says_something(text: str) -> bool:
    return _LETTERS.search(NAMES.sub("", text)) is not None


# Python -------------------------------------------------------------------------------------------------------

# What is told by calling it, and at which place among its arguments.
_TELLING = {
    "ValidationError": 0,
    "require": 1,
    "add_error": 1,
    "message_user": 1,
    "Verdict": 2,
    "filled": 0,
    **dict.fromkeys(("info", "success", "warning", "error"), 1),
}
_SHOWN = {"label", "help_text", "verbose_name", "verbose_name_plural", "empty_label", "question", "warning", "made"}
_SHOWN_OF_CLASS = _SHOWN | {"detail", "site_header", "site_title", "index_title", "title"}
_FOR_DEVELOPERS = ("api.py", "api_schemas.py")  # where a description is of the API


def in_python(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        for told in _told_by(node, path.name):
            if _is_words(told):
                yield f"line {told.lineno}: {ast.unparse(told)}"


def _told_by(node: ast.AST, file: str) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call):
        called, owner = _called(node.func)
        place = 0 if owner == "errors" else _TELLING.get(called)
        # Of those that share their names with others, a message's and not a log's.
        if called in ("info", "success", "warning", "error") and owner != "messages":
            place = None
        if place is not None and len(node.args) > place:
            yield node.args[place]
        for keyword in node.keywords:
            if keyword.arg in _SHOWN or (keyword.arg == "description" and file not in _FOR_DEVELOPERS):
                yield keyword.value
    elif isinstance(node, ast.ClassDef):
        has_choices = any(ast.unparse(base).endswith("TextChoices") for base in node.bases)
        for statement in node.body:
            if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
                names = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                if {ast.unparse(name) for name in names} & _SHOWN_OF_CLASS:
                    yield statement.value
                if has_choices and isinstance(statement.value, ast.Tuple):
                    yield statement.value.elts[1]


def _called(function: ast.expr) -> tuple[str, str]:
    if isinstance(function, ast.Attribute):
        return function.attr, ast.unparse(function.value).rpartition(".")[2]
    return (function.id, "") if isinstance(function, ast.Name) else ("", "")


def _is_words(told: ast.expr) -> bool:
    if isinstance(told, ast.BinOp):
        return _is_words(told.left)
    if isinstance(told, ast.JoinedStr):
        return any(isinstance(part, ast.Constant) and _says_something(str(part.value)) for part in told.values)
    return isinstance(told, ast.Constant) and isinstance(told.value, str) and _says_something(told.value)


# Scripts ------------------------------------------------------------------------------------------------------

# What is said to developers, or marked.
_SAFE_CALLS = {"gettext", "ngettext", "pgettext", "Error", "TypeError", "RangeError", "warn", "debug", "log", "assert"}
_SENTENCE = re.compile(
    r"[A-Z][a-z’']+(?:[ ,….!?:].*)?"  # a word or more, begun like a sentence
    r"|(?=.*\b(?:a|an|and|are|is|of|on|the|to|you|your)\b)[^\W\d_]+(?: [\w’']+)+[.…!?]?",  # or joined like one
    re.DOTALL,
)
_NO_SENTENCE = re.compile(r"[#\[\]{}<>=/|\\^]|\.\w|--|: ?\w+;")
_KEYS = frozenset(
    "Enter Escape Tab Home End PageUp PageDown ArrowUp ArrowDown ArrowLeft ArrowRight Backspace Delete Space Alt "
    "Control Meta Shift Process Unidentified Accept Authorization String Intl Map Set".split()
)


def in_script(path: Path) -> Iterator[str]:
    calls: list[str] = []
    before = ""
    for token in tokenize(path.read_text()):
        if token.type == "operator" and token.value == "(":
            calls.append(before)
        elif token.type == "operator" and token.value == ")" and calls:
            calls.pop()
        elif token.type in ("string", "template_string") and not _SAFE_CALLS & set(calls):
            text = re.sub(r"\$\{[^{}]*\}", "…", token.value[1:-1]).strip()
            if text not in _KEYS and not _NO_SENTENCE.search(text) and _SENTENCE.fullmatch(NAMES.sub("", text).strip()):
                yield f"line {token.lineno}: {token.value}"
        if token.type not in ("linecomment", "multilinecomment"):
            before = token.value
