"""Scripts and styles as browsers get them: named by what they hold, small, and whole."""

import gzip
import os
import re
import subprocess
import time
from pathlib import Path

import brotli
import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.storage import FileSystemStorage
from django.template import Context, Template, TemplateSyntaxError

from config.delivery import serving, storage
from config.delivery.errors import Broken
from config.delivery.storage import DeliveryStorage, delivered, found
from tests.parts import node

SOME = ("css/base.css", "css/layout.css", "js/scheme.js")


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


def test_a_script_comes_in_one_file_with_all_that_it_imports_and_runs_as_before(sources: Sources) -> None:
    sources.write(
        js__page_js="""
            import { a, b as c } from "./lib/a.js";
            import * as all from './lib/a.js';
            import "./lib/b.js";
            import given from "./lib/given.js";
            import { Own } from "./lib/given.js";
            export { d } from "./lib/b.js";
            export * from "./lib/b.js";
            /** @import { Gone } from "./lib/gone.js" */
            // import "./lib/gone.js";
            export async function* run() {
              yield* [a, c, Object.keys(all), given(`x ${`y ${"z"}`}  `), new Own().name];
            }
            (async () => {
              for await (const one of run()) console.log(JSON.stringify(one));
              const { open, default: said } = await import("./lib/later.js");
              console.log(open(), said, globalThis.times);
            })();
        """,
        js__lib__a_js="""
            globalThis.times = (globalThis.times ?? 0) + 1;
            const b = 2;
            export const a = 1;
            export { b, a as e };
        """,
        js__lib__b_js='import "../lib/a.js";\nexport const d = (x, y) => [x, y];\nexport class K { #p = 1; }',
        js__lib__given_js="export class Own { name = 'own'; }\nexport default (text) => text + '!';",
        js__lib__later_js="""
            import { a } from "./a.js";
            export function open() { return a; }
            export default `said  ${a}`;
        """,
    )
    names = sources.make()
    assert set(names) == {"js/page.js", "js/lib/later.js"}, "the rest is in them"
    page, later = (sources.read(names[name]) for name in ("js/page.js", "js/lib/later.js"))
    assert f'import("./{names["js/lib/later.js"].removeprefix("js/")}")' in page
    assert "gone" not in page
    assert "times" not in later, "what the page has in any case does not come again"
    said = [run_by_node(path) for path in (sources.folder / "js/page.js", sources.made.path(names["js/page.js"]))]
    assert said[0] == said[1]
    assert said[0].splitlines()[-1] == "1 said  1 1"


def run_by_node(path: Path | str) -> str:
    (Path(path).parent / "package.json").write_text('{"type": "module"}')
    done = subprocess.run([node(), str(path)], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_named_changes_the_name_of_what_names_it_and_of_nothing_else(sources: Sources) -> None:
    sources.write(
        js__a_js='import("./lib/c.js");', js__b_js="1;", js__lib__c_js="export const c = 1;", css__a_css="a{b:c}"
    )
    before = sources.make()
    sources.write(js__lib__c_js="export const c = 2;")
    after = sources.make()
    assert {name for name in before if before[name] != after[name]} == {"js/a.js", "js/lib/c.js"}
    assert "c=1" in sources.read(before["js/lib/c.js"]), "a page that was open before still finds its own"


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ('import "./b.js";', "import each other, so that none can be the first: js/b.js, js/page.js"),
        ('import("./c.js");', "name each other, so that none can be named first: js/c.js, js/page.js"),
        ('import "./nothing.js";', "js/nothing.js is named, and is not there"),
        ("import(where);", "no literal address"),
        ("import(`./${where}.js`);", "no literal address"),
        ("export let a = 1;", "export let"),
        ("export const a = 1, b = 2;", "several names at once"),
        ("export const { a } = b;", "several names at once"),
    ],
)
def test_what_cannot_be_delivered_is_said(sources: Sources, page: str, why: str) -> None:
    sources.write(js__page_js=page, js__b_js='import "./page.js";', js__c_js='import("./page.js");')
    if "./b.js" not in page:
        sources.write(js__b_js="")
    if "./c.js" not in page:
        sources.write(js__c_js="")
    with pytest.raises(Broken, match=re.escape(why)):
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
    monkeypatch.setattr(serving, "found", lambda: {name: where for name, where in found().items() if name in SOME})
    serving.prepare()
    assert set(made.names) == set(SOME)
    assert all((tmp_path / name).is_file() for name in made.names.values())
    monkeypatch.setattr(DeliveryStorage, "post_process", None)
    again = DeliveryStorage(location=tmp_path, base_url="/static/")
    monkeypatch.setattr(serving, "staticfiles_storage", again)
    serving.prepare()
    assert again.names == made.names
    assert again.url(SOME[0]) == f"/static/{made.names[SOME[0]]}"
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


def test_every_script_of_ours_can_be_delivered(tmp_path: Path) -> None:
    made = DeliveryStorage(location=tmp_path, base_url="/static/")
    paths = {name: where for name, where in found().items() if not name.startswith("admin/")}
    names = {name: new for name, new, _ in made.post_process(paths)}
    assert {"js/room.js", "js/watch.js", "js/scheme.js", "css/base.css", "js/view/emoji_picker.js"} <= set(names)
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
    assert "js/view/emoji_picker.js" not in links, "which is imported once it is wanted"


def test_where_it_comes_in_one_file_nothing_else_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staticfiles_storage, "names", {"js/room.js": "js/room.0123456789ab.js"})
    assert rendered("js/room.js") == ["js/room.0123456789ab.js"]


def test_a_script_that_is_not_there_is_no_page() -> None:
    with pytest.raises(TemplateSyntaxError, match=r"there is no script 'js/nothing\.js'"):
        rendered("js/nothing.js")
