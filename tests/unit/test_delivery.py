"""Scripts and styles as browsers get them: named by what they hold, small, and whole."""

import gzip
import os
import re
import time
from pathlib import Path

import brotli
import pytest
from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.template import Context, Template, TemplateSyntaxError

from config.delivery import serving, storage
from config.delivery.sources import Broken, imports, minified
from config.delivery.storage import DeliveryStorage, delivered, found

OURS = [name for name in found() if storage.is_ours(name)]


class Sources:
    """A folder of sources, and what is made of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "sources"
        self.made = DeliveryStorage(location=folder / "made", base_url="/static/")

    def write(self, **contents: str) -> None:
        for name, content in contents.items():
            path = self.folder / name.replace("__", "/").replace("_js", ".js").replace("_css", ".css")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def make(self) -> dict[str, str]:
        source = FileSystemStorage(self.folder)
        names = [path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()]
        return {name: new for name, new, _ in self.made.post_process({name: (source, name) for name in names})}

    def read(self, name: str) -> str:
        return Path(self.made.path(name)).read_text()


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(tmp_path)


def test_every_way_to_name_a_module_leads_to_its_new_name(sources: Sources) -> None:
    sources.write(
        js__page_js="""
            import { a, b as c } from "./lib/a.js";
            import * as all from './lib/a.js';
            import "./lib/b.js";
            export { d } from "./lib/b.js";
            export * from "./lib/b.js";
            /** @import { Gone } from "./lib/gone.js" */
            // import "./lib/gone.js";
            const later = () => import("./lib/later.js").then(({ open }) => open(`import "./lib/not.js"` && c, all));
        """,
        js__lib__a_js="export const a = 1, b = 2;",
        js__lib__b_js='import "../lib/a.js";\nexport const d = 3;',
        js__lib__later_js="export function open() {}",
    )
    with pytest.raises(Broken, match=r"js/page\.js names js/lib/not\.js, which is not there"):
        sources.make()
    sources.write(js__lib__not_js="")
    names = sources.make()
    page = sources.read(names["js/page.js"])
    for name, times in (("a", 2), ("b", 3), ("later", 1)):
        new = names[f"js/lib/{name}.js"].removeprefix("js/")
        assert re.fullmatch(rf"lib/{name}\.[0-9a-f]{{12}}\.js", new)
        assert page.count(f"./{new}") == times
    assert f'"../lib/{names["js/lib/a.js"].removeprefix("js/lib/")}"' in sources.read(names["js/lib/b.js"])
    assert "gone" not in page
    assert imports("js/page.js", page)[0] == names["js/lib/a.js"]


def test_what_is_named_changes_the_name_of_what_names_it_and_of_nothing_else(sources: Sources) -> None:
    sources.write(js__a_js='import "./b.js";', js__b_js='import "./c.js";', js__c_js="1;", css__a_css="a{b:c}")
    before = sources.make()
    sources.write(js__c_js="2;")
    after = sources.make()
    assert {name for name in before if before[name] != after[name]} == {"js/a.js", "js/b.js", "js/c.js"}
    assert sources.read(before["js/c.js"]) == "1;", "a page that was open before still finds its own"


@pytest.mark.parametrize(
    ("contents", "why"),
    [
        ({"js__a_js": 'import "./b.js";', "js__b_js": 'import "./a.js";'}, "import each other.*: js/a.js, js/b.js"),
        ({"js__a_js": 'import "./b.js";'}, "js/a.js names js/b.js, which is not there"),
        ({"js__a_js": "import(where);"}, "no literal address"),
        ({"js__a_js": "import(`./${where}.js`);"}, "no literal address"),
    ],
)
def test_what_cannot_be_named_is_said(sources: Sources, contents: dict[str, str], why: str) -> None:
    sources.write(**contents)
    with pytest.raises(Broken, match=why):
        sources.make()


def test_styles_name_pictures_and_others_files_are_left_alone(sources: Sources) -> None:
    sources.write(
        css__a_css="""a { background: url("../images/x.svg") } b { background: url(data:image/png;base64,AA==) }""",
        images__x_svg="<svg/>",
        vendor__b_css="/* theirs */ a { background: url(x.svg) }",
    )
    (sources.folder / "images" / "x_svg").rename(sources.folder / "images" / "x.svg")
    names = sources.make()
    style = sources.read(names["css/a.css"])
    assert f"../{names['images/x.svg']}" in style
    assert "data:image/png;base64,AA==" in style
    assert sources.read(names["vendor/b.css"]).startswith("/* theirs */")


def test_it_lies_there_compressed_in_two_ways(sources: Sources) -> None:
    sources.write(js__a_js="/* " + "a long comment " * 30 + "*/" + "\n".join(f"call({n});" for n in range(200)))
    path = Path(sources.made.path(sources.make()["js/a.js"]))
    content = path.read_bytes()
    assert b"comment" not in content
    assert gzip.decompress(Path(f"{path}.gz").read_bytes()) == content
    assert brotli.decompress(Path(f"{path}.br").read_bytes()) == content


def test_what_was_not_in_use_for_long_is_let_go(sources: Sources) -> None:
    root = Path(sources.made.location)
    long_ago = time.time() - storage.KEPT_SECONDS - 3600
    versions = []
    for content in ("1;", "2;", "3;"):
        sources.write(js__a_js=content)
        versions.append(root / sources.make()["js/a.js"])
        os.utime(versions[-1], (long_ago, long_ago))
    # The second was in use until the third came, so it is not old; the first was already not.
    assert [path.exists() for path in versions] == [True, True, True]
    os.utime(versions[0], (long_ago, long_ago))
    sources.write(js__a_js="4;")
    sources.make()
    assert [path.exists() for path in versions] == [False, True, True]
    assert not list(root.rglob("*.new"))


def test_nothing_is_made_where_nothing_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = DeliveryStorage(location=tmp_path, base_url="/static/")
    monkeypatch.setattr(settings, "STATIC_FILES", "built")
    monkeypatch.setattr(settings, "STATIC_ROOT", tmp_path)
    monkeypatch.setattr(serving, "staticfiles_storage", made)
    monkeypatch.setattr(serving, "found", lambda: {name: where for name, where in found().items() if name in OURS[:4]})
    serving.prepare()
    assert len(made.names) == 4
    assert all((tmp_path / name).is_file() for name in made.names.values())
    monkeypatch.setattr(DeliveryStorage, "post_process", None)
    again = DeliveryStorage(location=tmp_path, base_url="/static/")
    monkeypatch.setattr(serving, "staticfiles_storage", again)
    serving.prepare()
    assert again.names == made.names
    assert again.url(OURS[0]) == f"/static/{made.names[OURS[0]]}"
    assert again.url("not/ours.css") == "/static/not/ours.css"


def test_where_nothing_can_be_made_the_sources_are_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    made = DeliveryStorage(location=in_the_way / "static", base_url="/static/")
    monkeypatch.setattr(settings, "STATIC_FILES", "built")
    monkeypatch.setattr(settings, "STATIC_ROOT", in_the_way / "static")
    monkeypatch.setattr(serving, "staticfiles_storage", made)
    serving.prepare()
    assert "static files are served as they lie" in caplog.text
    assert made.url("js/room.js") == "/static/js/room.js"


def test_no_script_of_ours_is_without_those_it_imports_and_none_goes_in_circles(tmp_path: Path) -> None:
    made = DeliveryStorage(location=tmp_path, base_url="/static/")
    paths = {name: where for name, where in found().items() if not name.startswith("admin/")}
    names = {name: new for name, new, _ in made.post_process(paths)}
    assert set(OURS) <= set(names)
    assert len(list(delivered(tmp_path))) == len(names)


# The tag ----------------------------------------------------------------------------------------------------


def rendered(name: str) -> list[str]:
    html = Template('{% modules "' + name + '" %}').render(Context())
    return re.findall(r'(?:href|src)="/static/([^"]+)"', html)


def test_all_that_a_page_needs_is_asked_for_at_once() -> None:
    *links, script = rendered("js/room.js")
    assert script == "js/room.js"
    assert len(links) == len(set(links)) > 20
    assert "js/lib/types.js" not in links, "which only comments name"
    reached, waiting = set(), ["js/room.js"]
    while waiting:
        name = waiting.pop()
        text = minified(name, (settings.BASE_DIR / "static" / name).read_text())
        waiting += {each for each in imports(name, text) if each not in reached}
        reached |= set(imports(name, text))
    assert set(links) == reached


def test_a_script_that_is_not_there_is_no_page() -> None:
    with pytest.raises(TemplateSyntaxError, match=r"there is no script 'js/nothing\.js'"):
        rendered("js/nothing.js")
