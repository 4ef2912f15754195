"""What is known to be wrong with what we use: every package that is fixed or installed here, asked of OSV (osv.dev),
which has the advisories of PyPI, npm and GitHub. ``bin/audit`` runs it.

It ends with 0 where nothing is known, with 1 and a line for each where something is, with 2 where something is not
fixed to one version or an exception is over, and with 3 where the service could not be asked, which is no answer.

What is known and cannot be mended yet may be passed over for a time, in pyproject.toml, with the reason:

    [[tool.engawa.audit]]
    id = "GHSA-xxxx-xxxx-xxxx"
    reason = "Only its command line is affected, which nothing calls."
    until = 2027-01-31
"""

import json
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import distributions
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
SERVICE = "https://api.osv.dev"  # AUDIT_URL names another that speaks as it does, such as a mirror of one's own
SECONDS = 20.0
MOST_AT_ONCE = 500  # in one question; they take a thousand
ELSEWHERE = {".venv", "var", "node_modules"}
CLEAN, KNOWN, WRONG, NOT_ASKED = 0, 1, 2, 3

_PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==([A-Za-z0-9._!+]+)(?:\s*;.*)?")


@dataclass(frozen=True, order=True)
class Package:
    ecosystem: str
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.ecosystem})"


@dataclass(frozen=True)
class Exempt:
    """An advisory that is passed over until a day, and why."""

    id: str
    reason: str
    until: date


@dataclass
class Advisory:
    id: str
    aliases: set[str] = field(default_factory=set)
    summary: str = ""


class WrongFileError(Exception):
    """Something in a file of ours is not as it must be."""


def fixed_here(root: Path = ROOT) -> set[Package]:
    """What the requirements and lock files fix. Raises ``WrongFileError`` for what they do not."""
    found = set()
    for path in sorted(root.glob("requirements*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            line = line.partition(" #")[0].strip()
            if not line or line.startswith(("#", "-r ")):
                continue
            if not (pin := _PIN.fullmatch(line)):
                raise WrongFileError(f"{path.name}: {line!r} is not fixed to one version")
            found.add(Package("PyPI", _normal(pin[1]), pin[2]))
    for path in sorted(root.rglob("package-lock.json")):
        if not ELSEWHERE.intersection(path.relative_to(root).parts):
            found.update(_locked(path))
    return found


def installed_here() -> set[Package]:
    """What those bring along, which is fixed nowhere."""
    return {Package("PyPI", _normal(each.metadata["Name"]), each.version) for each in distributions()}


def exempt_here(root: Path = ROOT, today: date | None = None) -> list[Exempt]:
    """Raises ``WrongFileError`` where one is over, or does not say why."""
    today = today or datetime.now(UTC).date()
    written = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    all_exempt = []
    for entry in written.get("tool", {}).get("engawa", {}).get("audit", []):
        try:
            exempt = Exempt(**entry)
        except TypeError:
            raise WrongFileError(f"pyproject.toml: {entry} needs id, reason and until") from None
        if not isinstance(exempt.until, date) or len(str(exempt.reason).split()) < 3:
            raise WrongFileError(f"pyproject.toml: {exempt.id} needs a reason in words, and a day until which it holds")
        if exempt.until < today:
            raise WrongFileError(f"pyproject.toml: {exempt.id} was passed over until {exempt.until}; look at it again")
        all_exempt.append(exempt)
    return all_exempt


def known_of(packages: set[Package], service: str = SERVICE) -> dict[Package, list[Advisory]]:
    """The advisories of those packages that have any. Raises ``httpx.HTTPError`` where not all could be asked for."""
    known: dict[Package, set[str]] = {}
    with httpx.Client(base_url=service, timeout=SECONDS) as http:
        waiting = [(package, "") for package in sorted(packages)]
        while waiting:
            asked, waiting = waiting, []
            for begin in range(0, len(asked), MOST_AT_ONCE):
                some = asked[begin : begin + MOST_AT_ONCE]
                for (package, _), result in zip(some, _ask(http, some), strict=True):
                    if vulns := result.get("vulns"):
                        known.setdefault(package, set()).update(vuln["id"] for vuln in vulns)
                    if token := result.get("next_page_token"):
                        waiting.append((package, token))
        advisories = {id: _advisory(http, id) for id in sorted(set().union(*known.values()))}
    found = {package: [advisories[id] for id in sorted(ids) if advisories[id]] for package, ids in known.items()}
    return {package: each for package, each in found.items() if each}


def _ask(http: httpx.Client, some: list[tuple[Package, str]]) -> list[dict]:
    queries = [
        {
            "package": {"name": package.name, "ecosystem": package.ecosystem},
            "version": package.version,
            **({"page_token": token} if token else {}),
        }
        for package, token in some
    ]
    results = _json(http.post("/v1/querybatch", json={"queries": queries})).get("results")
    if not isinstance(results, list) or len(results) != len(some):
        raise httpx.DecodingError("it answered something else")
    return [result or {} for result in results]


def _advisory(http: httpx.Client, id: str) -> Advisory | None:
    """None where it was taken back."""
    said = _json(http.get(f"/v1/vulns/{id}"))
    return None if said.get("withdrawn") else Advisory(id, set(said.get("aliases", ())), said.get("summary", ""))


def _json(answer: httpx.Response) -> dict:
    answer.raise_for_status()
    try:
        said = answer.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise httpx.DecodingError("it answered something else")
    return said


def _locked(path: Path) -> Iterator[Package]:
    for place, entry in json.loads(path.read_text(encoding="utf-8"))["packages"].items():
        if place and not entry.get("link"):
            name = entry.get("name") or place.rpartition("node_modules/")[2]
            if not entry.get("integrity"):
                raise WrongFileError(f"{path.name} of {path.parent.name}: {name} has no hash")
            yield Package("npm", name, entry["version"])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main(root: Path = ROOT, service: str = "") -> int:
    try:
        packages, all_exempt = fixed_here(root) | installed_here(), exempt_here(root)
    except WrongFileError as error:
        print(f"audit: {error}", file=sys.stderr)
        return WRONG
    service = service or os.environ.get("AUDIT_URL") or SERVICE
    try:
        known = known_of(packages, service)
    except httpx.HTTPError as error:
        print(
            f"audit: NOT DONE. {service} could not be asked ({type(error).__name__}), so nobody knows whether something"
            f" is wrong with one of {len(packages)} packages. Run bin/audit where it can be, before you release.",
            file=sys.stderr,
        )
        return NOT_ASKED
    unused = {exempt.id for exempt in all_exempt}
    count = 0
    for package, advisories in sorted(known.items()):
        for advisory in advisories:
            passed = {exempt.id for exempt in all_exempt} & {advisory.id, *advisory.aliases}
            unused -= passed
            if not passed:
                count += 1
                print(f"audit: {package}: {advisory.id}: {advisory.summary}", file=sys.stderr)
    for id in sorted(unused):
        print(f"audit: {id} is passed over in pyproject.toml and known of nothing here: take it away", file=sys.stderr)
    if count or unused:
        return KNOWN if count else WRONG
    print(f"audit: nothing is known of {len(packages)} packages, {len(all_exempt)} passed over")
    return CLEAN


if __name__ == "__main__":
    sys.exit(main())
