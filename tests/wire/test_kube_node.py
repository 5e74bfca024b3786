"""What is made of a Node, the malformed and the hostile included."""

from __future__ import annotations

import ipaddress
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from exabgp_k8s.core.facts import model
from exabgp_k8s.tryout.kubeapi import nodes
from exabgp_k8s.wire import kube_node
from tests.wire import documents

NODE_PATHS = (
    ("metadata",),
    ("metadata", "name"),
    ("metadata", "uid"),
    ("metadata", "labels"),
    ("metadata", "annotations"),
    ("metadata", "deletionTimestamp"),
    ("spec",),
    ("spec", "unschedulable"),
    ("spec", "taints"),
    ("spec", "podCIDRs"),
    ("status",),
    ("status", "addresses"),
    ("status", "conditions"),
)


def changed(*path: str, value: object) -> dict[str, Any]:
    """Return a good Node with one field replaced."""
    node = nodes.node_object("n1", ["192.0.2.10", "2001:db8::10"], ["10.244.1.0/24"])
    inner = node
    for key in path[:-1]:
        inner = inner.setdefault(key, {})
    inner[path[-1]] = value
    return node


def test_a_whole_node_is_read_without_problems() -> None:
    node = nodes.node_object(
        "n1",
        ["192.0.2.10", "2001:db8::10"],
        ["10.244.1.0/24", "fd00:1::/64"],
        labels={"rack": "a"},
    )
    node["metadata"]["uid"] = "u-1"
    facts = kube_node.parse(node)
    assert (facts.name, facts.uid, facts.problems) == ("n1", "u-1", ())
    assert facts.labels["rack"] == "a"
    assert [str(cidr) for cidr in facts.pod_cidrs] == ["10.244.1.0/24", "fd00:1::/64"]
    assert [str(address) for address in facts.internal_ips] == ["192.0.2.10", "2001:db8::10"]
    assert facts.override is model.Override.NONE
    assert (facts.is_unschedulable, facts.is_deleting, facts.is_shutting_down) == (False,) * 3
    assert facts.taints == ()


def test_a_node_without_a_pod_range_has_none_and_no_problem() -> None:
    facts = kube_node.parse(nodes.node_object("n1", pod_cidrs=[]))
    assert (facts.pod_cidrs, facts.problems) == ((), ())


def test_the_older_pod_cidr_field_is_read_where_the_list_is_absent() -> None:
    node = nodes.node_object("n1")
    del node["spec"]["podCIDRs"]
    assert kube_node.parse(node).pod_cidrs == (ipaddress.ip_network("10.244.1.0/24"),)


def test_the_same_range_twice_is_one_range() -> None:
    node = changed("spec", "podCIDRs", value=["fd00:1::/64", "fd00:1:0::/64"])
    assert kube_node.parse(node).pod_cidrs == (ipaddress.ip_network("fd00:1::/64"),)


def test_of_the_annotations_those_are_kept_that_a_number_or_address_can_be_read_from() -> None:
    """Others may be many and large, and change all the time."""
    written = {"a": "64601", "b": "65000.10", "c": "x" * 9000, "d": "0", "e": None, "f": 64601}
    written |= {"g": "192.0.2.1", "h": "2001:db8::1", "i": "192.0.2.1/24", "j": "fe80::1"}

    node = kube_node.parse({"metadata": {"annotations": written}})

    readable = {"a": "64601", "b": "65000.10", "g": "192.0.2.1", "h": "2001:db8::1"}
    assert node.annotations == {**dict.fromkeys(written, ""), **readable}


@pytest.mark.parametrize(
    ("word", "override"),
    [
        ("always", model.Override.ALWAYS),
        ("never", model.Override.NEVER),
        ("drain", model.Override.NEVER),
    ],
)
def test_the_annotation_is_the_operators_word(word: str, override: model.Override) -> None:
    node = changed("metadata", "annotations", value={kube_node.ANNOTATION: word})
    facts = kube_node.parse(node)
    assert (facts.override, facts.problems) == (override, ())


@pytest.mark.parametrize("word", ["Always", "", "maybe\nshutdown", 5, ["never"]])
def test_any_other_annotation_is_a_problem_that_names_the_words(word: object) -> None:
    node = changed("metadata", "annotations", value={kube_node.ANNOTATION: word})
    facts = kube_node.parse(node)
    assert facts.override is model.Override.NONE
    (problem,) = facts.problems
    assert "always or never or drain" in problem
    assert problem.isprintable()


def test_a_cordoned_node_with_its_taint_is_read() -> None:
    node = changed("spec", "unschedulable", value=True)
    node["spec"]["taints"] = [
        {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": "x"},
        {"key": "karpenter.sh/disrupted"},
    ]
    facts = kube_node.parse(node)
    assert facts.is_unschedulable
    assert facts.taints == (
        model.Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule"),
        model.Taint(key="karpenter.sh/disrupted"),
    )


def test_a_thousand_taints_are_read_and_a_thousand_bad_ones_make_few_words() -> None:
    good = [{"key": f"example.org/{n}", "effect": "NoSchedule"} for n in range(1000)]
    bad: list[Any] = [{"key": n, "effect": ["x"]} for n in range(1000)]

    facts = kube_node.parse(changed("spec", "taints", value=[*good, *bad]))

    assert [taint.key for taint in facts.taints] == [taint["key"] for taint in good]
    assert len(facts.problems) == 20


def test_labels_with_odd_characters_are_kept_or_named_and_never_a_second_line() -> None:
    odd = {"a/b.c_d-e": "", "\u202e": "x", "x": "\ud800", "y": "a\u2028b", "\n": "1", "ü": "é"}

    facts = kube_node.parse(changed("metadata", "labels", value=odd))

    assert facts.labels == {"a/b.c_d-e": "", "ü": "é", "x": "", "y": ""}
    assert all(problem.isprintable() for problem in facts.problems)


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "fe80::1", "::ffff:192.0.2.1"]
)
def test_an_address_that_is_no_hosts_is_no_internal_ip(address: str) -> None:
    found = [{"type": "InternalIP", "address": each} for each in (address, "192.0.2.10")]

    facts = kube_node.parse(changed("status", "addresses", value=found))

    assert [str(each) for each in facts.internal_ips] == ["192.0.2.10"]
    assert "IP address of one host" in facts.problems[0]


def test_a_deletion_timestamp_is_a_deletion() -> None:
    node = changed("metadata", "deletionTimestamp", value="2026-01-01T00:00:00Z")
    assert kube_node.parse(node).is_deleting


READY = {"type": "Ready", "status": "False", "reason": "KubeletNotReady"}
NO_NETWORK = "container runtime network not ready: NetworkReady=false message:plugin said: "


@pytest.mark.parametrize(
    "message",
    [
        "node is shutting down",
        "[container runtime is down, node is shutting down]",
        (
            "[container runtime is down, PLEG is not healthy: pleg was last seen active 4m0s ago; "
            "threshold is 3m0s, CSINode is not yet initialized, node is shutting down, "
            "missing node capacity for resources: cpu, memory]"
        ),
        "node is shutting down. WARNING: CPU hardcapping unsupported",
        "[container runtime is down, node is shutting down]. WARNING: [a, b]",
    ],
)
def test_a_shutdown_is_what_kubelet_writes_alone_or_among_other_errors(message: str) -> None:
    node = changed("status", "conditions", value=[{**READY, "message": message}])

    assert kube_node.parse(node).is_shutting_down


@pytest.mark.parametrize(
    "condition",
    [
        {**READY, "message": f"{NO_NETWORK}the old daemon is shutting down"},
        {**READY, "message": f"{NO_NETWORK}node is shutting down"},
        {**READY, "message": f"[container runtime is down, {NO_NETWORK}node is shutting down]"},
        {**READY, "message": f"{NO_NETWORK}retry, node is shutting down"},
        {**READY, "message": "the node is shutting down"},
        {**READY, "message": "node is shutting down its idle containers"},
        {**READY, "message": "container runtime is down. WARNING: node is shutting down"},
        {**READY, "message": "[node is shutting down"},
        {**READY, "message": ["node is shutting down"]},
        {**READY, "message": None},
        READY,
        {**READY, "reason": "Node Shutting Down"},
        {**READY, "reason": "SomeMonitor", "message": "node is shutting down"},
        {**READY, "reason": None, "message": "node is shutting down"},
        {**READY, "status": "Unknown", "message": "node is shutting down"},
        {**READY, "status": "True", "message": "node is shutting down"},
        {**READY, "type": "Other", "message": "node is shutting down"},
    ],
)
def test_whatever_else_speaks_of_shutting_down_is_no_shutdown(condition: dict[str, Any]) -> None:
    node = changed("status", "conditions", value=[condition])

    assert not kube_node.parse(node).is_shutting_down


@pytest.mark.parametrize(
    "cidr", ["10.244.1.5/24", "10.244.1.0", "banana", "", 7, None, "fe80::%a\nb/64", {"a": 1}]
)
def test_a_pod_range_that_is_none_is_left_out_and_named(cidr: object) -> None:
    facts = kube_node.parse(changed("spec", "podCIDRs", value=["10.244.7.0/24", cidr]))
    assert facts.pod_cidrs == (ipaddress.ip_network("10.244.7.0/24"),)
    (problem,) = facts.problems
    assert problem.startswith("spec.podCIDRs[1] is ")
    assert problem.isprintable()


def test_an_address_with_a_zone_or_of_another_type_is_no_internal_ip() -> None:
    node = changed(
        "status",
        "addresses",
        value=[
            {"type": "InternalIP", "address": "fe80::1%x\nshutdown"},
            {"type": "ExternalIP", "address": "198.51.100.1"},
            {"type": "InternalIP", "address": "192.0.2.1"},
        ],
    )
    facts = kube_node.parse(node)
    assert facts.internal_ips == (ipaddress.ip_address("192.0.2.1"),)
    assert len(facts.problems) == 1


def test_unprintable_text_is_kept_out() -> None:
    node = changed("metadata", "labels", value={"a": "x\nshutdown", "b\n": "y", "c": None})
    node["metadata"]["name"] = "n1\nwithdraw"
    node["spec"]["taints"] = [{"key": "k\u2028"}, {"key": "ok", "effect": "\ud800"}]
    facts = kube_node.parse(node)
    assert (facts.name, dict(facts.labels)) == ("", {"a": "", "c": ""})
    assert facts.taints == (model.Taint(key="ok"),)
    assert len(facts.problems) == 5
    assert all(problem.isascii() and problem.isprintable() for problem in facts.problems)


@hypothesis.given(path=st.sampled_from(NODE_PATHS), value=documents.JSON)
def test_no_value_in_any_field_raises(path: tuple[str, ...], value: object) -> None:
    facts = kube_node.parse(changed(*path, value=value))
    assert all(problem.isprintable() for problem in facts.problems)
    texts = [facts.name, facts.uid, *facts.labels, *facts.labels.values()]
    assert all(text.isprintable() for text in texts)


@hypothesis.given(document=documents.JSON)
def test_no_document_raises_as_a_node(document: object) -> None:
    kube_node.parse(document)


@hypothesis.given(document=documents.JSON)
def test_a_document_that_is_no_mapping_is_a_problem(document: object) -> None:
    hypothesis.assume(not isinstance(document, dict) and document is not None)
    assert kube_node.parse(document).problems
