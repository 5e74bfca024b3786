"""The page about symptoms cannot lie: each fault is made again, and our commands say the same.

What differs from run to run is left out of the comparison: numbers, where lines are broken, what a
session does between two attempts, and what ended it before there was no answer. What routers print
differs from version to version of theirs, so they only have to print something.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import pytest

from tests.architecture import repository
from tests.fabric import cluster, examples, faults, symptoms, waiting

pytestmark = [pytest.mark.fabric, pytest.mark.long]

OURS = ("exabgp-k8s ", "kubectl ", "curl ")
AGE = re.compile(r"\b\d+(ms|[dhms])(\d+[dhms])*\b")
ATTEMPT = re.compile(r"\b(Idle|Connect|Active|OpenSent|OpenConfirm)\b")
BEFORE = re.compile(r"notification [^;]*; since then: ")
SHUT = re.compile(
    r'("[^"]*"); since then: (?:closed|reset) by the router before its OPEN; '
    r"it may not know \S+ as a neighbor"
)
"""The words of the router's admin, and what an attempt met since, if there was one yet."""


@pytest.fixture
def bed(_privileges: None) -> Iterator[symptoms.Symptoms]:
    with contextlib.closing(symptoms.Symptoms()) as built:
        yield built


@pytest.mark.timeout(900)
def test_what_the_page_about_symptoms_shows_is_what_is_said(bed: symptoms.Symptoms) -> None:
    for block in examples.BLOCK.finditer(repository.read(symptoms.PAGE)):
        with faults.having(bed, block["fault"]):
            for each in examples.shown(block["body"]):
                _is_said(bed, each, block["fault"])


def _is_said(bed: symptoms.Symptoms, shown: examples.Shown, fault: str) -> None:
    """Wait until a command says what the page shows: objects of the cluster follow in seconds."""

    def said() -> str:
        return examples.shortened(bed.run(shown.prompt, shown.command))

    where = f"with the fault {fault}: {shown.command}"
    if shown.command.startswith("exabgp-k8s history"):
        # Whether what came at once is one decision or two depends on the moment, and the width of
        # a column on how many milliseconds it took.
        assert said().splitlines()[0].split() == shown.output.splitlines()[0].split(), where
    elif shown.command.startswith(OURS):
        waiting.until_equal(
            _alike(shown.output), lambda: _alike(said()), where, limit=cluster.START_LIMIT
        )
    else:
        assert said(), where


def _alike(output: str) -> str:
    """Return an output without what another run has otherwise."""
    line = BEFORE.sub("", SHUT.sub(r"\1", " ".join(output.split())))
    return re.sub(r"\d+", "#", ATTEMPT.sub("down", AGE.sub("#", line)))
