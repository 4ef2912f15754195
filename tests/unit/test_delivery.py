"""Scripts and styles as browsers get them: named by what they hold, small, and whole."""

import gzip
import re
from pathlib import Path

import brotli
import pytest
from django.conf import settings
from django.template import Context, Template, TemplateSyntaxError

from config import delivery
from config.delivery import DeliveryStorage

HASHED = re.compile(r"\.[0-9a-f]{12}\.\w+$")
IMPORTED = re.compile(r"""(?m)^(?:import|export)\b(?:[^;"]*\bfrom)?\s*"(\.[^"]+)";|\bimport\("(\.[^"]+)"\)\.then""")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all of it was made."""
    root = tmp_path_factory.mktemp("static")
    with pytest.MonkeyPatch.context() as patched:
        made_in(root, patched)
    return root


def made_in(root: Path, patched: pytest.MonkeyPatch) -> DeliveryStorage:
    """What a server that starts with ``root`` names its files by."""
    storage = DeliveryStorage(location=root, base_url="/static/")
    patched.setattr(settings, "STATIC_FILES", "built")
    patched.setattr(settings, "STATIC_ROOT", root)
    patched.setattr(settings, "DEBUG", False)
    patched.setattr(delivery, "staticfiles_storage", storage)
    patched.setattr("django.contrib.staticfiles.management.commands.collectstatic.staticfiles_storage", storage)
    delivery.prepare()
    return storage


def test_pages_name_what_was_made(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = made_in(root, monkeypatch).url("js/room.js")
    assert HASHED.search(url)
    assert (root / url.removeprefix("/static/")).is_file()


def test_modules_import_each_other_by_the_names_they_have_now(root: Path) -> None:
    scripts = [path for path in (root / "js").rglob("*.js") if HASHED.search(path.name)]
    assert len(scripts) > 40
    named = [
        (path, path.parent / (one or other)) for path in scripts for one, other in IMPORTED.findall(path.read_text())
    ]
    assert len(named) > 100
    assert [
        (path.name, other.name) for path, other in named if not (HASHED.search(other.name) and other.is_file())
    ] == []


def test_they_lie_there_compressed_in_two_ways_and_scripts_without_comments(root: Path) -> None:
    (script,) = (path for path in (root / "js").glob("room.*.js"))
    small = brotli.decompress(Path(f"{script}.br").read_bytes())
    assert small == gzip.decompress(Path(f"{script}.gz").read_bytes())
    assert b"// " not in small
    (style,) = (path for path in (root / "css").glob("base.*.css"))
    assert brotli.decompress(Path(f"{style}.br").read_bytes()) == style.read_bytes()


def test_where_they_are_nothing_is_written(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an image they lie where nothing can be written, and root could write anyway: so look at what was."""
    lock = root.with_name(f"{root.name}.lock")
    lock.unlink()
    assert HASHED.search(made_in(root, monkeypatch).url("js/room.js"))
    assert not lock.exists()


def test_nothing_is_made_where_nothing_changed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "call_command", None)
    assert HASHED.search(made_in(root, monkeypatch).url("js/room.js"))
    root.with_name(f"{root.name}.sha256").write_text("of other sources")
    with pytest.raises(TypeError):
        made_in(root, monkeypatch)


def test_where_nothing_can_be_made_the_sources_are_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    storage = made_in(tmp_path / "file" / "static", monkeypatch)
    assert "static files are served as they lie" in caplog.text
    assert storage.url("js/room.js") == "/static/js/room.js"


# The tag ----------------------------------------------------------------------------------------------------


def rendered(name: str) -> list[str]:
    html = Template('{% modules "' + name + '" %}').render(Context())
    return re.findall(r'(?:href|src)="/static/([^"]+)"', html)


def test_all_that_a_page_needs_is_asked_for_at_once() -> None:
    *links, script = rendered("js/room.js")
    assert script == "js/room.js"
    assert len(links) == len(set(links)) > 20
    assert "js/lib/types.js" not in links, "which only comments name"
    assert "js/view/emoji_picker.js" not in links, "which is imported once it is wanted"


def test_every_import_is_written_as_the_tag_reads_it() -> None:
    for path in (settings.BASE_DIR / "static" / "js").rglob("*.js"):
        code = re.sub(r"/\*[\s\S]*?\*/|//[^\n]*", "", path.read_text())
        named = re.findall(r"""\bfrom\s*["']|^\s*import\s*["']""", code, re.MULTILINE)
        assert len(named) == len(
            re.findall(r'^(?:import|export)\b(?:[^;"]*\bfrom)?\s*"\.{1,2}/[^"]+";', code, re.MULTILINE)
        ), path


def test_a_script_that_is_not_there_is_no_page() -> None:
    with pytest.raises(TemplateSyntaxError, match=r"there is no script 'js/nothing\.js'"):
        rendered("js/nothing.js")
