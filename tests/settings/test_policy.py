"""The policy table: defaults, whole rows, single cells."""

from __future__ import annotations

from typing import Any

import pytest

from exabgp_k8s.core.facts import config, model
from tests.settings import samples

SERVICES, PODS = model.PrefixClass.SERVICES, model.PrefixClass.PODS
KEEP = config.Cell(action=model.Action.KEEP)


def policy(withdraw: Any) -> config.Policy:
    return samples.parse(samples.changed(("withdraw",), withdraw)).policy


def test_silence_is_the_default_policy() -> None:
    assert samples.parse(samples.SMALLEST).policy == config.DEFAULT_POLICY


@pytest.mark.parametrize("reason", model.CAUSES)
@pytest.mark.parametrize("prefix_class", model.PrefixClass)
def test_one_line_switches_one_cell_off(
    reason: model.Reason, prefix_class: model.PrefixClass
) -> None:
    found = policy({reason.value: {prefix_class.value: "keep"}})

    assert found == {**config.DEFAULT_POLICY, (reason, prefix_class): KEEP}


@pytest.mark.parametrize("reason", model.CAUSES)
def test_one_word_sets_a_whole_row(reason: model.Reason) -> None:
    found = policy({reason.value: "keep"})

    assert found == {**config.DEFAULT_POLICY, (reason, SERVICES): KEEP, (reason, PODS): KEEP}


def test_a_cell_may_wait() -> None:
    found = policy({"cordoned": {"pods": {"action": "deprioritise", "after": "30s"}}})

    assert found[model.Reason.CORDONED, PODS] == config.Cell(
        action=model.Action.DEPRIORITISE, after=30
    )


def test_a_cell_that_is_written_replaces_the_default_s_wait_too() -> None:
    found = policy({"node-deleted": {"services": "withdraw"}})

    assert found[model.Reason.NODE_DELETED, SERVICES].after == 0
