"""Whatever stands in an object, reading it ends, and text is one printable line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exabgp_k8s.cluster import glance, measures, member, routers, rows, speaker, why
from tests.cluster import samples

EVIL = "\x1b[2J\x1b]0;owned\x07\r\n\u202e<script>alert(1)</script>\u0000"

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["phase", "summary", "conditions", "sessions", "prefixes", "settings", "version",
     "lastContact", "reason", "since", "services", "pods", "peer", "address", "localASN", "state",
     "lastError", "families", "bfd", "prefix", "class", "sent", "meant", "sentTo", "reasons",
     "peers", "type", "status", "digest", "stale", "problems", "message"]
)  # fmt: skip
SHAPED = st.recursive(
    ANYTHING,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner, max_size=6),
    max_leaves=20,
)


def everything(found: glance.Glance) -> str:
    """Return all that is made of a cluster, as text."""
    shown: list[Any] = [rows.nodes(found), rows.sessions(found), rows.routes(found)]
    shown += [routers.peers(found), [why.row(each) for each in found.nodes.values()]]
    return "".join(map(str, shown)) + measures.text(found)


@settings(max_examples=40)
@given(status=SHAPED, spec=SHAPED)
def test_nothing_that_an_object_holds_raises(status: Any, spec: Any) -> None:
    named = {"metadata": {"name": "n1", "labels": spec}, "status": status, "spec": spec}

    for nodes in ([named], [samples.node("n1")], [status, spec]):
        found = samples.take(nodes, [named, status, spec])
        assert everything(found)


def test_evil_text_is_one_printable_line_everywhere() -> None:
    session = {"peer": EVIL, "address": EVIL, "lastError": EVIL, "state": EVIL, "bfd": EVIL}
    reason = {"reason": EVIL, "since": EVIL, "peers": [EVIL]}
    prefix = samples.prefix(EVIL, EVIL, state=EVIL, sentTo=[EVIL], reasons=[reason])
    ruled = {"digest": EVIL, "stale": True, "problems": [EVIL]}
    summary = {"sessions": EVIL, "services": EVIL, "pods": EVIL, "reason": EVIL, "since": EVIL}
    node = samples.node("n1")
    node["metadata"]["labels"] = {EVIL: EVIL}
    said = samples.well(
        1, sessions=[session], prefixes=[prefix], settings=ruled, summary=summary,
        phase=EVIL, version=EVIL,
    )  # fmt: skip

    for line in everything(samples.take([node], [said])).splitlines():
        assert line.isprintable()


@pytest.mark.parametrize("field", ["sessions", "prefixes", "conditions"])
def test_lists_without_an_end_are_cut(field: str) -> None:
    said = speaker.parse(samples.well(1, **{field: [{"peer": "x"}] * 100_000}))

    assert said is not None
    assert len(getattr(said, field)) == 64


def test_a_number_of_thousands_of_digits_is_no_number() -> None:
    summary = {"sessions": f"{'9' * 10_000}/{'9' * 10_000}"}
    said = speaker.parse(samples.well(1, summary=summary))

    assert said is not None
    assert said.sessions_of == 2


def test_an_object_without_a_name_is_passed_over() -> None:
    assert speaker.parse({"metadata": {"name": 7}}) is None
    assert member.parse(None) is None
    assert not samples.take([{}, []], [{}, "x"]).nodes


def test_names_of_thousands_of_digits_can_be_sorted() -> None:
    assert glance.place("n" + "9" * 200) > glance.place("n10")
