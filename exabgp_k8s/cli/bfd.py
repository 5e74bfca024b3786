"""``bfd-stop``: the preStop hook of the engine's pod.

To a router that watches BFD a silent node is a dead one, so the engine outlives the sessions that
it stands beside, and then says that it stops on purpose: no planned stop is taken for a failure.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from exabgp_k8s.adapters import bird, parting
from exabgp_k8s.cli import durations
from exabgp_k8s.core.facts import links, model

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
ESTABLISHED = "01"
"""Of the state in these tables (include/net/tcp_states.h)."""
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
    while time.monotonic() < deadline and routers & set(_connected()):
        time.sleep(PAUSE)
    sent = parting.overhear(watched)
    asyncio.run(engine.stop())
    parting.part(watched, sent)


def _connected() -> Iterator[model.Address]:
    """Yield the addresses at the other ends of this node's TCP connections.

    Of a router they are BGP sessions, on whatever port.
    """
    for table in TABLES:
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in table.read_text().splitlines()[1:]:
                _, _, theirs, state, *_ = line.split()
                if state == ESTABLISHED:
                    yield _address(theirs.rpartition(":")[0])


def _address(digits: str) -> model.Address:
    """Return an address of the kernel's tables: words of 32 bits in the order of the host."""
    words = [digits[start : start + 8] for start in range(0, len(digits), 8)]
    return ipaddress.ip_address(b"".join(_word(word) for word in words))


def _word(digits: str) -> bytes:
    return int(digits, 16).to_bytes(4, sys.byteorder)
