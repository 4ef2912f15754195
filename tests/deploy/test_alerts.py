"""The files for Prometheus and Grafana: valid, complete, and each alert seen to fire."""

import re
import subprocess
from itertools import combinations

import pytest
import yaml

from tests.parts import promtool
from tests.promql import ALERT_TESTS, ALERTS, ROOT, SCRAPING, alert_rules, dashboard, metrics_in, panels
from tests.unit.test_docs import anchors


@pytest.mark.parametrize(
    "arguments", [("check", "rules", ALERTS), ("check", "config", SCRAPING), ("test", "rules", ALERT_TESTS)]
)
def test_prometheus_own_checker_agrees(arguments: tuple) -> None:
    done = subprocess.run([promtool(), *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_seen_to_fire_and_not_to() -> None:
    calm, ill, _ = yaml.safe_load(ALERT_TESTS.read_text())["tests"]
    fired = re.findall(r'alertname="(\w+)"', str(ill["promql_expr_test"]))
    assert sorted(fired) == sorted(rule["alert"] for rule in alert_rules())
    # Nothing is calm for want of anything to look at.
    for test in (calm, ill):
        given = {series["series"].partition("{")[0] for series in test["input_series"]}
        assert not set().union(*(metrics_in(rule["expr"]) for rule in alert_rules())) - given


@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_it_is_and_what_to_do(rule: dict) -> None:
    assert re.fullmatch(r"[1-9][0-9]*m", rule["for"])
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"].endswith(".")
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert anchor == rule["alert"].lower()
    assert anchor in anchors(ROOT / page)


def test_the_dashboard_is_whole() -> None:
    board = dashboard()
    assert board["uid"] == "engawa"
    assert board["schemaVersion"] >= 39
    assert {variable["name"]: variable["type"] for variable in board["templating"]["list"]} == {
        "datasource": "datasource",
        "instance": "query",
    }
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    places = [panel["gridPos"] for panel in board["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        apart_across = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert apart_across or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    titles = [panel["title"] for panel in panels()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_a_panel_says_what_it_shows(panel: dict) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"] in ("short", "ops", "s", "bytes", "percentunit")
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert panel["targets"]
    for target in panel["targets"]:
        assert target["datasource"] == panel["datasource"]
        assert 'instance=~"$instance"' in target["expr"]
