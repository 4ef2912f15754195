"""The results as a page and as a summary. Pure: of results as ``--json`` writes them."""

from collections.abc import Iterable
from typing import Any

from bench import prose
from bench.known import SYSTEMS
from bench.scenarios import SCENARIOS, Column, Scenario
from bench.targets import TARGETS, Judgement, Verdict

COMPARED = ("tutorial", "eventstream", "node-ws", "nchan")
_SHORT = {"tutorial": "tutorial", "eventstream": "eventstream", "node-ws": "Node ws", "nchan": "nchan"}

Results = dict[str, Any]
Row = dict[str, Any]


def merged(results: Results, earlier: Results) -> Results:
    """``results``, with those rows of an earlier run that it has not."""
    have = {_name(row) for row in results["rows"]}
    rows = results["rows"] + [row for row in earlier["rows"] if _name(row) not in have]
    order = list(SCENARIOS)
    rows.sort(key=lambda row: order.index(row["scenario"]))
    command = f"{earlier['command']}; {results['command']}"
    commits = dict.fromkeys([*earlier["commit"].split(", "), *results["commit"].split(", ")])
    return {
        **results,
        "rows": rows,
        "command": command,
        "commit": ", ".join(commits),
        "seconds": earlier["seconds"] + results["seconds"],
        "quick": earlier["quick"] or results["quick"],
        "versions": {**earlier["versions"], **results["versions"]},
        "machine": {**earlier["machine"], **results["machine"]},
    }


def _name(row: Row) -> tuple[str, str, str]:
    return row["scenario"], row["situation"], row["system"]


# Numbers ----------------------------------------------------------------------------------------------------


def number(value: float, digits: int = 0) -> str:
    return f"{value:,.{digits}f}"


def cell(row: Row, column: Column) -> str:
    """A figure's median, with its least and most where there were several runs."""
    figure = row["figures"].get(column.figure)
    if figure is None:
        return "–"
    median, least, most = (number(figure[name] * column.scale, column.digits) for name in ("median", "min", "max"))
    return median if least == most else f"{median} <sub>{least}–{most}</sub>"


def value(row: Row | None, figure: str) -> float | None:
    return None if row is None or figure not in row["figures"] else row["figures"][figure]["median"]


def ratio(row: Row, other: Row | None, scenario: Scenario) -> str:
    """How a row's first column compares with another's."""
    figure = scenario.columns[0].figure
    mine, theirs = value(row, figure), value(other, figure)
    if mine is None or not theirs or other is row:
        return "–"
    return f"× {mine / theirs:.3g}"


# Tables -----------------------------------------------------------------------------------------------------


def table(headings: list[str], rows: Iterable[list[str]]) -> str:
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def scenario_table(scenario: Scenario, rows: list[Row]) -> str:
    columns = [column for column in scenario.columns if any(column.figure in row["figures"] for row in rows)]
    compared = [key for key in COMPARED if any(row["system"] == key and row["figures"] for row in rows)]
    lines = []
    for row in rows:
        cells = [SYSTEMS[row["system"]].title, row["situation"]]
        if row["failures"]:
            lines.append([*cells, f"failed: {row['failures'][0]}", *[""] * (len(columns) + len(compared) - 1)])
            continue
        cells += [cell(row, column) for column in columns]
        if row["limited_by_load"] and scenario.name != "ceiling":
            cells[2] += " (limited by the load)"
        lines.append(cells + [ratio(row, _counterpart(row, key, rows), scenario) for key in compared])
    headings = [
        "System",
        "Situation",
        *(column.heading for column in columns),
        *(f"× {_SHORT[key]}" for key in compared),
    ]
    return table(headings, lines)


def _counterpart(row: Row, system: str, rows: list[Row]) -> Row | None:
    """The row of another system in the same situation, or else in its only one."""
    theirs = [one for one in rows if one["system"] == system and one["figures"]]
    same = [one for one in theirs if one["situation"] == row["situation"]]
    return same[0] if same else None


def verdicts(results: Results) -> list[Verdict]:
    return [verdict for target in TARGETS if (verdict := target.judge(results["rows"])) is not None]


def target_table(results: Results) -> str:
    rows = [
        [
            verdict.what,
            verdict.measured,
            verdict.target.goal,
            _reached(verdict.target),
            *(("–", "") if verdict.moonshot is None else (verdict.moonshot.goal, _reached(verdict.moonshot))),
        ]
        for verdict in verdicts(results)
    ]
    return table(["What", "Measured", "Target", "", "Moonshot", ""], rows)


def _reached(judgement: Judgement) -> str:
    said = {True: "reached", False: "**not reached**", None: "nothing to compare with"}[judgement.is_reached]
    return said + (f" ({judgement.found})" if judgement.found else "")


# Pages ------------------------------------------------------------------------------------------------------


def page(results: Results) -> str:
    """``docs/benchmarks.md``."""
    parts = [
        "# Benchmarks",
        f"Generated on {results['date']}, of the commit `{results['commit']}`, in {results['seconds'] / 60:.0f} "
        f"minutes, by {_commands(results)}; do not edit it.",
        f"Each figure is the median of {_repetitions(results['rows'])}, with the least and the most beside it where "
        "they differ. Machines differ and drift: what counts is how the rows of one table compare."
        + (
            " **A quick run is among them**: smaller and shorter than what the words below say."
            if results["quick"]
            else ""
        ),
        prose.MEASURED,
        prose.READ,
        prose.NOT_CONCLUDED,
        "## The machine",
        table(["What", "Which"], [[what, which] for what, which in results["machine"].items()]),
        "## The systems",
        table(
            ["System", "Made of"],
            [[SYSTEMS[key].title, made] for key, made in results["versions"].items()],
        ),
        "## Targets",
        prose.TARGETS,
        target_table(results),
    ]
    for scenario in SCENARIOS.values():
        rows = [row for row in results["rows"] if row["scenario"] == scenario.name]
        if not rows:
            continue
        parts += [f"## {scenario.title}", f"`bin/bench {scenario.name}`: {scenario.what}"]
        if any(scenario.columns[0].figure in row["figures"] for row in rows):
            parts.append(_picture(scenario))
        parts.append(scenario_table(scenario, rows))
    return "\n\n".join(parts) + "\n"


def _repetitions(rows: list[Row]) -> str:
    counts = sorted({figure["runs"] for row in rows for figure in row["figures"].values()}) or [0]
    if counts == [1]:
        return "one run"
    return f"{counts[0]} runs" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} runs"


def _commands(results: Results) -> str:
    return ", ".join(f"`{command}`" for command in results["command"].split("; "))


def _picture(scenario: Scenario) -> str:
    return (
        "<picture>\n"
        f'  <source media="(prefers-color-scheme: dark)" srcset="benchmarks/{scenario.name}-dark.svg">\n'
        f'  <img alt="{scenario.title}" src="benchmarks/{scenario.name}-light.svg">\n'
        "</picture>"
    )


def summary(results: Results) -> str:
    """For a terminal."""
    lines = []
    for row in results["rows"]:
        scenario = SCENARIOS[row["scenario"]]
        name = f"{row['scenario']:14} {row['system']:15} {row['situation']:40}"
        if row["failures"]:
            lines.append(f"{name} failed: {row['failures'][0]}")
            continue
        figures = [
            f"{number(found * column.scale, column.digits)} {column.heading}"
            for column in scenario.columns
            if (found := value(row, column.figure)) is not None
        ]
        limited = ", limited by the load" if row["limited_by_load"] else ""
        lines.append(f"{name} {', '.join(figures)}{limited}")
    for verdict in verdicts(results):
        moonshot = [] if verdict.moonshot is None else [f"moonshot {_told(verdict.moonshot)}"]
        told = "; ".join([f"target {_told(verdict.target)}", *moonshot])
        lines.append(f"{verdict.what}: {verdict.measured}; {told}")
    return "\n".join(lines)


def _told(judgement: Judgement) -> str:
    said = {True: "reached", False: "NOT REACHED", None: "not compared"}[judgement.is_reached]
    return f"{judgement.goal} {said}" + (f" ({judgement.found})" if judgement.found else "")
