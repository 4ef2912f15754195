"""Which metrics the files for Prometheus and Grafana ask for."""

import json
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
ALERT_TESTS = ROOT / "tests" / "deploy" / "alerts_test.yaml"
SCRAPING = ROOT / "deploy" / "prometheus" / "prometheus.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "engawa.json"
OF_PROMETHEUS = {"up"}  # what it says itself of who it asks
_WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "bool", "offset"}


def metrics_in(expression: str) -> set[str]:
    """The names of the metrics that a PromQL expression reads."""
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", " ", bare)
    bare = re.sub(r"\b(by|without|on|ignoring)\s*\([^)]*\)", " ", bare)
    return {name for name in re.findall(r"\b[a-z_:][a-z0-9_:]*\b(?!\s*\()", bare) if name not in _WORDS}


def alert_rules() -> list[dict]:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> dict:
    return json.loads(DASHBOARD.read_text(encoding="utf-8"))


def panels() -> list[dict]:
    """Those of the dashboard that show something."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def asked_for() -> dict[str, set[str]]:
    """The metrics that each alert and panel reads."""
    alerts = {rule["alert"]: metrics_in(rule["expr"]) for rule in alert_rules()}
    shown = {
        panel["title"]: set().union(*(metrics_in(target["expr"]) for target in panel["targets"])) for panel in panels()
    }
    variables = {
        variable["name"]: set(re.findall(r"label_values\((\w+),", variable["definition"]))
        for variable in dashboard()["templating"]["list"]
        if variable["type"] == "query"
    }
    return alerts | shown | variables
