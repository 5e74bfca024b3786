"""How ExaBGP waits for the KEEPALIVE that confirms a session: without turning in circles.

A router that sends its OPEN and then nothing leaves ExaBGP asking to be called again at once: a
whole core for the hold time, and again seconds later, for as long as that router is like that.

Here it waits, as it does everywhere else, until there is something to read.

Replaced in ExaBGP 5.0.15: ``reactor.peer.Peer._read_ka``.
Noticed by: ``test_waiting_for_the_first_keepalive_is_no_work``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, wait for the KEEPALIVE in peace."""
    from exabgp.bgp.message import KeepAlive  # noqa: PLC0415 - a new clock comes before ExaBGP
    from exabgp.reactor import peer  # noqa: PLC0415

    def read_ka(self: Any) -> Iterator[int]:
        for message in self.proto.read_keepalive():
            self.recv_timer.check_ka_timer(message)
            is_confirmed = message.TYPE == KeepAlive.TYPE
            yield peer.ACTION.NOW if is_confirmed else peer.ACTION.LATER

    if not callable(peer.Peer._read_ka):  # noqa: SLF001
        raise TypeError("exabgp.reactor.peer.Peer._read_ka is no function")
    peer.Peer._read_ka = read_ka  # noqa: SLF001
