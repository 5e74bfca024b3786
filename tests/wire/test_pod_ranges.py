"""What network plugins' objects say of a node's pod ranges, and what is made of odd ones."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exabgp_k8s.core.facts.pod_ranges import MOST, PodSource
from exabgp_k8s.wire import pod_ranges

RANGE = ipaddress.ip_network("10.244.1.0/24")
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["spec", "ipam", "podCIDRs", "metadata", "ownerReferences", "cidr"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def a_block(**spec: Any) -> dict[str, Any]:
    usual = {
        "cidr": "10.244.1.0/24",
        "deleted": "false",
        "node": "n1",
        "state": "confirmed",
        "type": "host",
    }
    return {"metadata": {"name": "n1-10-244-1-0-24"}, "spec": {**usual, **spec}}


def test_a_cilium_node_names_its_ranges_and_whose_it_is() -> None:
    found = pod_ranges.of_cilium(
        {
            "metadata": {"name": "n1", "ownerReferences": [{"kind": "Node", "uid": "5b0f"}]},
            "spec": {"ipam": {"podCIDRs": ["10.244.1.0/24", "fd00:1::/64"]}},
        }
    )

    assert [str(each) for each in found.cidrs] == ["10.244.1.0/24", "fd00:1::/64"]
    assert (found.source, found.owner, found.problems) == (PodSource.CILIUM, "5b0f", ())


@given(anything)
def test_any_cilium_node_is_read(document: Any) -> None:
    assert pod_ranges.of_cilium(document).source is PodSource.CILIUM


def test_a_confirmed_block_is_the_nodes() -> None:
    assert pod_ranges.block(a_block()) == (RANGE, "")


def test_a_block_of_an_older_calico_has_no_type() -> None:
    document = a_block()
    del document["spec"]["type"]

    assert pod_ranges.block(document) == (RANGE, "")


@pytest.mark.parametrize(
    "spec",
    [
        {"state": "pending"},
        {"state": "pendingDeletion"},
        {"deleted": "true"},
        {"deleted": True},
        {"deleted": "1"},
        {"type": "virtual"},
        {"state": None},
    ],
)
def test_a_block_that_is_not_yet_or_no_longer_the_nodes_is_none(spec: dict[str, Any]) -> None:
    assert pod_ranges.block(a_block(**spec)) == (None, "")


def test_a_block_that_is_being_deleted_is_none() -> None:
    document = a_block()
    document["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert pod_ranges.block(document) == (None, "")


@pytest.mark.parametrize("cidr", ["10.244.1.0", "10.244.1.0/24\nneighbor", "fe80::/64%eth0", 7])
def test_a_block_without_a_readable_range_is_named_as_a_problem(cidr: object) -> None:
    found, problem = pod_ranges.block(a_block(cidr=cidr))

    assert found is None
    assert problem.startswith("n1-10-244-1-0-24: spec.cidr[0] is ")


def test_a_block_is_told_by_its_node() -> None:
    assert pod_ranges.is_block_of(a_block(), "n1")
    assert not pod_ranges.is_block_of(a_block(), "n")


@given(anything)
def test_any_block_is_told_by_its_node(document: Any) -> None:
    assert not pod_ranges.is_block_of(document, "n1")


def test_no_node_has_more_ranges_than_a_router_should_be_asked_to_take() -> None:
    many = [(ipaddress.ip_network((0x0AF4_0000 + 64 * n, 26)), "") for n in range(MOST + 5)]

    found = pod_ranges.of_calico(many)

    assert len(found.cidrs) == MOST
    assert found.problems == (f"{MOST + 5} ranges: the first {MOST} count",)
