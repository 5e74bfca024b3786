"""Each router's sessions and ECMP sets: who should be in them, who is not, and why."""

from __future__ import annotations

from typing import Any

from exabgp_k8s.cluster import routers
from tests.cluster import samples


def peer(name: str, nodes: list[Any], speakers: list[Any]) -> Any:
    """Return one router's row."""
    found = routers.peers(samples.take(nodes, speakers))
    return next(each for each in found if each["peer"] == name)


def missing(row: Any) -> dict[str, str]:
    """Return who is missing in the set of the services, and why."""
    (shared,) = row["prefixes"]
    return {each["node"]: each["reason"] for each in shared["missing"]}


def test_a_router_has_the_set_it_should_have_and_who_is_missing_with_reason_and_moment() -> None:
    row = peer("tor-a", *samples.five())
    (services,) = row["prefixes"]

    assert row["addresses"] == ["192.0.2.1"]
    assert (row["sessions_up"], row["sessions_of"]) == (4, 5)
    assert services["nodes"] == ["n1", "n5"]
    assert (services["width"], services["healthy"], services["meant"]) == (2, 3, 5)
    assert missing(row) == {
        "n2": "cordoned",
        "n3": "unhealthy:kube-proxy",
        "n4": "notification 2/2 (bad peer AS)",
    }
    assert {each["since"] for each in services["missing"]} == {samples.HAPPENED}


def test_the_prefixes_of_one_node_alone_are_counted_and_the_missing_named() -> None:
    own = peer("tor-a", *samples.five())["own"]

    assert (own["sent"], own["meant"]) == (3, 5)
    assert [each["prefix"] for each in own["missing"]] == ["10.244.2.0/24", "10.244.4.0/24"]


def test_a_node_that_is_not_ready_is_missing_though_it_was_announced() -> None:
    nodes = [samples.node("n1"), samples.node("n2", ready="Unknown")]
    row = peer("tor-a", nodes, [samples.well(1), samples.well(2)])

    assert missing(row) == {"n2": "NodeStatusUnknown"}
    assert row["sessions_up"] == 1


def test_a_router_whose_session_is_down_is_not_well_though_nobody_misses_a_prefix() -> None:
    """The node was cordoned on purpose, and its session was lost by itself."""
    down = [samples.session(each, state="Active") for each in samples.TORS]
    lost = samples.cordoned(2)
    lost["status"]["sessions"] = down
    nodes = [samples.node("n1"), samples.node("n2", is_cordoned=True)]

    assert peer("tor-a", nodes, [samples.well(1), samples.cordoned(2)])["is_well"]
    assert not peer("tor-a", nodes, [samples.well(1), lost])["is_well"]


def test_a_node_that_is_gone_is_in_no_set() -> None:
    row = peer("tor-a", [samples.node("n1")], [samples.well(1), samples.well(2)])

    assert row["prefixes"][0]["meant"] == 1


def test_what_is_kept_from_one_router_is_missing_there_only() -> None:
    why = {"reason": "no-next-hop:ipv4", "since": samples.HAPPENED, "peers": ["tor-b"]}
    lacking = samples.prefix(samples.SERVICES, "services", sent=1, sentTo=["tor-a"], reasons=[why])
    cluster = [samples.node("n1")], [samples.well(1, prefixes=[lacking])]

    assert missing(peer("tor-a", *cluster)) == {}
    assert missing(peer("tor-b", *cluster)) == {"n1": "no-next-hop:ipv4"}


def test_a_prefix_that_is_withheld_is_missing_only_where_others_announce_its_class() -> None:
    """The object of a node that keeps a prefix from all names none of them, only how many."""
    pods_to_b = samples.prefix("10.244.1.0/24", "pods", meant=1, sent=1, sentTo=["tor-b"])
    kept = {**samples.prefix("10.244.2.0/24", "pods", meant=1), **samples.withheld("cordoned")}
    cluster = (
        [samples.node("n1"), samples.node("n2")],
        [samples.well(1, prefixes=[pods_to_b]), samples.well(2, prefixes=[{**kept, "meant": 1}])],
    )

    assert peer("tor-a", *cluster)["own"]["meant"] == 0
    assert peer("tor-b", *cluster)["own"]["meant"] == 2


def test_routers_and_nodes_are_in_the_order_in_which_people_count() -> None:
    nodes = [samples.node(f"n{number}") for number in (10, 9, 1)]
    found = samples.take(nodes, [])

    assert list(found.nodes) == ["n1", "n9", "n10"]
