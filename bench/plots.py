"""A picture for each scenario, for light pages and for dark ones: bars, one for each row, in the order of the table."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from bench.known import SYSTEMS
from bench.scenarios import SCENARIOS, Column, Scenario

_THEMES = {
    "light": {"text": "#1f2328", "faint": "#d0d7de", "ours": "#0969da", "other": "#8c959f"},
    "dark": {"text": "#e6edf3", "faint": "#30363d", "ours": "#58a6ff", "other": "#6e7681"},
}
_WIDTH, _ROW, _AROUND = 9, 0.32, 0.95  # inches
Row = dict[str, Any]


def write(results: dict[str, Any], folder: Path) -> None:
    """Write ``<scenario>-light.svg`` and ``-dark.svg`` for each scenario that gave figures."""
    folder.mkdir(exist_ok=True)
    for scenario in SCENARIOS.values():
        rows = [row for row in results["rows"] if row["scenario"] == scenario.name]
        panels = [
            (column, drawn)
            for column in scenario.drawn
            if (drawn := [row for row in rows if column.figure in row["figures"]])
        ]
        if panels:
            for theme, colours in _THEMES.items():
                _draw(scenario, panels, colours, folder / f"{scenario.name}-{theme}.svg")


def _draw(scenario: Scenario, panels: list[tuple[Column, list[Row]]], colours: dict[str, str], path: Path) -> None:
    heights = [_AROUND + _ROW * len(rows) for _, rows in panels]
    with matplotlib.rc_context({"svg.hashsalt": "engawa", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure, all_axes = pyplot.subplots(
            len(panels),
            figsize=(_WIDTH, sum(heights)),
            height_ratios=heights,
            layout="constrained",
            squeeze=False,
        )
        for axes, (column, rows) in zip(all_axes.flat, panels, strict=True):
            _bars(axes, column, rows, colours)
        all_axes[0, 0].set_title(scenario.title, color=colours["text"], fontsize=11, loc="left")
        figure.savefig(path, transparent=True, metadata={"Date": None})
        pyplot.close(figure)


def _bars(axes: Axes, column: Column, rows: list[Row], colours: dict[str, str]) -> None:
    # A row keeps its place by its number: two may have the same words.
    places = range(len(rows))
    spreads = [row["figures"][column.figure] for row in rows]
    values = [spread["median"] * column.scale for spread in spreads]
    errors = [
        [(spread["median"] - spread["min"]) * column.scale for spread in spreads],
        [(spread["max"] - spread["median"]) * column.scale for spread in spreads],
    ]
    bars = axes.barh(
        places,
        values,
        xerr=errors,
        color=[colours["ours" if row["system"].startswith("engawa") else "other"] for row in rows],
        error_kw={"ecolor": colours["text"], "elinewidth": 1},
    )
    said = [
        f"{value:,.{column.digits}f}" + (" (limited by the load)" if row["limited_by_load"] else "")
        for value, row in zip(values, rows, strict=True)
    ]
    axes.bar_label(bars, said, padding=6, color=colours["text"], fontsize=9)
    axes.set_yticks(places, [f"{SYSTEMS[row['system']].title} · {row['situation']}" for row in rows])
    axes.invert_yaxis()
    # The words behind the bars take room that the bars do not know of: of a short bar's they hardly ever reach it.
    longest = max(range(len(rows)), key=lambda place: values[place])
    axes.margins(x=0.06 + 0.017 * len(said[longest]))
    axes.set_xlabel(_unit(column, spreads), color=colours["text"], fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.tick_params(colors=colours["text"], labelsize=9)
    axes.xaxis.grid(True, color=colours["faint"])
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "left")
        spine.set_color(colours["faint"])


def _unit(column: Column, spreads: list[dict[str, float]]) -> str:
    runs = sorted({int(spread["runs"]) for spread in spreads})
    if runs == [1]:
        measured = "one run"
    else:
        many = f"{runs[0]}" if len(runs) == 1 else f"{runs[0]} to {runs[-1]}"
        measured = f"median of {many} runs, their least and most as a line"
    return f"{column.heading}: {'more' if column.higher_is_better else 'less'} is better ({measured})"
