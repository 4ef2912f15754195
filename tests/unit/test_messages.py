"""Whatever people read is in every language: marked, translated, whole and compiled."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages import Message
from django.conf import settings
from django.utils.translation import to_locale

from tests import catalogues, wording
from tests.catalogues import DOMAINS, LOCALES

IN_ALL = [pytest.param(locale, domain, id=f"{locale}-{domain}") for locale in LOCALES for domain in DOMAINS]
AT_ONCE = 10  # shown of what is wrong
# A percent sign by itself is in no text that is also a format.
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%|%[sd]|\{\w*\}")


def brief(texts: list[str]) -> str:
    more = f"\n… and {len(texts) - AT_ONCE} more" if len(texts) > AT_ONCE else ""
    return "\n".join(texts[:AT_ONCE]) + more + "\nRun bin/messages, and see docs/translating.md."


def id_of(message: Message) -> tuple[str | tuple[str, ...], str | None]:
    return message.id, message.context


def kept(locale: str, domain: str) -> list[Message]:
    return [each for each in catalogues.kept(catalogues.po_file(locale, domain), locale) if each.id]


def test_every_language_has_catalogues() -> None:
    others = {to_locale(code) for code, _ in settings.LANGUAGES} - {"en"}
    assert others == set(LOCALES)
    assert {path.name for path in (catalogues.ROOT / "locale").iterdir()} == others


@pytest.mark.parametrize(("locale", "domain"), IN_ALL)
def test_a_catalogue_has_what_the_code_says_and_nothing_else(locale: str, domain: str) -> None:
    said = {id_of(each) for each in catalogues.extracted(domain) if each.id}
    there = {id_of(each) for each in kept(locale, domain)}
    missing, stale = sorted(map(str, said - there)), sorted(map(str, there - said))
    assert not missing, brief([f"is not in the catalogue: {each}" for each in missing])
    assert not stale, brief([f"is said no more: {each}" for each in stale])
    assert "#~" not in catalogues.po_file(locale, domain).read_text()


@pytest.mark.parametrize(("locale", "domain"), IN_ALL)
def test_everything_is_translated(locale: str, domain: str) -> None:
    wanting = [f"{each.id}" for each in kept(locale, domain) if not catalogues.is_translated(each)]
    unsure = [f"fuzzy: {each.id}" for each in kept(locale, domain) if each.fuzzy]
    assert not wanting + unsure, brief(wanting + unsure)


@pytest.mark.parametrize(("locale", "domain"), IN_ALL)
def test_what_is_compiled_is_what_is_written(locale: str, domain: str) -> None:
    path = catalogues.po_file(locale, domain)
    assert path.with_suffix(".mo").read_bytes() == catalogues.as_mo(path, locale), brief([f"{path} is newer"])
    assert path.read_bytes() == catalogues.as_po(catalogues.merged(domain, locale)), brief([f"{path} has another form"])


@pytest.mark.parametrize(("locale", "domain"), IN_ALL)
def test_nothing_in_a_sentence_is_lost(locale: str, domain: str) -> None:
    wrong = []
    for message in kept(locale, domain):
        source = message.id[-1] if message.pluralizable else message.id
        for text in message.string if message.pluralizable else [message.string]:
            if text and parts_of(text) != parts_of(source):
                wrong.append(f"{source}\n  → {text}")
    assert not wrong, brief(wrong)


def test_whatever_is_marked_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        '_("a")\ngettext("b")\ngettext_lazy("c")\nngettext("d", "ds", n)\nngettext_lazy("e", "es", n)\n'
        'pgettext("of", "f")\npgettext_lazy("of", "g")\ncounted("h", "hs", n)\nfilled(_("i %(j)s"), j=1)\n'
    )
    (tmp_path / "b.html").write_text(
        '{% load i18n %}\n  <p title="{% translate "a" %}">\n    {% translate "b" context "of" %}\n'
        '{{ x|default:_("c") }}\n'
        "{% blocktranslate trimmed with n=x count i=1 %}\n  d {{ n }}\n{% plural %}\n  ds\n{% endblocktranslate %}"
    )
    (tmp_path / "c.js").write_text(
        'gettext("a"); ngettext("b", "bs", n); pgettext("of", "c"); said(`${gettext("d")}`);'
    )
    found = [[text for _, text, *_ in catalogues.marked_in(tmp_path / name)] for name in ("a.py", "b.html", "c.js")]
    assert found[0] == ["a", "b", "c", ("d", "ds"), ("e", "es"), "f", "g", ("h", "hs"), "i %(j)s"]
    assert found[1] == ["a", "b", "c", ("d %(n)s", "ds")]
    assert found[2] == ["a", ("b", "bs"), "c", "d"]


@pytest.mark.parametrize("path", catalogues.templates(), ids=catalogues.name_of)
def test_nothing_in_a_template_is_in_one_language(path: Path) -> None:
    found = list(wording.in_template(path))
    assert not found, brief(found)


@pytest.mark.parametrize("path", catalogues.python_files(), ids=catalogues.name_of)
def test_nothing_in_python_is_in_one_language(path: Path) -> None:
    found = list(wording.in_python(path))
    assert not found, brief(found)


@pytest.mark.parametrize("path", catalogues.scripts(), ids=catalogues.name_of)
def test_nothing_in_a_script_is_in_one_language(path: Path) -> None:
    found = list(wording.in_script(path))
    assert not found, brief(found)


def parts_of(text: str) -> list[str]:
    """Its placeholders, tags and attributes, in no order: another language has one of its own."""
    tags = Tags()
    tags.feed(text)
    tags.close()
    return sorted([*PLACEHOLDER.findall(text), *tags.found])


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(f"<{tag} {sorted(attrs)}>")

    def handle_endtag(self, tag: str) -> None:
        self.found.append(f"</{tag}>")


@pytest.mark.parametrize(
    ("file", "source", "finds"),
    [
        ("a.html", "<p>Hello</p>", ["Hello"]),
        ("b.html", '<p>{% translate "Hello" %}</p>{# Not this #}<code>nor this</code>', []),
        ("c.html", '<a aria-label="Close"></a><input placeholder="{% translate "Name" %}">', ['aria-label="Close"']),
        ("d.html", "{% blocktranslate %}You are <b>here</b>{% endblocktranslate %} · Engawa", []),
        ("e.html", "{{ count }}{{ count|pluralize }}", ["pluralize in {{ count|pluralize }}"]),
        ("f.html", '{% include "x.html" with label="Show again" %}', None),
        ("g.html", '{% include "x.html" with label=_("Show again") %}', []),
    ],
)
def test_a_template_that_says_something_in_one_language_is_found(
    tmp_path: Path, file: str, source: str, finds: list[str] | None
) -> None:
    (tmp_path / file).write_text(source)
    found = list(wording.in_template(tmp_path / file))
    assert found == finds if finds is not None else found


@pytest.mark.parametrize(
    ("source", "is_found"),
    [
        ('raise errors.NotAllowed("You may not.")', True),
        ('raise errors.NotAllowed(_("You may not."))', False),
        ('raise errors.NotAllowed(f"{name} may not.")', True),
        ('messages.info(request, "Saved.")', True),
        ('messages.info(request, "Saved: %s." % name)', True),
        ('logger.info("Saved.")', False),
        ('class Wrong(ChatError):\n    detail = "It is wrong."', True),
        ('class Kind(models.TextChoices):\n    MUTE = "mute", "Mute"', True),
        ('class Kind(models.TextChoices):\n    MUTE = "mute", _("Mute")', False),
        ('forms.CharField(label="Name")', True),
    ],
)
def test_python_that_says_something_in_one_language_is_found(tmp_path: Path, source: str, is_found: bool) -> None:
    (tmp_path / "views.py").write_text(source)
    assert bool(list(wording.in_python(tmp_path / "views.py"))) is is_found


@pytest.mark.parametrize(
    ("source", "is_found"),
    [
        ('button.textContent = "Close";', True),
        ('button.textContent = gettext("Close");', False),
        ('show(interpolate(gettext("%(n)s new"), { n }));', False),
        ("show(`You have ${n} new messages`);", True),
        ('if (event.key === "Escape") throw new Error("Nothing was there.");', False),
        ('root.querySelector(".message a[href]"); // A comment that says something.', False),
    ],
)
def test_a_script_that_says_something_in_one_language_is_found(tmp_path: Path, source: str, is_found: bool) -> None:
    (tmp_path / "a.js").write_text(source)
    assert bool(list(wording.in_script(tmp_path / "a.js"))) is is_found
