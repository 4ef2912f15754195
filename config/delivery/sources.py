"""What our scripts and styles say of each other, and what may be left out of them. Text in, text out."""

import posixpath
import re
from collections.abc import Callable, Iterator

from config.delivery.scripts import without_comments

OURS = ("js/", "css/")  # what we wrote for our own pages; other files are taken as they are

# In scripts without comments. What stands between the braces is names alone, so that no match goes past a statement.
_STATIC = re.compile(r"""(?<![\w$.])(?:import|export)(?:[\w$*{},\s]*?\bfrom)?\s*(["'])(?P<to>\.{1,2}/[^"']+)\1""")
_DYNAMIC = re.compile(r"""(?<![\w$.])import\s*\(\s*(["'])(?P<to>\.{1,2}/[^"']+)\1\s*\)""")
_ANY_DYNAMIC = re.compile(r"(?<![\w$.])import\s*\(")
_URL = re.compile(r"""\burl\(\s*(["']?)(?P<to>(?![a-z]+:|[/#])[^"')]+)\1\s*\)""")

# What may go from a style, also where rules stand in rules: " :hover" is another thing than ":hover".
_STYLE = re.compile(r"""(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?:/\*[\s\S]*?\*/|\s)+""")
_SPACE = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')| (?=[{};,)])|(?<=[{};,(]) """)


class Broken(Exception):
    """The files cannot be delivered as they are; it says why."""


def minified(name: str, text: str) -> str:
    """A script or style of ours without comments and what else only its readers need."""
    if name.endswith(".css"):
        return _SPACE.sub(r"\1", _STYLE.sub(lambda match: match["string"] or " ", text)).strip()
    return without_comments(text)


def imports(name: str, text: str) -> list[str]:
    """The modules that a minified one needs before it runs, in their order."""
    return [_target(name, match) for match in _STATIC.finditer(text)]


def references(name: str, text: str) -> Iterator[str]:
    """The files that a minified script or style names. Raises ``Broken`` where only a run tells what it imports."""
    for pattern in _patterns(name):
        for match in pattern.finditer(text):
            yield _target(name, match)
    if name.endswith(".js") and len(_ANY_DYNAMIC.findall(text)) > len(_DYNAMIC.findall(text)):
        raise Broken(f"{name} imports something that is no literal address beginning with ./ or ../")


def renamed(name: str, text: str, new_name: Callable[[str], str]) -> str:
    """``text`` with each of those files under its new name, which is in the same folder."""

    def replace(match: re.Match) -> str:
        written, start = match["to"], match.start()
        new = posixpath.join(posixpath.dirname(written), posixpath.basename(new_name(_target(name, match))))
        return match[0][: match.start("to") - start] + new + match[0][match.end("to") - start :]

    for pattern in _patterns(name):
        text = pattern.sub(replace, text)
    return text


def _patterns(name: str) -> tuple[re.Pattern, ...]:
    return (_STATIC, _DYNAMIC) if name.endswith(".js") else (_URL,)


def _target(name: str, match: re.Match) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), match["to"]))
