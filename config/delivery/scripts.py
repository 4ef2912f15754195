"""A script without comments, and without spaces that tell nothing. Names and everything else stay as they are."""

import re
from collections.abc import Iterator

_PIECE = re.compile(
    r"""
    (?P<gap>(?:\s|//[^\n]*|/\*[\s\S]*?\*/)+)
    |(?P<string>"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*')
    |(?P<word>[\w$\#]+)
    |(?P<sign>[\s\S])
    """,
    re.VERBOSE,
)
_REGEXP = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/\w*")
_TEMPLATE = re.compile(r"(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)")  # up to its end, or to where code begins in it
# After these words a slash begins a regular expression; after other words, and what closes, it divides.
_BEFORE_VALUES = frozenset(
    "await case delete do else extends in instanceof new of return throw typeof void yield".split()
)
# Where a line ends after one of these, or the next begins with one of those, the statement does not end with it.
_OPEN = frozenset("{([,;:?=&|*%<>!~^.")
_CLOSING = frozenset("}]),;:?=&|%<>^.")
_WORD_CHAR = re.compile(r"[\w$#]")


def without_comments(text: str) -> str:
    written: list[str] = []
    last, gap = "", ""
    for kind, piece in pieces(text):
        if kind == "gap":
            gap = piece
            continue
        written += (_between(last, gap, piece), piece)
        last, gap = piece, ""
    return "".join(written)


def _between(last: str, gap: str, piece: str) -> str:
    """What must stay of a gap between two pieces."""
    if not gap or not last:
        return ""
    if "\n" in gap:
        return "" if last in _OPEN or piece[0] in _CLOSING else "\n"
    end, start = last[-1], piece[0]
    both_words = _WORD_CHAR.match(end) and _WORD_CHAR.match(start)
    is_number = last[0].isdigit() and start == "."
    return " " if both_words or is_number or end + start in ("++", "--", "//", "/*", "<!") else ""


def pieces(text: str) -> Iterator[tuple[str, str]]:
    position, last = 0, ""
    braces: list[str] = []  # those that are open: of code, or of code in a template
    while position < len(text):
        match = _PIECE.match(text, position)
        kind, piece = match.lastgroup, match[0]
        if piece == "/" and _begins_value(last):
            match = _REGEXP.match(text, position) or match
        elif piece == "`" or (piece == "}" and braces and braces[-1] == "${"):
            if piece == "}":
                braces.pop()
            match = _TEMPLATE.match(text, position + 1) or match
            if match[0].endswith("${"):
                braces.append("${")
        elif piece == "{":
            braces.append("{")
        elif piece == "}" and braces:
            braces.pop()
        piece, position = text[position : match.end()], match.end()
        if kind != "gap":
            last = piece
        yield kind, piece


def _begins_value(last: str) -> bool:
    """Whether a slash after ``last`` begins a regular expression."""
    if not last or last in _BEFORE_VALUES:
        return True
    return (len(last) == 1 and not (_WORD_CHAR.match(last) or last in ")]}`")) or last.endswith("${")
