"""``bfd-stop``: the preStop hook of the engine's pod.

To a router that watches BFD a silent node is a dead one, so the engine outlives the sessions that
it stands beside, and then says that it stops on purpose: no planned stop is taken for a failure.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import click

from exabgp_k8s.adapters import bird, parting, tcp_table
from exabgp_k8s.cli import durations
from exabgp_k8s.core.facts import links

PAUSE = 0.2


@click.command("bfd-stop", short_help="For the preStop hook of the BFD engine's pod.")
@click.option(
    "--bfd-dir",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="What the engine shares with the agent.",
)
@click.option(
    "--timeout",
    default="30s",
    show_default=True,
    type=durations.Duration(at_least=0),
    metavar="DURATION",
    help="How long to wait for the BGP sessions to end; then BFD ends before them.",
)
def bfd_stop(bfd_dir: Path, timeout: float) -> None:
    """End BFD after the BGP sessions that it watches, and tell the routers that it is on purpose.

    A pod that is replaced while its node serves has no session that ends: it waits for nothing
    to come, and a router that knows AdminDown keeps its session.
    """
    engine = bird.Engine(bfd_dir)
    watched = engine.standing()
    routers = {links.plain(each.address) for each in watched}
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and routers & set(tcp_table.connected()):
        time.sleep(PAUSE)
    sent = parting.overhear(watched)
    asyncio.run(engine.stop())
    parting.part(watched, sent)
