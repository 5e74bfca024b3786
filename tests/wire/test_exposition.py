"""What a scrape reads is what was meant, by the official reader of Prometheus' format."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import parser

from exabgp_k8s.wire import exposition


def read(*families: exposition.Family) -> dict[str, list[tuple[str, dict[str, str], float]]]:
    """Return what the official reader finds, by the name of the family."""
    return {
        each.name: [(one.name, one.labels, one.value) for one in each.samples]
        for each in parser.text_string_to_metric_families(exposition.text(families).decode())
    }


@given(
    st.sampled_from(["gauge", "counter"]),
    st.text(),
    st.dictionaries(st.sampled_from(["peer", "reason", "class"]), st.text()),
    st.floats(allow_nan=False),
)
def test_whatever_stands_in_it_is_read_back(
    kind: str, about: str, labels: dict[str, str], number: float
) -> None:
    family = exposition.Family(name="x_up", type=kind, help=about, labels=tuple(labels))
    family.add(labels.values(), number)

    ((name, found, value),) = read(family)["x_up"]

    assert name == ("x_up_total" if kind == "counter" else "x_up")
    assert (found, value) == (labels, number)


def test_a_histogram_has_its_buckets_their_count_and_the_sum() -> None:
    family = exposition.Family(name="x_seconds", type="histogram", help="How long.", labels=["a"])
    family.add_timing(["b"], [("0.5", 1), ("+Inf", 3)], 2.5)

    assert read(family)["x_seconds"] == [
        ("x_seconds_bucket", {"a": "b", "le": "0.5"}, 1.0),
        ("x_seconds_bucket", {"a": "b", "le": "+Inf"}, 3.0),
        ("x_seconds_count", {"a": "b"}, 3.0),
        ("x_seconds_sum", {"a": "b"}, 2.5),
    ]


@pytest.mark.parametrize("number", [math.inf, -math.inf, 0.0, 1.7e18, 1e-9])
def test_every_number_is_one(number: float) -> None:
    family = exposition.Family(name="x", type="gauge", help="", labels=[])
    family.add([], number)

    assert read(family)["x"] == [("x", {}, number)]


def test_what_is_no_number_is_said_so() -> None:
    family = exposition.Family(name="x", type="gauge", help="", labels=[])
    family.add([], math.nan)

    ((_, _, value),) = read(family)["x"]
    assert math.isnan(value)


def test_a_metric_without_a_value_is_named_all_the_same() -> None:
    family = exposition.Family(name="x", type="counter", help="Times.\nAll.", labels=["a"])

    assert exposition.text([family]) == b"# HELP x_total Times.\\nAll.\n# TYPE x_total counter\n"


def test_every_line_ends() -> None:
    assert exposition.text([]) == b""
