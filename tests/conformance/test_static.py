"""What is taken out of scripts and styles before they are delivered is nothing that a browser would miss."""

import json
import subprocess

from config.delivery import storage
from config.delivery.sources import minified
from tests.parts import node_command

# What a minifier that knows an older language stumbles over.
AWKWARD = {
    "awkward.js": """
        class A { static #n = 0; #x = 1;
          get #y() { return this.#x; } async *#z() { yield* []; } has(it) { return #x in it; } }
        const s = `a  ${ b ? `in  ${ { c }.c } } ` : "// no comment" }  /* nor this */` + `$  {`;
        const r = /[/"'`]\\/\\/ +/gu.test(s) / 2 / /[/]x/.lastIndex; /* a
          comment of two lines */ const n = 1 .toFixed() + 1. / .5
        const o = a?.b ?.[ 0 ] ?? (a ? .5 : 1) ** 2;
        if (a) { a } else a ++ + ++ b - - c;
        label: for (const x of y) { continue label }
        const t = tag`x  y`, big = 1_000n; a ||= b; a &&= c; a ??= d
        const f = async (x) => ({ ...x, async: 1, get: 2 })
        ;[a, b] = [b, a]
        return_ (a) ; /** @type {import("./x.js").X} */ (a)
    """,
    "awkward.css": """
        @layer a, b;
        @layer a { :root { --x: light-dark(oklch(98.5% 0.008 90), oklch(20% 0.008 80)); --y:  calc( 1px + (2px) ) ; } }
        @media (width >= 30rem) and (prefers-reduced-motion: no-preference) { .a { & + .b, > .c, :hover & { x: 1 } } }
        .a { &:not( .b ):hover { color: oklch(from var(--x) l c h / 0.5); } :is( h1, h2 ) { y: 2 } & .d { z: 3 } }
        @container name (inline-size < 40rem) { .a :focus-visible { inset: auto 0 0 -1px; } }
        @supports selector(:has(a)) { a:has( > b ) { content: "  /* kept */ "; } }
        .p { content: "a  ;  b"; quotes: '"  {' "}  '"; --z : { } ; color : red ; }
        .p { font: 1rem / 1.5 "a  b" , serif !important }
        .q { grid-template: "a  b" auto / 1fr 2fr; margin: 0 -1px; width: min( 100% - 2rem , 3rem ) }
    """,
}


def test_minified_scripts_and_styles_are_the_same_programs() -> None:
    texts = dict(AWKWARD)
    for name, (where, path) in storage.found().items():
        if storage.is_ours(name):
            with where.open(path) as file:
                texts[name] = file.read().decode()
    assert len(texts) > 40
    pairs = [{"name": name, "before": text, "after": minified(name, text)} for name, text in texts.items()]
    assert all(len(pair["after"]) < len(pair["before"]) for pair in pairs)
    done = subprocess.run(
        node_command("same.js"), input=json.dumps(pairs), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
