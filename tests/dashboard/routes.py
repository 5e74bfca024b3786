"""What is announced to whom, and what stands in the way: the panels that are about routes."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from tests.architecture import alert_rules, repository
from tests.dashboard import grafana


def glance() -> Iterator[grafana.Panel]:
    """Yield the line that says whether all is well, and what is firing."""
    zero = ((None, grafana.GOOD), (1, grafana.BAD))
    yield grafana.heading("At a glance: all green is all well")
    yield grafana.stat(
        "Nodes heard",
        "count(exabgp_k8s_build_info{})",
        "Agents that Prometheus hears. One that is not heard is in no other number here.",
        (None, grafana.BAD),
        (1, grafana.GOOD),
    )
    yield grafana.stat(
        "Worst service range",
        "min(sum by (prefix) (exabgp_k8s_route_announced{SERVICES} > bool 0)"
        " / sum by (prefix) (exabgp_k8s_route_meant{SERVICES} > bool 0))",
        "How many of the nodes that are meant to announce a service range do, at the worst range.",
        (None, grafana.BAD),
        (0.5, grafana.ODD),
        (1, grafana.GOOD),
        unit="percentunit",
    )
    yield grafana.stat(
        "Sessions down",
        "count(exabgp_k8s_session_up{} == 0) or vector(0)",
        "BGP sessions that nodes are meant to have and that are not Established.",
        *zero,
    )
    yield grafana.stat(
        "Nodes held back",
        "count(max by (instance) (exabgp_k8s_withheld{}) > 0) or vector(0)",
        "Nodes that do not announce something as usual. A cordon is one, so it is no fault yet.",
        (None, grafana.GOOD),
        (1, grafana.ODD),
    )
    yield grafana.stat(
        "Settings refused",
        "sum(exabgp_k8s_settings_stale{})",
        "Nodes that refuse the edited settings and go on with the last good ones.",
        *zero,
    )
    yield grafana.stat(
        "API server heard",
        "max(exabgp_k8s_kube_last_contact_seconds{})",
        "The node that has heard no API server for longest. Ten minutes are an alert.",
        (None, grafana.GOOD),
        (120, grafana.ODD),
        (600, grafana.BAD),
        unit="s",
    )
    yield grafana.stat(
        "Budget exhausted",
        "sum(exabgp_k8s_budget_exhausted{})",
        "Nodes that fail their checks and stay announced, because too many others are out.",
        *zero,
    )
    yield grafana.stat(
        "Restarts, last hour",
        "sum(increase(exabgp_k8s_restarts_total{}[1h]))",
        "Of agents, which routers do not see, and of ExaBGP, which ends a node's sessions.",
        (None, grafana.GOOD),
        (1, grafana.ODD),
        (5, grafana.BAD),
    )
    names = "|".join(_alerts())
    yield grafana.table(
        "What is firing",
        "Needs the rules of docs/prometheus. docs/how-to/alerts.md says of each what to do.",
        f'ALERTS{{{grafana.OF_ALL},alertstate="firing",alertname=~"{names}"}}',
        {
            "alertname": "alert",
            "severity": "severity",
            "instance": "node",
            "peer": "router",
            "prefix": "prefix",
            "reason": "reason",
        },
        size=(24, 6),
    )


def announced() -> Iterator[grafana.Panel]:
    """Yield who announces what, and what is withheld."""
    yield grafana.heading("What is announced")
    yield grafana.lines(
        "Nodes that announce each service range",
        "The ECMP width that routers should have, as the agents know it; and how many are meant.",
        ("sum by (prefix) (exabgp_k8s_route_announced{SERVICES} > bool 0)", "{{prefix}}"),
        ("sum by (prefix) (exabgp_k8s_route_meant{SERVICES} > bool 0)", "{{prefix}}, meant"),
    )
    yield grafana.lines(
        "ECMP width at each router",
        "Nodes that have sent the router the range; needs the looking glass among the targets.",
        ("exabgp_k8s_cluster_ecmp_width{*}", "{{peer}} {{prefix}}"),
        ("exabgp_k8s_cluster_ecmp_healthy{*}", "{{peer}} {{prefix}}, healthy nodes"),
    )
    yield grafana.table(
        "Who announces what",
        "To how many routers each node has sent each of its prefixes; 0: to none.",
        "max by (instance, prefix, class) (exabgp_k8s_route_announced{})",
        {"instance": "node", "prefix": "prefix", "class": "class", "Value": "routers"},
    )
    yield grafana.table(
        "What is withheld, and why",
        "The words are explained in docs/reference/reasons.md; `exabgp-k8s why` says since when.",
        "max by (instance, class, reason) (exabgp_k8s_withheld{}) > 0",
        {"instance": "node", "class": "class", "reason": "reason", "Value": "prefixes"},
    )
    yield grafana.lines(
        "Nodes held back, by reason",
        "A step that stays is a maintenance that was forgotten, or a fault.",
        (
            "count by (reason) (max by (instance, reason) (exabgp_k8s_withheld{}) > 0)",
            "{{reason}}",
        ),
    )
    yield grafana.lines(
        "Checks that fail",
        "Nodes on which the check is not up.",
        ("sum by (check) (1 - exabgp_k8s_check_up{})", "{{check}}"),
    )


def sessions() -> Iterator[grafana.Panel]:
    """Yield the sessions, BFD beside them, and what was lost."""
    yield grafana.heading("Sessions")
    yield grafana.table(
        "Sessions that are down, and since when",
        "`exabgp-k8s sessions` on the node says why.",
        "exabgp_k8s_session_seconds{} and on (instance, peer) (exabgp_k8s_session_up{} == 0)",
        {"instance": "node", "peer": "router", "Value": "down for"},
        unit="s",
    )
    yield grafana.lines(
        "Sessions up, by router",
        "A router that falls to zero is the router, or the way to it.",
        ("sum by (peer) (exabgp_k8s_session_up{})", "{{peer}}"),
        ("count by (peer) (exabgp_k8s_session_up{})", "{{peer}}, meant"),
    )
    yield grafana.lines(
        "Flaps in an hour",
        "Each moves traffic: sessions that were lost, and classes that a node withdrew.",
        (
            "sum by (peer) (increase(exabgp_k8s_session_flaps_total{}[1h]))",
            "sessions with {{peer}}",
        ),
        ("sum by (class) (increase(exabgp_k8s_leaves_total{}[1h]))", "leaves of {{class}}"),
    )
    yield grafana.lines(
        "Sessions lost since the agents started, by reason",
        "The numbers are those of the NOTIFICATION: docs/how-to/inspect.md.",
        ("sum by (reason) (exabgp_k8s_session_lost_total{})", "{{reason}}"),
    )
    yield grafana.lines(
        "BFD up, by router",
        "Only where a peer asks for BFD.",
        ("sum by (peer) (exabgp_k8s_bfd_up{})", "{{peer}}"),
        ("count by (peer) (exabgp_k8s_bfd_up{})", "{{peer}}, meant"),
        ("sum(exabgp_k8s_bfd_engine_up{})", "engines that answer"),
    )
    yield grafana.lines(
        "BFD lost in an hour",
        "Losses of BFD end the sessions at a router that watches it.",
        ("sum by (peer) (increase(exabgp_k8s_bfd_downs_total{}[1h]))", "{{peer}}"),
    )


def _alerts() -> list[str]:
    groups = yaml.safe_load(repository.read(alert_rules.SOURCE))["groups"]
    return [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]
