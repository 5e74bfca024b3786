"""``status``: the node at a glance, and an exit code that a script can trust."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import click

from exabgp_k8s.cli import output as printing
from exabgp_k8s.cli import socket_client, watching
from exabgp_k8s.shown import status as shown


@click.command(short_help="Show the node at a glance.")
@socket_client.state_dir_option
@watching.option
@printing.output_option
def status(state_dir: Path, output: str, every: float | None) -> None:
    """Show the node at a glance; exit code 1 if something is not as it should be.

    That is: a prefix is withheld, no router has been sent it or a change of it stays
    unacknowledged, a peer is held, something in use is missing, pods have addresses outside
    of what is announced, no session is up, the settings on disk are refused, ExaBGP refuses its
    configuration, the BFD engine that a peer asks for is not heard, or nobody knows the Node.
    """
    asked = watching.Question(
        ask=functools.partial(socket_client.get, state_dir, "/v1/status"),
        table=lambda answer: printing.fields(list(shown.lines(answer))),
        is_well=is_well,
    )
    watching.answer(asked, output, every)


def is_well(answer: Any) -> bool:
    """Return whether all is announced as usual and nothing waits for somebody to act."""
    kubernetes, exabgp = answer["kubernetes"], answer["exabgp"]
    is_unknown = not kubernetes["node_seen"] and not kubernetes["node_remembered"]
    return not (
        answer["withheld"]
        or answer["held"]
        or answer["missing"]
        or answer["warnings"]
        or any(each["sent"] == 0 or each["late"] for each in answer["prefixes"])
        or answer["sessions"]["up"] == 0
        or answer["settings"]["stale"]
        or exabgp["problem"]
        or (answer["bfd"] and answer["bfd"]["problem"])
        or kubernetes["node_deleted"]
        or is_unknown
    )
