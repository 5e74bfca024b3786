"""What of ``run``'s command line is read without the command line."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from exabgp_k8s import chain
from exabgp_k8s.agent import options, variables
from exabgp_k8s.cli import check, exits, run, start
from exabgp_k8s.settings import mounted
from exabgp_k8s.wire import daemon_conf

NODE = {variables.NODE: "node-1"}


def test_variables_alone_are_enough() -> None:
    assert start.read([], NODE) == ({**variables.DEFAULTS, **NODE}, 20.0)


def test_options_go_before_variables() -> None:
    told, seconds = start.read(["--node", "node-2", "--stop-timeout", "7s"], NODE) or ({}, 0)

    assert told[variables.NODE] == "node-2"
    assert seconds == 7


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--node=node-2"],
        ["--node", "node-2", "--nonsense", "1"],
        ["--node"],
        ["--node", ""],
        ["--node", "node-2", "--node", "node-3"],
        ["--node", "Node_2"],
        ["--node", "-h"],
        ["--http", "9179"],
        ["--http", "[::1]:99999"],
        ["--log-format", "xml"],
        ["--stop-timeout", "1m"],
        ["--stop-timeout", "-1"],
        ["extra"],
    ],
)
def test_whatever_is_not_plainly_right_is_left_to_the_command_line(arguments: list[str]) -> None:
    assert start.read(arguments, NODE) is None


def test_without_a_node_the_command_line_explains() -> None:
    assert start.read([], {}) is None


def test_every_option_can_be_read() -> None:
    assert {option.opts[0]: option.envvar for option in _options()} == variables.OPTIONS
    rest = {each.opts[0] for each in run.run.params} - set(variables.OPTIONS)
    assert rest == {start.STOP_TIMEOUT}


def test_the_defaults_are_those_of_the_command_line() -> None:
    given = {
        str(each.envvar): each.default for each in _options() if each.envvar in variables.DEFAULTS
    }

    assert given == dict(variables.DEFAULTS)


def test_what_is_read_is_what_the_agent_is_told() -> None:
    told, _ = start.read([], NODE) or ({}, 0)
    chosen = options.Options.from_environment(told)

    assert dict(chosen.environment()) == told


def test_one_byte_more_is_read_than_a_document_may_have() -> None:
    assert start.LARGEST == mounted.LARGEST + 1


def test_the_first_configuration_is_one_without_neighbors() -> None:
    assert chain.first_configuration() == daemon_conf.render((), chain.AGENT)


def test_exit_codes_are_those_that_are_documented() -> None:
    assert (check.OK, check.REFUSED) == (exits.Code.OK, exits.Code.USAGE)


def test_process_1_loads_nothing_of_what_it_starts() -> None:
    """It lives as long as the pod: each library would be there for as long."""
    code = "import sys; from exabgp_k8s.cli import start; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"click", "dataclasses", "inspect", "json", "logging", "pathlib", "pydantic", "re"}

    # What an editable install puts into every process is not ours.
    without = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert heavy.isdisjoint(set(done.stdout.split()) - set(without.stdout.split()))


def _options() -> list[click.Parameter]:
    """The options of ``run`` that say where everything of a node is."""
    return [each for each in run.run.params if each.envvar]
