"""AS numbers: one number or two with a point, or where each node says its own."""

from __future__ import annotations

from typing import Any

import pytest

from exabgp_k8s.core.facts import asns, config, model
from exabgp_k8s.settings import load, notes, schema, selection
from tests.settings import samples

KEY = "example.com/asn"
OWN = {"fromLabel": KEY}


def document(ours: str = "64512", theirs: str = "64513", more: str = "") -> str:
    return f"""
bgp: {{asn: {ours}}}
peers: [{{name: tor, address: 192.0.2.1, asn: {theirs}{more}}}]
announce: {{services: {{cidrs: [10.96.0.0/16]}}}}
"""


def peer(**written: str) -> config.Peer:
    (found,) = load.parse(document(**written), "test").peers
    return found


@pytest.mark.parametrize("written", ["65000.10", '"65000.10"'])
def test_a_number_with_a_point_is_read_with_or_without_quotes(written: str) -> None:
    """To YAML it is a fraction, and 65000.10 the same as 65000.1."""
    assert peer(theirs=written).asn == 65000 * 65536 + 10


def test_a_number_is_shown_as_it_was_written() -> None:
    found = schema.effective(load.document(document("4259840001", "65000.10"), "test"))

    assert (found["bgp"]["asn"], found["peers"][0]["asn"]) == (4259840001, "65000.10")


@pytest.mark.parametrize(
    "asn", [OWN, {"fromAnnotation": KEY}, "external", "internal", "65000.10", 64512]
)
def test_what_is_shown_means_the_same(asn: Any) -> None:
    where = ("peers", 0, "asn") if asn in list(asns.Relation) else ("bgp", "asn")
    written = samples.changed(where, asn)
    settings = samples.parse(written)

    shown = schema.effective(load.document(str(written).replace("'", '"'), "test"))

    assert samples.parse(shown) == settings


def test_ours_may_stand_in_a_label_or_an_annotation_of_the_node() -> None:
    assert peer(ours=f"{{fromLabel: {KEY}}}").local_asn == asns.OfTheNode(
        source=asns.Source.LABEL, key=KEY
    )
    assert peer(more=f", localASN: {{fromAnnotation: {KEY}}}").local_asn == asns.OfTheNode(
        source=asns.Source.ANNOTATION, key=KEY
    )


@pytest.mark.parametrize(
    ("ours", "says"),
    [
        ("65536.1", "'65536.1': each of the two is at most 65535"),
        ("0.23456", "AS 0.23456 is reserved"),
        ("64512.1.1", "write a whole number, or two of 16 bits as in 65000.1, or {fromLabel:"),
        ("{fromLabels: x}", "write a number, or one of {fromLabel: example.com/asn} and"),
        ("{fromLabel: a, fromAnnotation: b}", "write a number, or one of"),
        ("{fromLabel: a b}", "'a b' is not a label key"),
        ("external", "or {fromLabel: example.com/asn}"),
        ("-1", "-1 is too small; write at least 1"),
    ],
)
def test_a_mistake_says_what_to_write(ours: str, says: str) -> None:
    (problem,) = samples.problems(document(ours))

    assert "bgp.asn: " in problem
    assert says in problem


def test_a_routers_number_cannot_be_read_from_our_node() -> None:
    (problem,) = samples.problems(document(theirs=f"{{fromLabel: {KEY}}}"))

    assert problem.endswith(
        "write a whole number, or two of 16 bits as in 65000.1, or external or internal"
    )


def test_an_internal_path_is_not_prepended() -> None:
    (problem,) = samples.problems(document(theirs="internal", more=", attributes: {prepend: 1}"))

    assert "the AS is ours: an iBGP path is not prepended" in problem


@pytest.mark.parametrize(
    ("written", "is_noted"),
    [
        ({"theirs": "external"}, True),
        ({"theirs": "internal"}, False),
        ({"theirs": "64512"}, False),
        ({"theirs": "64513"}, True),
        ({"ours": f"{{fromLabel: {KEY}}}"}, False),
    ],
)
def test_a_local_preference_is_noted_where_it_is_never_sent(
    written: dict[str, str], *, is_noted: bool
) -> None:
    text = document(**written, more=", attributes: {localPref: 200}")

    found = list(notes.find(load.parse(text, "test")))

    assert bool(found) is is_noted


def test_nodes_that_say_no_number_are_named_before_they_read_it() -> None:
    settings = load.parse(document(ours=f"{{fromLabel: {KEY}}}"), "test")
    nodes = [
        model.NodeFacts(name="n1", labels={KEY: "64600"}),
        model.NodeFacts(name="n2", labels={KEY: "x"}),
        model.NodeFacts(name="n3"),
    ]

    (problem,) = selection.find(settings, nodes)

    assert str(problem) == (
        "peers[0]: 2 of the nodes of peer tor have no AS number in label example.com/asn, and the "
        "peer would stay down there (asn-missing): n2, n3"
    )
