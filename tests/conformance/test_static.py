"""Scripts without their comments are the same programs."""

import json
import subprocess

import rjsmin
from django.conf import settings

from tests.parts import node_command


def test_scripts_without_comments_are_the_same_programs() -> None:
    folder = settings.BASE_DIR / "static" / "js"
    texts = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.js")}
    assert len(texts) > 40
    pairs = [{"name": name, "before": text, "after": rjsmin.jsmin(text)} for name, text in texts.items()]
    assert all(len(pair["after"]) < len(pair["before"]) for pair in pairs)
    done = subprocess.run(
        node_command("same.js"), input=json.dumps(pairs), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
