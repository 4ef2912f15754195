"""A page's script in one file with all that it imports: sixty small files compress to half as much again as one.

Each module stays a scope of its own. What it exports lies in a table that all files of a page share, so that a module
is there once, whichever file brings it first. Names in modules stay as they are.
"""

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from config.delivery.errors import Broken
from config.delivery.scripts import pieces

TABLE = "engawa$"
_OPENS, _CLOSES = frozenset("([{"), frozenset(")]}")
_STRING = re.compile(r"""["'](\.{1,2}/[^"']+)["']""")


ModuleOf = Callable[[str], "Module"]


@dataclass
class Module:
    """One module, taken apart. Names of others are as from ``static/``."""

    name: str
    code: str = ""  # what it exports is declared there; each import() in it is a zero byte
    imports: list[tuple[str, str]] = field(default_factory=list)  # what is bound to what it is taken from
    later: list[str] = field(default_factory=list)  # by import(), in their order in ``code``
    exports: dict[str, str] = field(default_factory=dict)  # by their names outside
    passed_on: list[str] = field(default_factory=list)  # modules all of whose exports are its own

    @property
    def needs(self) -> list[str]:
        return [name for _, name in self.imports]


def taken_apart(name: str, text: str) -> Module:
    """Of a minified module. Raises ``Broken`` where it says what is not understood here."""
    if TABLE in text:
        raise Broken(f"{name} has {TABLE}, which is taken")
    module = Module(name)
    module.code = _Reader(module, [piece for _, piece in pieces(text)]).read()
    return module


class _Reader:
    def __init__(self, module: Module, all_pieces: list[str]) -> None:
        self._module = module
        self._pieces = all_pieces
        self._at = 0

    def read(self) -> str:
        written: list[str] = []
        depth = 0
        last = ""
        while self._at < len(self._pieces):
            piece = self._next()
            if piece == "import" and last != "." and self._peek() == "(":
                written.append(self._later())
            elif piece == "import" and last != ".":
                if depth or self._peek() == ".":
                    raise self._broken("an import that is not understood")
                self._import()
            elif piece == "export" and depth == 0 and last != ".":
                written.append(self._export())
            else:
                written.append(piece)
            # A template's code begins and ends within its pieces.
            depth += (piece in _OPENS) + piece.endswith("${") - (piece in _CLOSES) - _goes_on(piece)
            last = piece.strip() or last
        return "".join(written)

    def _next(self) -> str:
        self._at += 1
        return self._pieces[self._at - 1]

    def _word(self) -> str:
        """The next piece that is no gap."""
        while not self._peek_raw().strip():
            self._at += 1
        return self._next()

    def _peek_raw(self) -> str:
        if self._at >= len(self._pieces):
            raise self._broken("an end where none should be")
        return self._pieces[self._at]

    def _peek(self) -> str:
        at = self._at
        word = self._word()
        self._at = at
        return word

    def _until_from(self) -> tuple[list[str], str]:
        """The pieces up to ``from``, and the module after it."""
        words: list[str] = []
        while True:
            word = self._word()
            if match := _STRING.fullmatch(word):
                break
            words.append(word)
        if self._at < len(self._pieces) and self._peek() == ";":
            self._word()
        if words and words.pop() != "from":
            raise self._broken("an import that is not understood")
        return words, posixpath.normpath(posixpath.join(posixpath.dirname(self._module.name), match[1]))

    def _import(self) -> None:
        words, name = self._until_from()
        if not words:
            binding = ""
        elif words[0] == "{":
            pairs = (f"{theirs}:{ours}" if theirs != ours else ours for theirs, ours in _named(words))
            binding = "{" + ",".join(pairs) + "}"
        elif words[:2] == ["*", "as"] and len(words) == 3:
            binding = words[2]
        elif len(words) == 1:
            binding = f"{{default:{words[0]}}}"
        else:
            raise self._broken(f"import {' '.join(words)}")
        self._module.imports.append((binding, name))

    def _later(self) -> str:
        self._word()
        match = _STRING.fullmatch(self._word())
        if not match or self._word() != ")":
            raise self._broken("an import() of what is no literal address that begins with ./ or ../")
        folder = posixpath.dirname(self._module.name)
        self._module.later.append(posixpath.normpath(posixpath.join(folder, match[1])))
        return "\0"

    def _export(self) -> str:
        word = self._word()
        exports = self._module.exports
        if word == "*":
            words, name = self._until_from()
            if words:
                raise self._broken("export * as")
            self._module.imports.append(("", name))
            self._module.passed_on.append(name)
            return ""
        if word == "{":
            words = ["{"]
            while words[-1] != "}":
                words.append(self._word())
            if self._at < len(self._pieces) and self._peek() == "from":
                _, name = self._until_from()
                own = {theirs: f"{TABLE}{number}{theirs}" for number, (theirs, _) in enumerate(_named(words))}
                binding = "{" + ",".join(f"{theirs}:{ours}" for theirs, ours in own.items()) + "}"
                self._module.imports.append((binding, name))
                exports.update({outside: own[theirs] for theirs, outside in _named(words)})
            else:
                exports.update({outside: ours for ours, outside in _named(words)})
                if self._at < len(self._pieces) and self._peek() == ";":
                    self._word()
            return ""
        if word == "default":
            if self._peek() in ("async", "class", "function"):
                raise self._broken("a default export that has a name")
            exports["default"] = f"{TABLE}default"
            return f"const {TABLE}default="
        # What is declared keeps its words, and is known by the name that follows them.
        start = self._at - 1
        kind = word
        if kind == "async":
            kind = self._word()
        if kind not in ("const", "function", "class"):
            raise self._broken(f"export {kind}")  # of let and var, what was taken could change
        own = self._word()
        own = self._word() if own == "*" else own
        if not re.fullmatch(r"[\w$]+", own):
            raise self._broken("an export of several names at once")
        exports[own] = own
        if kind == "const":
            self._only_one()
        return "".join(self._pieces[start : self._at])

    def _only_one(self) -> None:
        depth = 0
        for piece in self._pieces[self._at :]:
            if depth == 0 and piece == ";":
                return
            if depth == 0 and piece == ",":
                raise self._broken("an export of several names at once")
            depth += (piece in _OPENS) + piece.endswith("${") - (piece in _CLOSES) - _goes_on(piece)

    def _broken(self, what: str) -> Broken:
        return Broken(f"{self._module.name} has {what}")


def _goes_on(piece: str) -> bool:
    """Whether a template goes on with it, after code."""
    return len(piece) > 1 and piece[0] == "}"


def _named(words: list[str]) -> Iterator[tuple[str, str]]:
    """What stands in braces: the names, and those after ``as``."""
    for part in " ".join(words[1:-1]).split(","):
        if part.strip():
            one, _, other = part.strip().partition(" as ")
            yield one, other or one


def in_order(name: str, module_of: ModuleOf) -> list[Module]:
    """A module and all that it needs, each after what it imports. Raises ``Broken`` where they go in circles."""
    found: dict[str, Module] = {}
    underway: list[str] = []

    def visit(name: str) -> None:
        if name in found:
            return
        if name in underway:
            circle = ", ".join(underway[underway.index(name) :])
            raise Broken(f"these import each other, so that none can be the first: {circle}")
        underway.append(name)
        module = module_of(name)
        for other in module.needs:
            visit(other)
        underway.pop()
        found[name] = module

    visit(name)
    return list(found.values())


def bundled(modules: list[Module], new_name: Callable[[str], str]) -> str:
    """One script of modules in the order in which they may run; the last is whose script it is."""
    own = modules[-1]
    parts = [f"const {TABLE}=globalThis.{TABLE}??={{}};"]
    for module in modules:
        bound = "".join(f"const {binding}={_place(name)};" for binding, name in module.imports if binding)
        given = [f"...{_place(name)}" for name in module.passed_on]
        given += [f"{outside}:{ours}" if outside != ours else ours for outside, ours in module.exports.items()]
        code = module.code
        for name in module.later:
            path = posixpath.relpath(new_name(name), posixpath.dirname(own.name))
            code = code.replace("\0", f'import("./{path}")', 1)
        parts.append(f"{_place(module.name)}??=(()=>{{{bound}{code}\nreturn{{{','.join(given)}}}}})();")
    names = ",".join(name for name in own.exports if name != "default")
    if names:
        parts.append(f"export const{{{names}}}={_place(own.name)};")
    if "default" in own.exports:
        parts.append(f"export default {_place(own.name)}.default;")
    return "".join(parts)


def _place(name: str) -> str:
    return f'{TABLE}["{name.removeprefix("js/").removesuffix(".js")}"]'
