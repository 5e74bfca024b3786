"""Writes the alerts as an object of the Prometheus operator.

    python -m tests.architecture.alert_rules

One file is for people who have a ``prometheus.yml``, the other for the operator.
"""

from __future__ import annotations

import textwrap

from tests.architecture import repository

SOURCE = "docs/prometheus/exabgp-k8s.rules.yaml"
TARGET = "daemonset/components/monitoring/rules.yaml"
HEAD = f"""\
# Made from {SOURCE} by `python -m tests.architecture.alert_rules`.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: exabgp-k8s
  namespace: exabgp-k8s
  labels:
    app.kubernetes.io/name: exabgp-k8s
spec:
"""


def render() -> str:
    """Return the PrometheusRule."""
    text = repository.read(SOURCE)
    return HEAD + textwrap.indent(text[text.index("groups:") :], "  ")


if __name__ == "__main__":
    (repository.ROOT / TARGET).write_text(render(), encoding="utf-8")
