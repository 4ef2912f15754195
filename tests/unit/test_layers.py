"""Imports point one way, and what only one module may do, no other does."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

# From the ground up. A module imports only from lines above its own.
CHAT = [
    ["admin_app", "order", "plain", "sentences"],
    ["errors", "extensions", "groups", "hues", "identity", "irc", "languages", "lookalike", "mids", "render", "rows"],
    ["meters", "tracing"],
    ["hashing", "outbound", "sessions", "stepping", "subscription", "terms", "wordlist", "words", "writing"],
    ["text", "database", "durations", "filters"],
    ["models"],
    ["answers", "audit", "colours", "desk", "events", "indexing", "queue", "schedule", "standing", "tokens"],
    ["upgrading"],
    ["dumps"],
    ["backups"],
    ["ledger", "policies"],
    ["pages", "read_marks", "rights", "screening"],
    ["follower"],
    ["addresses", "broadcast", "presence", "ring"],
    ["canary", "headcounts", "limits", "origins", "site", "visitors"],
    ["guessing", "holding", "log", "mails", "signals"],
    ["audience", "invitations", "listing", "marking", "people", "posting", "reindexing", "viewing", "webhooks"],
    ["actions", "courier", "governing", "programs", "relay", "search"],
    ["erasing", "forms", "moderation", "oidc", "relays", "restoring", "retention", "writer"],
    ["chores", "review"],
    ["scheduler"],
    ["administration", "commands", "doorway", "export", "personal"],
    ["protocol"],
    ["consumers", "middleware", "health", "signing_in"],
    ["accounts", "admin", "admin_site", "apps", "error_views", "language_views", "password_reset", "profile_views"],
    ["oidc_views", "routing"],
    ["api_schemas", "pwa", "views"],
    ["api"],
    ["api_door", "command_views", "member_views", "moderator_views", "owner_views", "search_views"],
    ["program_views", "view_token_views"],
    ["urls"],
]
FEEDS = [
    ["addresses", "build", "calendar", "encoders", "eventstream", "grip", "links", "looks", "middleware", "reports"],
    ["transcripts", "xml"],
    ["forms", "publishing", "reading", "sitemaps", "viewers"],
    ["answering", "apps", "archives", "asking", "entries", "oembed", "scripts", "search", "several"],
    ["held", "tickets", "views"],
    ["atom", "embeds", "exports", "jsonfeed", "replay", "replay_views", "streams", "transcript_views", "walls"],
    ["metadata", "urls"],
]


NO_MODULES = {"management", "migrations", "templatetags"}


def modules(package: str) -> list[Path]:
    """Its modules, and the packages in it that are used like one."""
    inner = [path.parent for path in (ROOT / package).glob("*/__init__.py")]
    found = [*(ROOT / package).glob("*.py"), *(path for path in inner if path.name not in NO_MODULES)]
    return [path for path in found if path.stem != "__init__"]


def imported(path: Path) -> set[str]:
    """The dotted names of our own modules that a file, or a package but for its own, imports, wherever in it."""
    if path.is_dir():
        own = f"{path.parent.name}.{path.name}"
        names = set().union(*(imported(each) for each in path.glob("*.py")))
        return {name for name in names if name != own and not name.startswith(f"{own}.")}
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("package", ["chat", "feeds"])
def test_every_module_has_its_place(package: str) -> None:
    known = [name for line in {"chat": CHAT, "feeds": FEEDS}[package] for name in line]
    assert sorted(path.stem for path in modules(package)) == sorted(known)


@pytest.mark.parametrize(("package", "layers"), [("chat", CHAT), ("feeds", FEEDS)])
def test_modules_import_only_downwards(package: str, layers: list[list[str]]) -> None:
    floor = {name: number for number, line in enumerate(layers) for name in line}
    upward = [
        f"{package}.{path.stem} imports {name}"
        for path in modules(package)
        for name in imported(path)
        if name.startswith(f"{package}.") and name.count(".") == 1
        if floor[name.split(".")[1]] >= floor[path.stem]
    ]
    assert upward == []


def test_chat_never_imports_feeds_and_only_config_puts_together() -> None:
    for path in (ROOT / "chat").rglob("*.py"):
        assert not [name for name in imported(path) if name.split(".")[0] in ("feeds", "config")], path
    for path in (ROOT / "feeds").rglob("*.py"):
        assert not [name for name in imported(path) if name.split(".")[0] == "config"], path


@pytest.mark.parametrize(
    ("what", "where"),
    [
        (".group_send(", "chat/broadcast.py"),
        ("rows.insert(Event,", "chat/log.py"),
        ("receive(channel)", "chat/subscription.py"),
    ],
)
def test_only_one_module_does_it(what: str, where: str) -> None:
    files = [path for package in ("chat", "feeds", "config") for path in (ROOT / package).rglob("*.py")]
    assert [str(path.relative_to(ROOT)) for path in files if what in path.read_text()] == [where]


def test_only_the_log_touches_the_rows_of_events() -> None:
    files = [path for package in ("chat", "feeds", "config") for path in (ROOT / package).rglob("*.py")]
    found = [str(path.relative_to(ROOT)) for path in files if re.search(r"\bEvent\.objects\b", path.read_text())]
    assert found == ["chat/log.py"]


DOMAIN = [
    *("actions", "audit", "commands", "events", "filters", "governing", "holding", "log", "lookalike", "moderation"),
    *("policies", "posting", "queue", "render", "review", "rights", "screening", "standing", "text", "wordlist"),
    *("indexing", "reindexing", "search", "terms"),
    *("backups", "chores", "dumps/postgresql", "dumps/sqlite", "restoring", "retention", "schedule", "upgrading"),
    *("models/jobs", "models/logs", "models/messages", "models/moderation", "models/people", "models/programs"),
    "models/rooms",
]


def test_domain_code_knows_no_transport() -> None:
    for name in DOMAIN:
        path = ROOT / "chat" / f"{name}.py"
        assert "async " not in path.read_text(), name
        assert not [module for module in imported(path) if module.startswith(("channels", "django.http"))]
