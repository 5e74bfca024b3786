"""Peers of one address: allowed where no node can have both, refused with such a node."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exabgp_k8s.core.facts import config
from exabgp_k8s.settings import sharing
from tests.settings import samples

RACK_A = {"matchLabels": {"rack": "a"}}
RACK_B = {"matchLabels": {"rack": "b"}}
KEYS, VALUES = ("rack", "zone"), ("a", "b", "c")


def expression(operator: str, *values: str, key: str = "rack") -> dict[str, Any]:
    asked = {"key": key, "operator": operator}
    return {"matchExpressions": [{**asked, "values": list(values)} if values else asked]}


def document(*selectors: dict[str, Any] | None, address: str = "192.0.2.1") -> dict[str, Any]:
    """Return a document with a peer of one address for each selector."""
    peers = [
        {"name": f"gw-{number}", "address": address, "asn": 64513 + number}
        | ({} if selector is None else {"nodeSelector": copy.deepcopy(selector)})
        for number, selector in enumerate(selectors)
    ]
    return {**samples.SMALLEST, "peers": peers}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (RACK_A, RACK_B),
        (RACK_A, {"matchLabels": {"rack": "b", "zone": "x"}}),
        (RACK_A, expression("In", "b", "c")),
        (expression("In", "a", "b"), expression("In", "c", "d")),
        (RACK_A, expression("NotIn", "a", "b")),
        (RACK_A, expression("DoesNotExist")),
        (expression("Exists"), expression("DoesNotExist")),
    ],
)
def test_peers_share_an_address_where_no_node_can_have_both(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert samples.problems(document(one, other)) == []
    assert samples.problems(document(other, one)) == []


@pytest.mark.parametrize(
    ("one", "other", "node"),
    [
        (None, None, "every node"),
        (None, RACK_A, "a node with rack: a"),
        (RACK_A, RACK_A, "a node with rack: a"),
        (RACK_A, {"matchLabels": {"zone": "x"}}, "a node with rack: a and zone: x"),
        (expression("In", "a", "b"), expression("In", "b", "c"), "a node with rack: b"),
        (expression("NotIn", "a"), expression("NotIn", "b"), "a node with no label rack"),
        (None, expression("DoesNotExist"), "a node with no label rack"),
        (RACK_A, expression("Exists"), "a node with rack: a"),
        (None, expression("Exists"), "a node with rack: any1"),
    ],
)
def test_where_a_node_might_have_both_the_document_is_refused_with_its_labels(
    one: dict[str, Any] | None, other: dict[str, Any] | None, node: str
) -> None:
    (problem,) = samples.problems(document(one, other))

    assert "peers[1].address: " in problem
    assert "192.0.2.1 is the address of gw-0 at peers[0].address already" in problem
    assert f"and {node} would have both" in problem


def test_the_message_says_what_to_add_to_which_of_the_two() -> None:
    (problem,) = samples.problems(document(RACK_A, {"matchLabels": {"zone": "x"}}))

    assert problem.endswith(
        "to keep gw-1 off these nodes, add {key: rack, operator: NotIn, values: [a]} to its "
        "nodeSelector.matchExpressions"
    )


def test_what_the_message_says_to_add_is_accepted() -> None:
    other = {"matchLabels": {"zone": "x"}, **expression("NotIn", "a")}

    assert samples.problems(document(RACK_A, other)) == []


def test_two_spellings_of_an_address_are_one() -> None:
    written = document(None, None, address="2001:db8::1")
    written["peers"][1]["address"] = "2001:db8:0:0::1"

    (problem,) = samples.problems(written)

    assert "2001:db8::1 is the address of gw-0" in problem


def test_a_name_is_still_a_peers_own() -> None:
    written = document(RACK_A, RACK_B)
    written["peers"][1]["name"] = "gw-0"

    (problem,) = samples.problems(written)

    assert "gw-0 stands at peers[0].name already; name it anew" in problem


def test_a_thousand_racks_are_told_apart_by_their_label() -> None:
    racks = [{"matchLabels": {"rack": f"r{number}"}} for number in range(1000)]

    assert samples.problems(document(*racks)) == []
    (problem,) = samples.problems(document(*racks, RACK_A, RACK_A))
    assert "gw-1000" in problem


def test_what_cannot_be_compared_in_time_is_refused() -> None:
    """Each differs from each in one bit of its number, and no label is written in all of them."""
    bits = 8

    def coded(number: int) -> dict[str, Any]:
        return {
            "matchExpressions": [
                {
                    "key": f"bit{bit}",
                    "operator": "Exists" if number >> bit & 1 else "DoesNotExist",
                }
                for bit in range(bits)
            ]
        }

    (problem,) = samples.problems(document(*(coded(number) for number in range(2**bits))))

    assert "too many peers have the address 192.0.2.1 to compare them all" in problem
    assert "matchLabels: {example.com/rack: a}" in problem


REQUIREMENTS = st.builds(
    config.Requirement,
    key=st.sampled_from(KEYS),
    operator=st.sampled_from(config.Operator),
    values=st.frozensets(st.sampled_from(VALUES), min_size=1, max_size=2),
)
SELECTORS = st.builds(config.Selector, requirements=st.lists(REQUIREMENTS, max_size=3).map(tuple))
EVERY_NODE = [
    {key: value for key, value in zip(KEYS, (rack, zone), strict=True) if value is not None}
    for rack in (*VALUES, "other", None)
    for zone in (*VALUES, "other", None)
]


@given(SELECTORS, SELECTORS)
def test_two_selectors_have_a_node_in_common_or_there_is_none(
    one: config.Selector, other: config.Selector
) -> None:
    """Beside the listed values one more and none at all stand for whatever a label may say."""
    both = [labels for labels in EVERY_NODE if one.matches(labels) and other.matches(labels)]

    found = sharing.in_common(one, other)

    assert (found is not None) == bool(both)
    if found is not None:
        node = {key: value for key, value in found.items() if value is not None}
        assert one.matches(node)
        assert other.matches(node)
