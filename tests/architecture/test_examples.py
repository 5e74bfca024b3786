"""The page about the cluster shows what real commands said of a real one."""

from __future__ import annotations

import re
import shlex

from tests.architecture import repository
from tests.fabric import examples

TEXT = repository.read(examples.PAGE)
COMMANDS = examples.commands(TEXT)


def test_every_command_whose_output_is_shown_is_understood() -> None:
    ours = [shlex.split(each) for each in COMMANDS if each.startswith("kubectl bgp ")]

    assert {words[2] for words in ours} == {"nodes", "peers", "routes", "sessions", "why"}
    for _, _, *words in ours:
        repository.parse(["cluster", *words])


def test_every_output_is_there() -> None:
    """Otherwise run ``python -m tests.fabric.examples``, with ``KUBEBUILDER_ASSETS``."""
    shown = re.findall(r"^\$ (.+)\n(?!\n|```)", TEXT, re.MULTILINE)

    assert shown == COMMANDS


def test_an_output_takes_the_place_of_the_one_before() -> None:
    page = "a\n```console\n$ one\nold\n\n$ two 'x y'\n```\nb\n```sh\n$ three\n```\n"
    said = {"one": "1\n2\n", "two 'x y'": "x"}

    written = examples.render(page, said.__getitem__)
    assert written == (
        "a\n```console\n$ one\n1\n2\n\n$ two 'x y'\nx\n```\nb\n```sh\n$ three\n```\n"
    )
    assert examples.render(written, said.__getitem__) == written
