"""What is kept of the API server's words is read back as it was, or not at all."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exabgp_k8s.core.facts import events, model
from exabgp_k8s.wire import remembered

WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-./", min_size=1, max_size=20)
RANGES = st.lists(
    st.sampled_from([ipaddress.ip_network(f"10.244.{n}.0/24") for n in range(4)]
                    + [ipaddress.ip_network(f"fd00:{n}::/64") for n in range(4)]),
    unique=True,
).map(tuple)  # fmt: skip


def is_a_next_hop(address: model.Address) -> bool:
    """Return whether an address is one that a Node is believed to have."""
    is_odd = isinstance(address, ipaddress.IPv6Address) and (
        address.is_link_local or address.ipv4_mapped is not None
    )
    return not (address.is_unspecified or address.is_multicast or is_odd)


HOSTS = st.ip_addresses().filter(is_a_next_hop)
ADDRESSES = st.lists(HOSTS, unique=True, max_size=3).map(tuple)
NODES = st.builds(
    model.NodeFacts,
    name=st.just("node-3"),
    uid=WORDS,
    labels=st.dictionaries(WORDS, WORDS, max_size=4),
    annotations=st.dictionaries(
        WORDS, st.sampled_from(["64600", "65000.10", "192.0.2.1", "2001:db8::1", ""]), max_size=2
    ),
    override=st.sampled_from(model.Override),
    is_unschedulable=st.booleans(),
    is_deleting=st.booleans(),
    is_shutting_down=st.booleans(),
    taints=st.lists(st.builds(model.Taint, key=WORDS, effect=WORDS), max_size=3).map(tuple),
    pod_cidrs=RANGES,
    internal_ips=ADDRESSES,
)


@given(NODES, st.none() | RANGES)
def test_what_is_kept_is_read_back(
    node: model.NodeFacts, ranges: tuple[model.Network, ...] | None
) -> None:
    text = remembered.dump(node, ranges)

    assert remembered.load(text, "node-3") == events.Remembered(node=node, service_cidrs=ranges)


@given(NODES, st.integers(0, 400))
def test_what_a_crash_cut_off_is_not_read(node: model.NodeFacts, length: int) -> None:
    text = remembered.dump(node, None)

    assert remembered.load(text[: min(length, len(text) - 1)], "node-3") is None


def test_the_memory_of_another_node_is_not_read() -> None:
    text = remembered.dump(model.NodeFacts(name="node-3"), None)

    assert remembered.load(text, "node-4") is None


@pytest.mark.parametrize("text", ["null", "[]", '{"node": 3, "serviceCIDRs": null}', "{}", "["])
def test_what_another_version_may_have_written_is_not_read(text: str) -> None:
    assert remembered.load(text, "node-3") is None
