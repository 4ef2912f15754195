"""What the documentation says about the code, held against the code."""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from chat.errors import ChatError, every_error
from config import settings

ROOT = Path(settings.BASE_DIR)
PAGES = [*(ROOT / name for name in ("README.md", "SECURITY.md", "CHANGELOG.md")), *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1\s*$", re.MULTILINE | re.DOTALL)

UNNAMED = {"__init__", "apps", "middleware"}
HEADINGS = {"chat": "rooms, people, messages", "feeds": "every read-only way out"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(text: str) -> Iterator[list[str]]:
    """The cells of each table row whose first cell is code."""
    for line in text.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def code(cell: str) -> str:
    """The first code in a cell."""
    return re.search(r"`([^`]+)`", cell)[1]


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next of its level."""
    level = heading.split()[0]
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^{level} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading {heading!r}"
    return found[1]


# Settings -------------------------------------------------------------------------------------------------


def documented_settings() -> dict[str, list[str]]:
    return {code(row[0]): row for row in rows(section(read("docs/settings.md"), "## All of them"))}


def example_settings() -> dict[str, str]:
    return dict(re.findall(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", read(".env.example"), re.MULTILINE))


def literal(node: ast.expr) -> Any:
    """A constant of settings.py, sums of constants worked out. Raises ``ValueError`` for anything else."""
    if isinstance(node, ast.BinOp):
        left, right = literal(node.left), literal(node.right)
        return left**right if isinstance(node.op, ast.Pow) else left * right
    return ast.literal_eval(node)


def declared_settings() -> dict[str, tuple[str, Any, dict[str, Any], list[Any]]]:
    """How settings.py reads each variable that has a constant default: the kind, the default and its bounds."""
    declared = {}
    for node in ast.walk(ast.parse(read("config/settings.py"))):
        if not (isinstance(node, ast.Call) and ast.unparse(node.func).startswith("env.") and len(node.args) > 1):
            continue
        try:
            name, default, *more = (literal(argument) for argument in node.args)
        except ValueError:
            continue
        bounds = {keyword.arg: literal(keyword.value) for keyword in node.keywords}
        declared[name] = (node.func.attr, default, bounds, more)
    return declared


def test_every_setting_is_documented_and_no_other() -> None:
    assert set(documented_settings()) == settings.env.names
    assert set(example_settings()) == settings.env.names


def test_the_example_changes_nothing_until_it_is_edited() -> None:
    assert [line for line in read(".env.example").splitlines() if line and not line.startswith("#")] == []


def test_every_setting_is_explained_above_it_in_the_example() -> None:
    lines = read(".env.example").splitlines()
    for number, line in enumerate(lines):
        if re.match(r"#[A-Z][A-Z0-9_]*=", line):
            start = max(index for index in range(number) if not lines[index]) + 1
            comment = lines[start:number]
            assert 1 <= len(comment) <= 3, f"{line} has {len(comment)} lines of comment"
            assert all(above.startswith("# ") for above in comment), line


@pytest.mark.parametrize("name", sorted(declared_settings()))
def test_a_documented_default_is_the_default(name: str) -> None:
    kind, default, bounds, more = declared_settings()[name]
    if kind in ("words", "networks"):
        assert example_settings()[name] == ",".join(default)
        assert not default or code(documented_settings()[name][1]) == ",".join(default)
        return
    said = str(default).lower() if isinstance(default, bool) else str(default)
    assert example_settings()[name] == said
    _, in_table, values, _ = documented_settings()[name]
    assert code(in_table) == said
    if bounds:
        assert values.startswith(f"{bounds['least']} to {bounds['most']}")
        assert re.search(rf"\b{bounds['least']} to {bounds['most']}\b", comment_of(name))
    for choice in more[0] if more else ():
        assert f"`{choice}`" in values
        assert choice in comment_of(name)


def comment_of(name: str) -> str:
    """What the example says above a setting."""
    return read(".env.example").split(f"\n#{name}=")[0].rpartition("\n\n")[2]


# Prose ----------------------------------------------------------------------------------------------------

WORDS_IN_A_ROW = 15  # which no two sentences share by chance


def prose(page: Path) -> str:
    """A page without its code and its tables."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return "\n".join(line for line in text.splitlines() if not line.startswith("|"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_nothing_is_said_twice_on_a_page(page: Path) -> None:
    """Two changes that are put together leave what both of them said."""
    words = prose(page).split()
    runs = [" ".join(words[start : start + WORDS_IN_A_ROW]) for start in range(len(words) - WORDS_IN_A_ROW + 1)]
    assert [run for run, times in Counter(runs).items() if times > 1] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.name)
def test_no_two_sections_of_a_page_have_one_name(page: Path) -> None:
    headings = re.findall(r"^#{2,} .+$", prose(page), re.MULTILINE)
    assert [heading for heading, times in Counter(headings).items() if times > 1] == []


# Modules --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", ["chat", "feeds"])
def test_every_module_is_in_one_row_of_the_architecture(package: str) -> None:
    table = rows(section(read("docs/architecture.md"), f"### `{package}`: {HEADINGS[package]}"))
    named = [name for row in table for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(set(named)) == sorted(named), "a module has two rows"
    assert {path.stem for path in (ROOT / package).glob("*.py")} - UNNAMED <= set(named)


def test_every_module_of_config_is_in_its_paragraph() -> None:
    text = section(read("docs/architecture.md"), "### `config`: the place where it is put together").partition("\n## ")[
        0
    ]
    assert {path.stem for path in (ROOT / "config").glob("*.py")} - UNNAMED <= set(re.findall(r"`(\w+)`", text))
    sentences = re.split(r"[;.,]\s", text)
    assert len(set(sentences)) == len(sentences), "something is said twice"


# What operators type --------------------------------------------------------------------------------------


def test_every_command_is_documented() -> None:
    folders = [ROOT / package / "management" / "commands" for package in ("chat", "config")]
    commands = {path.stem for folder in folders for path in folder.glob("[!_]*.py")} - {"start", "work"}
    table = section(read("docs/operations.md"), "## Commands")
    assert commands <= set(re.findall(r"`(\w+)", "".join(row[0] for row in rows(table))))


def test_every_secret_can_be_changed_as_documented() -> None:
    text = (ROOT / "config" / "settings.py").read_text()
    kept = set(re.findall(r'env\.(?:secret|email|database)\("(\w+)"\)', text))
    table = section(read("SECURITY.md"), "## Secrets, and how to change them")
    assert kept <= set(re.findall(r"`(\w+)`", table))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_variable_that_is_named_is_one(page: Path) -> None:
    """Somewhere in what ships, or in what measures and tests it."""
    named = set(re.findall(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b", page.read_text()))
    assert named <= names_in_code(), named - names_in_code()


@cache
def names_in_code() -> set[str]:
    folders = [ROOT / name for name in ("bench", "bin", "chat", "config", "deploy", "feeds", "static", "tests")]
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix != ".pyc" and path.is_file()]
    files += [ROOT / name for name in (".env.example", "Dockerfile", "compose.yaml")]
    text = "".join(path.read_text(errors="replace") for path in files if path != Path(__file__))
    names = set(re.findall(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+", text))
    return names | {f"{name}_FILE" for name in documented_settings()}


# Errors ---------------------------------------------------------------------------------------------------


def documented_errors() -> dict[str, list[str]]:
    return {code(row[0]): row for row in rows(section(read("docs/protocol.md"), "## Error codes"))}


def test_every_error_is_documented_and_no_other() -> None:
    assert set(documented_errors()) == {error.code for error in every_error()}


def test_a_code_means_one_thing() -> None:
    codes = [error.code for error in every_error()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.code)
def test_an_error_is_as_documented(error: type[ChatError]) -> None:
    _, status, close, retry, sentence = documented_errors()[error.code]
    assert status == str(error.status)
    assert close == str(error.close or "–")
    assert retry == ("yes" if error.retryable else "no")
    assert sentence == error.detail


def test_close_codes_are_documented_and_say_whether_to_come_back() -> None:
    closes = section(read("docs/protocol.md"), "## WebSocket").partition("### How it ends")[2]
    documented = {int(number) for number in re.findall(r"^\| (4\d{3}) \|", closes, re.MULTILINE)}
    assert documented == {error.close for error in every_error() if error.close}
    for error in every_error():
        if error.close:
            assert (error.close < 4500) == error.retryable, error.code


# Dependencies ---------------------------------------------------------------------------------------------


REQUIREMENTS = [path.name for path in sorted(ROOT.glob("requirements*.txt"))]


def required(file: str) -> set[str]:
    lines = (line.partition("#")[0].strip() for line in read(file).splitlines())
    return {line.partition("==")[0] for line in lines if line and not line.startswith("-")}


@pytest.mark.parametrize("file", REQUIREMENTS)
def test_every_requirement_is_explained_and_no_other(file: str) -> None:
    (heading,) = re.findall(rf"^## .*`{re.escape(file)}`$", read("docs/dependencies.md"), re.MULTILINE)
    explained = {code(name): why for name, why in rows(section(read("docs/dependencies.md"), heading))}
    assert set(explained) == required(file)
    assert all(explained.values())


@pytest.mark.parametrize("file", REQUIREMENTS)
def test_every_requirement_has_a_fixed_version(file: str) -> None:
    for line in read(file).splitlines():
        if line and not line.startswith(("#", "-")):
            assert re.fullmatch(r"[\w.-]+(\[[\w,]+\])?==[\w.]+(; [a-z_]+ != \"\w+\")?", line), line


@pytest.mark.parametrize("file", REQUIREMENTS)
def test_every_requirement_is_there_once(file: str) -> None:
    names = [line.partition("==")[0].lower() for line in read(file).splitlines() if "==" in line]
    assert sorted(set(names)) == sorted(names)


def test_a_package_has_one_version_whatever_is_installed_for() -> None:
    lines = {line for file in REQUIREMENTS for line in read(file).splitlines() if "==" in line}
    names = [line.partition("==")[0] for line in lines]
    assert sorted(names) == sorted(set(names))


def test_every_package_for_node_is_explained_fixed_and_from_the_public_registry() -> None:
    table = rows(section(read("docs/dependencies.md"), "## What the tests need on Node"))
    explained = {name for row in table for name in re.findall(r"`([^`]+)`", row[0])}
    wanted = json.loads(read("tests/conformance/package.json"))["dependencies"]
    assert explained == set(wanted)
    packages = json.loads(read("tests/conformance/package-lock.json"))["packages"]
    assert packages.pop("")["dependencies"] == wanted
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert package.get("resolved", "https://registry.npmjs.org/").startswith("https://registry.npmjs.org/"), name


# Pages ----------------------------------------------------------------------------------------------------


def test_the_readme_is_short() -> None:
    assert len(read("README.md").splitlines()) <= 90


@pytest.mark.parametrize("command", ["bin/start", "bin/test"])
def test_the_readme_has_the_commands_as_they_are_typed(command: str) -> None:
    assert f"```sh\n{command}\n```" in read("README.md")
    assert (ROOT / command).is_file()


def anchors(page: Path) -> set[str]:
    """The names that a page's headings can be linked by."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    prose = re.sub(r"`[^`\n]*`(?!\])", "", FENCE.sub("", page.read_text(encoding="utf-8")))
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        leads_to = (page.parent / unquote(path)).resolve() if path else page
        if not leads_to.exists() or (anchor and anchor not in anchors(leads_to)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_in_json_is_json(page: Path) -> None:
    for example in re.findall(r"^```json\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        json.loads(example)
