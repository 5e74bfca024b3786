"""Panels as Grafana has them, from the few words that differ from one to the next."""

from __future__ import annotations

from typing import Any

COLUMNS = 24
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
OF_NODES = 'cluster=~"$cluster",instance=~"$node"'
OF_ALL = 'cluster=~"$cluster"'
"""What the looking glass says is about no single node."""
GOOD, ODD, BAD = "green", "orange", "red"

Panel = dict[str, Any]


def _expression(text: str) -> str:
    """Return an expression with its filters: ``{}`` for those of nodes, ``{*}`` for all."""
    return text.replace("{*}", f"{{{OF_ALL}}}").replace("{}", f"{{{OF_NODES}}}")


def _target(number: int, expression: str, legend: str, **more: Any) -> dict[str, Any]:
    return {
        "refId": chr(ord("A") + number),
        "datasource": SOURCE,
        "editorMode": "code",
        "expr": _expression(expression),
        "legendFormat": legend or "__auto",
        "range": True,
        **more,
    }


def _panel(kind: str, title: str, size: tuple[int, int], about: str, **more: Any) -> Panel:
    width, height = size
    position = {"w": width, "h": height}
    return {
        "type": kind,
        "title": title,
        "description": about,
        "datasource": SOURCE,
        "gridPos": position,
        **more,
    }


def _steps(*steps: tuple[float | None, str]) -> dict[str, Any]:
    found = [{"value": value, "color": color} for value, color in steps]
    return {"mode": "absolute", "steps": found}


def stat(
    title: str, expression: str, about: str, *steps: tuple[float | None, str], unit: str = "none"
) -> Panel:
    """Return a number that is green while all is well."""
    return _panel(
        "stat",
        title,
        (3, 4),
        about,
        targets=[_target(0, expression, "", instant=True, range=False)],
        fieldConfig={
            "defaults": {
                "unit": unit,
                "decimals": 0,
                "noValue": "?",
                "color": {"mode": "thresholds"},
                "thresholds": _steps(*steps),
            },
            "overrides": [],
        },
        options={
            "colorMode": "background",
            "graphMode": "none",
            "justifyMode": "center",
            "textMode": "value",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        },
    )


def lines(
    title: str,
    about: str,
    *queries: tuple[str, str],
    unit: str = "none",
    size: tuple[int, int] = (12, 8),
) -> Panel:
    """Return lines over time."""
    return _panel(
        "timeseries",
        title,
        size,
        about,
        targets=[_target(number, *query) for number, query in enumerate(queries)],
        fieldConfig={
            "defaults": {
                "unit": unit,
                "min": 0,
                "color": {"mode": "palette-classic"},
                "custom": {
                    "drawStyle": "line",
                    "lineInterpolation": "stepAfter",
                    "lineWidth": 2,
                    "fillOpacity": 0,
                    "showPoints": "never",
                    "spanNulls": False,
                },
            },
            "overrides": [],
        },
        options={
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    )


def table(
    title: str,
    about: str,
    expression: str,
    columns: dict[str, str],
    *,
    unit: str = "none",
    size: tuple[int, int] = (12, 8),
) -> Panel:
    """Return rows as they are now; ``columns`` names the labels to show, and ``Value``."""
    value = {
        "matcher": {"id": "byName", "options": columns.get("Value", "Value")},
        "properties": [{"id": "unit", "value": unit}],
    }
    return _panel(
        "table",
        title,
        size,
        about,
        targets=[_target(0, expression, "", instant=True, range=False, format="table")],
        fieldConfig={"defaults": {"noValue": "none"}, "overrides": [value]},
        options={"showHeader": True, "cellHeight": "sm", "footer": {"show": False}},
        transformations=[
            {"id": "filterFieldsByName", "options": {"include": {"names": [*columns]}}},
            {
                "id": "organize",
                "options": {
                    "excludeByName": {},
                    "indexByName": {name: place for place, name in enumerate(columns)},
                    "renameByName": columns,
                },
            },
        ],
    )


def heading(title: str) -> Panel:
    """Return a line over the panels that follow."""
    size = {"w": COLUMNS, "h": 1}
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": size}
