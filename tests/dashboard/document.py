"""The Grafana dashboard, made from the few lines that matter of each panel.

    python -m tests.dashboard.document

Grafana's JSON is long, and nobody sees a wrong query in it. So a panel is said here in one call,
and two files are made from all of them: one to import by hand, and a ConfigMap with the label
that Grafana's sidecar looks for.
"""

from __future__ import annotations

import json
import textwrap
from typing import Any

from tests.architecture import repository
from tests.dashboard import agents, grafana, routes

TARGET = "docs/prometheus/exabgp-k8s.dashboard.json"
CONFIG_MAP = "daemonset/components/monitoring/dashboard.yaml"
HEAD = f"""\
# Made from {TARGET} by `python -m tests.dashboard.document`.
# The sidecar of Grafana's chart finds it by its label, in this namespace if it looks in all.
apiVersion: v1
kind: ConfigMap
metadata:
  name: exabgp-k8s-dashboard
  namespace: exabgp-k8s
  labels:
    app.kubernetes.io/name: exabgp-k8s
    grafana_dashboard: "1"
data:
  exabgp-k8s.json: |-
"""


def panels() -> list[grafana.Panel]:
    """Return all panels, each in its place: from left to right, then the next line."""
    found: list[grafana.Panel] = []
    across = down = tallest = 0
    parts = (
        routes.glance(),
        routes.announced(),
        routes.sessions(),
        agents.times(),
        agents.works_from(),
        agents.processes(),
    )
    for panel in (each for part in parts for each in part):
        place = panel["gridPos"]
        if across + place["w"] > grafana.COLUMNS:
            across, down, tallest = 0, down + tallest, 0
        panel["gridPos"] = {**place, "x": across, "y": down}
        across, tallest = across + place["w"], max(tallest, place["h"])
        found.append({"id": len(found) + 1, **panel})
    return found


def _variable(name: str, label: str, of: str) -> dict[str, Any]:
    query = f"label_values(exabgp_k8s_build_info{of}, {name if name != 'node' else 'instance'})"
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": grafana.SOURCE,
        "definition": query,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        # Also what has no such label: most people have one cluster in one Prometheus.
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def render() -> str:
    """Return the dashboard as JSON."""
    source = {"name": "datasource", "label": "Prometheus", "type": "datasource"}
    document = {
        "uid": "exabgp-k8s",
        "title": "exabgp-k8s",
        "description": "Which nodes announce what to which routers, and what stands in the way.",
        "tags": ["bgp", "kubernetes"],
        "editable": True,
        "graphTooltip": 1,
        "schemaVersion": 39,
        "version": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "",
        "annotations": {"list": []},
        "links": [],
        "templating": {
            "list": [
                {**source, "query": "prometheus", "refresh": 1, "current": {}},
                _variable("cluster", "Cluster", ""),
                _variable("node", "Node", '{cluster=~"$cluster"}'),
            ]
        },
        "panels": panels(),
    }
    text = json.dumps(document, indent=1, ensure_ascii=True)
    services = '{cluster=~\\"$cluster\\",instance=~\\"$node\\",class=\\"services\\"}'
    return text.replace("{SERVICES}", services) + "\n"


def config_map() -> str:
    """Return the dashboard as what Grafana's sidecar reads."""
    return HEAD + textwrap.indent(render().rstrip(), "    ") + "\n"


if __name__ == "__main__":
    (repository.ROOT / TARGET).write_text(render(), encoding="utf-8")
    (repository.ROOT / CONFIG_MAP).write_text(config_map(), encoding="utf-8")
