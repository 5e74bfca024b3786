"""How fast the agents are, what they work from, and what they cost: the panels about them."""

from __future__ import annotations

from collections.abc import Iterator

from tests.dashboard import grafana


def times() -> Iterator[grafana.Panel]:
    """Yield how long it took, and what is waited for."""
    quantile = (
        "histogram_quantile({}, sum by (le, {}) (increase(exabgp_k8s_{}_seconds_bucket[6h])))"
    )

    def of(part: float, label: str, name: str) -> str:
        filled = quantile.format(part, label, name)
        return filled.replace("_bucket[", "_bucket{}[")

    yield grafana.heading("How fast")
    yield grafana.lines(
        "From the cause to the last router, 99 of 100",
        "What it begins with, by kind of cause, is in docs/reference/metrics.md; over six hours.",
        (of(0.99, "cause", "reaction"), "{{cause}}"),
        unit="s",
    )
    yield grafana.lines(
        "From the decision to the last router, 99 of 100",
        "A few milliseconds are usual; more is a router that does not read. Over six hours.",
        (of(0.99, "class", "withdraw"), "{{class}}"),
        unit="s",
    )
    yield grafana.lines(
        "Changes that no router was sent yet",
        "It is above zero for milliseconds; what stays is an alert after two minutes.",
        ("sum by (instance) (exabgp_k8s_changes_unacknowledged{}) > 0", "{{instance}}"),
    )
    yield grafana.lines(
        "Since the API server was heard",
        "The ten that have waited longest. Without it a cordon is not seen.",
        ("topk(10, exabgp_k8s_kube_last_contact_seconds{})", "{{instance}}"),
        unit="s",
    )


def works_from() -> Iterator[grafana.Panel]:
    """Yield settings, budget and whatever else a decision rests on."""
    yield grafana.heading("What the agents work from")
    yield grafana.table(
        "Refused settings, and since when",
        "`exabgp-k8s status` on the node names every mistake.",
        "time() - exabgp_k8s_settings_stale_since_seconds{}",
        {"instance": "node", "Value": "stale for"},
        unit="s",
        size=(8, 7),
    )
    yield grafana.lines(
        "Outage budget",
        "Slots that are taken and that there are, as the node knows that asked last.",
        ("max(exabgp_k8s_budget_taken{})", "taken"),
        ("min(exabgp_k8s_budget_allowed{})", "allowed"),
        ("sum(exabgp_k8s_budget_unreachable{})", "nodes that cannot ask"),
        size=(8, 7),
    )
    yield grafana.lines(
        "In use and not to be found",
        "Passwords, labels, addresses; it goes on without them until the pod is replaced.",
        ("sum by (reason) (exabgp_k8s_missing{})", "{{reason}}"),
        ("sum(exabgp_k8s_pods_elsewhere{})", "pods outside of the announced ranges"),
        size=(8, 7),
    )
    yield grafana.lines(
        "Nodes by what they are at",
        "Serving, or how far a drain is.",
        ("sum by (phase) (exabgp_k8s_phase{})", "{{phase}}"),
        size=(8, 7),
    )
    yield grafana.lines(
        "Nodes by state, as the API server knows them",
        "Needs the looking glass among the targets.",
        ("exabgp_k8s_cluster_nodes{*} > 0", "{{state}}"),
        size=(8, 7),
    )
    yield grafana.table(
        "Versions",
        "More than one is a rollout that is under way or stands still.",
        "count by (version) (exabgp_k8s_build_info{})",
        {"version": "version", "Value": "nodes"},
        size=(8, 7),
    )


def processes() -> Iterator[grafana.Panel]:
    """Yield memory, processor time and restarts."""
    yield grafana.heading("Processes")
    yield grafana.lines(
        "Memory of the largest",
        "Of each kind of process; pages that they share count for each.",
        ("max by (process) (exabgp_k8s_process_resident_bytes{})", "{{process}}"),
        unit="bytes",
        size=(8, 7),
    )
    yield grafana.lines(
        "Processor time of the busiest",
        "Of each kind of process, as a part of one core.",
        (
            "max by (process) (rate(exabgp_k8s_process_cpu_seconds_total{}[$__rate_interval]))",
            "{{process}}",
        ),
        unit="percentunit",
        size=(8, 7),
    )
    yield grafana.lines(
        "Restarts in an hour",
        "What each reason means is in docs/reference/metrics.md.",
        (
            "sum by (process, reason) (increase(exabgp_k8s_restarts_total{}[1h])) > 0",
            "{{process}} {{reason}}",
        ),
        size=(8, 7),
    )
