"""The pages with real outputs show what real commands said of a real bed."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Mapping

import pytest

from tests.architecture import repository
from tests.fabric import examples, faults, symptoms

PAGES = (examples.PAGE, symptoms.PAGE)


def test_the_page_about_the_cluster_shows_every_command_of_the_plugin() -> None:
    commands = examples.commands(repository.read(examples.PAGE))
    ours = [shlex.split(each) for each in commands if each.startswith("kubectl bgp ")]

    assert {words[2] for words in ours} == {"nodes", "peers", "routes", "sessions", "why"}


def test_the_page_about_symptoms_shows_every_fault_that_can_be_made() -> None:
    blocks = list(examples.BLOCK.finditer(repository.read(symptoms.PAGE)))

    assert {each["fault"] for each in blocks} == set(faults.FAULTS)


@pytest.mark.parametrize("page", PAGES)
def test_every_output_is_there(page: str) -> None:
    """Otherwise run ``python -m tests.fabric.examples``, with ``KUBEBUILDER_ASSETS``."""
    shown = [
        each
        for block in examples.BLOCK.finditer(repository.read(page))
        for each in examples.shown(block["body"])
    ]

    assert shown
    assert not [each.command for each in shown if not each.output]


def test_an_output_takes_the_place_of_the_one_before() -> None:
    page = (
        "a\n```console\n$ one\nold\n\n$ two 'x y'\n```\nb\n```sh\n$ three\n```\n"
        "<!-- fault: ill -->\n\n```console\nroot@n1# four\n```\n"
    )
    said = {("none", "$", "one"): "1\n2\n", ("none", "$", "two 'x y'"): "x"}

    def asked(fault: str) -> contextlib.AbstractContextManager[Callable[[str, str], str]]:
        known: Mapping[tuple[str, str, str], str] = {**said, ("ill", "root@n1#", "four"): "4"}
        return contextlib.nullcontext(lambda prompt, typed: known[fault, prompt, typed])

    written = examples.render(page, asked)
    assert written == (
        "a\n```console\n$ one\n1\n2\n\n$ two 'x y'\nx\n```\nb\n```sh\n$ three\n```\n"
        "<!-- fault: ill -->\n\n```console\nroot@n1# four\n4\n```\n"
    )
    assert examples.render(written, asked) == written
