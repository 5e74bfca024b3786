"""What no single node can know, as metrics."""

from __future__ import annotations

from prometheus_client import parser

from exabgp_k8s.cluster import measures
from tests.cluster import samples


def values(text: str) -> dict[tuple[str, ...], float]:
    """Return the samples by name and label values, as Prometheus' own client reads them."""
    return {
        (each.name.removeprefix("exabgp_k8s_cluster_"), *each.labels.values()): each.value
        for family in parser.text_string_to_metric_families(text)
        for each in family.samples
    }


def test_nodes_are_counted_by_state_and_sets_have_their_width() -> None:
    found = values(measures.text(samples.take(*samples.five())))

    assert found["nodes", "announcing"] == 1
    assert found["nodes", "withheld"] == 1
    assert found["nodes", "silent"] == 0
    assert found["nodes_not_well",] == 3
    assert found["nodes_withheld", "unhealthy"] == 1
    assert found["nodes_settings_stale",] == 1
    assert found["ecmp_width", "tor-a", samples.SERVICES, "services"] == 2
    assert found["ecmp_healthy", "tor-a", samples.SERVICES, "services"] == 3
    assert found["ecmp_meant", "tor-a", samples.SERVICES, "services"] == 5
    assert found["sessions_up", "tor-b"] == 4
    assert found["own_prefixes_meant", "tor-b"] == 5


def test_the_publisher_that_is_silent_for_longest_is_told() -> None:
    found = values(measures.text(samples.take(*samples.five(), now=samples.NOW + 3600)))

    assert found["oldest_contact_seconds",] == 4000
    assert found["nodes", "silent"] == 5
    assert found["ecmp_width", "tor-a", samples.SERVICES, "services"] == 0


def test_evil_text_is_a_label_and_nothing_else() -> None:
    evil = '"} 1\nexabgp_k8s_evil{x="\\'
    session = {**samples.session("tor-a"), "peer": evil}
    prefix = samples.prefix(samples.SERVICES, "services", sentTo=[evil], meant=1)
    said = samples.well(1, sessions=[session], prefixes=[prefix])

    found = values(measures.text(samples.take([samples.node("n1")], [said])))
    assert found["ecmp_width", evil.replace("\n", " "), samples.SERVICES, "services"] == 1
    assert not any("evil" in name for name, *_ in found)
