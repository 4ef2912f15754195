"""A picture for each scenario, for light pages and for dark ones: bars, one for each row, in the order of the table."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

from bench.known import SYSTEMS
from bench.scenarios import SCENARIOS, Scenario

_THEMES = {
    "light": {"text": "#1f2328", "faint": "#d0d7de", "ours": "#0969da", "other": "#8c959f"},
    "dark": {"text": "#e6edf3", "faint": "#30363d", "ours": "#58a6ff", "other": "#6e7681"},
}


def write(results: dict[str, Any], folder: Path) -> None:
    """Write ``<scenario>-light.svg`` and ``-dark.svg`` for each scenario that gave figures."""
    folder.mkdir(exist_ok=True)
    for scenario in SCENARIOS.values():
        figure = scenario.columns[0].figure
        rows = [row for row in results["rows"] if row["scenario"] == scenario.name and figure in row["figures"]]
        if rows:
            for theme, colours in _THEMES.items():
                _draw(scenario, rows, colours, folder / f"{scenario.name}-{theme}.svg")


def _draw(scenario: Scenario, rows: list[dict[str, Any]], colours: dict[str, str], path: Path) -> None:
    column = scenario.columns[0]
    labels = [f"{SYSTEMS[row['system']].title} · {row['situation']}" for row in rows]
    spreads = [row["figures"][column.figure] for row in rows]
    values = [spread["median"] * column.scale for spread in spreads]
    errors = [
        [(spread["median"] - spread["min"]) * column.scale for spread in spreads],
        [(spread["max"] - spread["median"]) * column.scale for spread in spreads],
    ]
    with matplotlib.rc_context({"svg.hashsalt": "engawa", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure, axes = pyplot.subplots(figsize=(9, 0.9 + 0.32 * len(rows)), layout="constrained")
        bars = axes.barh(
            labels,
            values,
            xerr=errors,
            color=[colours["ours" if row["system"].startswith("engawa") else "other"] for row in rows],
            error_kw={"ecolor": colours["text"], "elinewidth": 1},
        )
        axes.bar_label(
            bars, [f"{value:,.{column.digits}f}" for value in values], padding=6, color=colours["text"], fontsize=9
        )
        axes.invert_yaxis()
        axes.margins(x=0.12)
        better = "more is better" if scenario.higher_is_better else "less is better"
        axes.set_xlabel(f"{column.heading}: {better}", color=colours["text"], fontsize=9)
        axes.tick_params(colors=colours["text"], labelsize=9)
        axes.xaxis.grid(True, color=colours["faint"])
        axes.set_axisbelow(True)
        for side, spine in axes.spines.items():
            spine.set_visible(side == "left")
            spine.set_color(colours["faint"])
        figure.savefig(path, transparent=True, metadata={"Date": None})
        pyplot.close(figure)
