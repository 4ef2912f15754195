"""What a fresh process has imported, and who asked for it.

Run as ``python -m tests.imports MODULE… MODULE:FUNCTION…``, in the environment to be looked at: imports those in turn,
and calls the functions; then prints the names of all modules that are loaded, each with the one that first asked for
it, as JSON.
"""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Asking:
    """A finder that finds nothing, and remembers who asked."""

    def __init__(self) -> None:
        self.askers: dict[str, str] = {}

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        frame = sys._getframe(1)
        while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "importlib":
            frame = frame.f_back
        asker = "" if frame is None else frame.f_globals.get("__name__", "")
        self.askers.setdefault(name, "" if asker == "__main__" else asker)


class Imports:
    """The modules of a process by name, each with the one that first asked for it, or nothing."""

    def __init__(self, askers: dict[str, str], files: dict[str, str]) -> None:
        self.askers = askers
        self.files = files

    def __contains__(self, name: str) -> bool:
        return name in self.askers

    def within(self, package: str) -> list[str]:
        return [name for name in self.askers if name == package or name.startswith(f"{package}.")]

    def chain(self, name: str) -> str:
        """From what began it to ``name``."""
        found = [name]
        while (asker := self.askers.get(found[0])) and asker not in found:
            found.insert(0, asker)
        return " -> ".join(found)


def imports_of(environment: dict[str, str], *modules: str) -> Imports:
    done = subprocess.run(
        [sys.executable, "-m", "tests.imports", *modules],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Imports(**json.loads(done.stdout.splitlines()[-1]))


def main(modules: list[str]) -> None:
    asking = Asking()
    sys.meta_path.insert(0, asking)
    for named in modules:
        module, _, function = named.partition(":")
        imported = import_module(module)
        if function:
            getattr(imported, function)()
    loaded = {name: asking.askers[name] for name in sys.modules if name in asking.askers}
    files = {name: getattr(sys.modules[name], "__file__", None) or "" for name in loaded}
    print(json.dumps({"askers": loaded, "files": files}))


if __name__ == "__main__":
    main(sys.argv[1:])
