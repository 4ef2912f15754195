"""What may be left out of our scripts and styles, and what styles name. Text in, text out."""

import posixpath
import re
from collections.abc import Callable

from config.delivery.scripts import without_comments

SCRIPTS, STYLES = "js/", "css/"
OURS = (SCRIPTS, STYLES)  # what we wrote for our own pages; other files are taken as they are

_URL = re.compile(r"""\burl\(\s*(["']?)(?P<to>(?![a-z]+:|[/#])[^"')]+)\1\s*\)""")

# What may go from a style, also where rules stand in rules: " :hover" is another thing than ":hover".
_STYLE = re.compile(r"""(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?:/\*[\s\S]*?\*/|\s)+""")
_SPACE = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')| (?=[{};,)])|(?<=[{};,(]) """)


def minified(name: str, text: str) -> str:
    """A script or style of ours without comments and what else only its readers need."""
    if name.endswith(".css"):
        return _SPACE.sub(r"\1", _STYLE.sub(lambda match: match["string"] or " ", text)).strip()
    return without_comments(text)


def renamed(name: str, style: str, new_name: Callable[[str], str]) -> str:
    """``style`` with each of those files under its new name, which is in the same folder."""

    def replace(match: re.Match) -> str:
        written, start = match["to"], match.start()
        new = posixpath.join(posixpath.dirname(written), posixpath.basename(new_name(_target(name, match))))
        return match[0][: match.start("to") - start] + new + match[0][match.end("to") - start :]

    return _URL.sub(replace, style)


def _target(name: str, match: re.Match) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), match["to"]))
