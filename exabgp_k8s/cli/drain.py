"""``drain`` and ``undrain``: the operator's switch; ``drain --stopping``: the preStop hook."""

from __future__ import annotations

import urllib.parse
from pathlib import Path
from typing import Any

import click

from exabgp_k8s.cli import durations, exits, socket_client
from exabgp_k8s.errors import AgentUnreachable
from exabgp_k8s.shown.status import to_come

GATEWAY_TIMEOUT = 504


@click.command(short_help="Withdraw everything this node announces.")
@socket_client.state_dir_option
@click.option("--wait", is_flag=True, help="Return when every peer has been sent the withdrawal.")
@click.option(
    "--stopping",
    is_flag=True,
    help="For the pod's preStop hook: the pod ends, for good or to be replaced.",
)
@click.option(
    "--timeout",
    default="30s",
    show_default=True,
    type=durations.Duration(at_least=0.1),
    metavar="DURATION",
    help="How long --wait waits, like 1m30s; then the exit code is 4 and the drain goes on.",
)
def drain(state_dir: Path, wait: bool, stopping: bool, timeout: float) -> None:
    """Withdraw everything this node announces, until `undrain` or the end of the pod.

    With --wait it returns once the withdrawal is acknowledged and the settle time is over:
    then the node may go down.

    With --stopping the pod is about to end, and `undrain` does not take it back. If the pod is
    only replaced, peers with graceful restart keep their routes and the others get a withdrawal.
    """
    asked = {"wait": str(timeout)} if wait else {}
    query = urllib.parse.urlencode(asked | ({"stop": "1"} if stopping else {}))
    status, answer = _post(state_dir, f"/v1/drain?{query}", timeout + 5)
    if status == GATEWAY_TIMEOUT:
        coming = "".join(f"\nto come {to_come(each)}" for each in answer["waits"])
        exits.fail(
            f"not drained within {timeout:g} s (phase: {answer['phase']}); "
            f"see `exabgp-k8s routes` for what is not acknowledged{coming}",
            exits.Code.TIMED_OUT,
        )
    click.echo(answer["phase"])


@click.command(short_help="Announce again what `drain` withdrew.")
@socket_client.state_dir_option
def undrain(state_dir: Path) -> None:
    """Announce again what `drain` withdrew, and say what that still waits for."""
    _, answer = _post(state_dir, "/v1/undrain", 5)
    click.echo(answer["phase"])
    if answer["phase"] != "serving":
        exits.fail("the pod is stopping: its drain stands", exits.Code.NO)
    for each in answer["waits"]:
        click.echo(to_come(each))
    if answer["causes"]:
        causes = ", ".join(each["cause"] for each in answer["causes"])
        click.echo(f"not ended by undrain: {causes}")


def _post(state_dir: Path, target: str, timeout: float) -> tuple[int, dict[str, Any]]:
    try:
        return socket_client.ask(state_dir, "POST", target, timeout)
    except AgentUnreachable as error:
        exits.fail_unreachable(error)
