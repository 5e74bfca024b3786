"""The Event object: complete, in its limits, one printable line."""

from __future__ import annotations

import re

import pytest

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.report.notice import Kind, Notice, Word
from exabgp_k8s.wire import kube_events

NODE = model.NodeFacts(name="n1", uid="5b0f")
AT = 1_700_000_000.25


def a_notice(message: str = "The settings are good again") -> Notice:
    return Notice(kind=Kind.NORMAL, word=Word.SETTINGS_ACCEPTED, message=message)


def test_an_event_is_about_the_node_by_its_real_uid() -> None:
    found = kube_events.event(a_notice(), NODE, AT, 255)

    assert found["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "Node",
        "name": "n1",
        "uid": "5b0f",
    }
    assert found["metadata"] == {"name": "n1.00000000000000ff", "namespace": "default"}
    assert (found["type"], found["reason"]) == ("Normal", "SettingsAccepted")
    assert found["firstTimestamp"] == found["lastTimestamp"] == "2023-11-14T22:13:20Z"


def test_before_the_node_is_seen_its_name_stands_for_the_uid() -> None:
    """Kubelet does the same, and `kubectl describe node` asks for both."""
    found = kube_events.event(a_notice(), model.NodeFacts(name="n1"), AT, 1)

    assert found["involvedObject"]["uid"] == "n1"


@pytest.mark.parametrize("name", ["n" * 253, "n" * 235 + ".example.org"])
def test_the_name_of_an_event_is_valid_for_the_longest_name_of_a_node(name: str) -> None:
    made = kube_events.event(a_notice(), model.NodeFacts(name=name), AT, 2**64 - 1)
    label = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"

    assert len(made["metadata"]["name"]) <= 253
    assert re.fullmatch(rf"{label}(\.{label})*", made["metadata"]["name"])


def test_a_message_is_one_printable_line_of_limited_length() -> None:
    """A part of it may be the words of a router."""
    found = kube_events.event(a_notice("gone:\n\x1b[31mred\x00 " + "x" * 5000), NODE, AT, 1)

    assert found["message"].startswith("gone: [31mred x")
    assert found["message"].isprintable()
    assert len(found["message"]) == kube_events.LONGEST_MESSAGE


def test_a_repetition_changes_count_and_time_only() -> None:
    assert kube_events.repetition(3, AT) == {"count": 3, "lastTimestamp": "2023-11-14T22:13:20Z"}
