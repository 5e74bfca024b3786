"""What ExaBGP waits for between two turns: sockets that are open, and nothing else.

ExaBGP registers a session's socket with its poller in each turn and never takes it out again. A
socket that was closed is then ready at once, for ever, with an error; against the spin that would
follow ExaBGP sleeps a tenth of a second in each turn, and a command that comes meanwhile waits. So
as long as one router was away, every withdrawal at all the others took 155 ms instead of 6 to 19.
A number that was closed may also be that of an attempt to connect by now, which hangs up too.

Here a descriptor that is ready and belongs neither to a session nor to the agent is taken out,
and only one that belongs to somebody and has nothing but errors to say makes ExaBGP sleep.

Replaced in ExaBGP 5.0.15: ``reactor.loop.Reactor._wait_for_io``.
Noticed by: ``test_a_router_that_left_does_not_make_exabgp_sleep``.
"""

from __future__ import annotations

import select
from collections.abc import Iterator
from typing import Any

READABLE = select.POLLIN | select.POLLPRI


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, wait for open sockets only."""
    from exabgp.reactor import loop  # noqa: PLC0415 - a new clock comes before ExaBGP

    if not callable(loop.Reactor._wait_for_io):  # noqa: SLF001
        raise TypeError("exabgp.reactor.loop.Reactor._wait_for_io is no function")
    loop.Reactor._wait_for_io = _wait_for_io  # noqa: SLF001


def _wait_for_io(reactor: Any, milliseconds: int) -> Iterator[int]:
    """Yield what can be read; ExaBGP's own method, but for what nobody holds."""
    try:
        ready = reactor._poller.poll(milliseconds)  # noqa: SLF001
    except KeyboardInterrupt:
        reactor._termination("^C received", reactor.Exit.normal)  # noqa: SLF001
        return
    except OSError:
        # As ExaBGP does: it goes on with what it has, and the next turn asks again.
        reactor._prevent_spin()  # noqa: SLF001
        return
    held = {peer.socket() for peer in reactor._peers.values()}  # noqa: SLF001
    held.update(reactor.processes.fds)
    is_stuck = False
    for descriptor, event in ready:
        if descriptor not in held:
            reactor._poller.unregister(descriptor)  # noqa: SLF001
        elif event & READABLE:
            yield descriptor
        else:
            is_stuck = True
    if is_stuck:
        reactor._prevent_spin()  # noqa: SLF001
