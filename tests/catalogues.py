"""The catalogues of what people read: made from the code, merged with what is translated, compiled.

``python -m tests.catalogues`` does it all; ``bin/messages`` calls it. ``docs/translating.md`` tells the rest.
"""

import sys
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALES = ("ja", "zh_Hans", "zh_Hant")
DOMAINS = ("django", "djangojs")
_FOR_PROGRAMMERS = ("migrations", "management")  # nobody else reads what is in these folders
# What marks a text, and which of its arguments are the text.
_MARKS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "counted": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
_MARKS_IN_SCRIPTS = {name: _MARKS[name] for name in ("gettext", "ngettext", "pgettext")}
_NOTE = ("Translators:",)  # how a comment begins that is for them


class Lasting(Catalog):
    """A catalogue whose head says nothing that changes from one making to the next."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", str(self.locale)),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=UTF-8"),
            ("Content-Transfer-Encoding", "8bit"),
            ("Plural-Forms", self.plural_forms),
        ]


def python_files() -> list[Path]:
    files = (path for app in ("chat", "feeds", "config") for path in (ROOT / app).rglob("*.py"))
    return sorted(path for path in files if not set(path.parts) & set(_FOR_PROGRAMMERS))


def templates() -> list[Path]:
    return sorted(path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt", ".svg"))


def scripts() -> list[Path]:
    """Those of our own pages. What other sites load (static/embed) has its words in itself."""
    return sorted((ROOT / "static" / "js").rglob("*.js"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def extracted(domain: str) -> Catalog:
    """All that the code says, in no language yet."""
    catalog = Lasting(charset="utf-8")
    files = scripts() if domain == "djangojs" else [*python_files(), *templates()]
    for path in files:
        for line, text, notes, context in marked_in(path):
            catalog.add(text, None, [(name_of(path), line)], auto_comments=notes, context=context)
    return catalog


def marked_in(path: Path) -> Iterator[tuple[int, str | tuple[str, ...], list[str], str | None]]:
    """What a file marks: the line, the text (or one and many), notes for translators, the context."""
    source = path.read_text()
    method, marks = "python", _MARKS
    if path.suffix == ".js":
        method, marks = "javascript", _MARKS_IN_SCRIPTS
    elif path.suffix != ".py":
        # Django makes of a template what looks like Python, but for how its lines begin.
        source = "\n".join(line.strip() for line in templatize(source, origin=str(path)).splitlines())
    yield from extract(
        method, BytesIO(source.encode()), marks, _NOTE, {"encoding": "utf-8", "parse_template_string": True}
    )


def po_file(locale: str, domain: str) -> Path:
    return ROOT / "locale" / locale / "LC_MESSAGES" / f"{domain}.po"


def kept(path: Path, locale: str) -> Catalog:
    """A catalogue as it lies there. One that cannot be read raises; none is an empty one."""
    if not path.exists():
        return Lasting(locale, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=locale, charset="utf-8", abort_invalid=True)


def merged(domain: str, locale: str) -> Catalog:
    """What the code says, with the translations that there are. What it says no more is left out."""
    before = kept(po_file(locale, domain), locale)
    catalog = Lasting(locale, charset="utf-8")
    for message in extracted(domain):
        if message.id:
            catalog.add(
                message.id,
                _translation(before, message),
                message.locations,
                message.flags,
                message.auto_comments,
                context=message.context,
            )
    return catalog


def _translation(catalog: Catalog, message: Message) -> str | tuple[str, ...] | None:
    known = catalog.get(message.id, message.context)
    if known is None or known.fuzzy or known.pluralizable != message.pluralizable:
        return None
    return known.string


def as_po(catalog: Catalog) -> bytes:
    """Its file, by where things are said: what belongs together stands together."""
    file = BytesIO()
    write_po(file, catalog, width=0, sort_by_file=True, include_lineno=False, omit_header=True, ignore_obsolete=True)
    head = "".join(f'"{name}: {value}\\n"\n' for name, value in catalog.mime_headers)
    return f'msgid ""\nmsgstr ""\n{head}\n'.encode() + file.getvalue().rstrip(b"\n") + b"\n"


def as_mo(po: Path, locale: str) -> bytes:
    """What a catalogue's file compiles to."""
    catalog = Lasting(locale, charset="utf-8")
    for message in kept(po, locale):
        if message.id:
            catalog.add(message.id, message.string, flags=message.flags, context=message.context)
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def is_translated(message: Message) -> bool:
    strings = message.string if message.pluralizable else [message.string]
    return bool(strings) and all(strings)


def write_all() -> int:
    """Write every catalogue anew. Returns how many texts wait to be translated."""
    waiting = 0
    for locale in LOCALES:
        for domain in DOMAINS:
            path = po_file(locale, domain)
            catalog = merged(domain, locale)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(as_po(catalog))
            path.with_suffix(".mo").write_bytes(as_mo(path, locale))
            texts = [message for message in catalog if message.id]
            missing = sum(not is_translated(message) for message in texts)
            waiting += missing
            print(f"{name_of(path)}: {len(texts)} texts, {missing} to translate")
    return waiting


if __name__ == "__main__":
    sys.exit(1 if write_all() and "--complete" in sys.argv[1:] else 0)
