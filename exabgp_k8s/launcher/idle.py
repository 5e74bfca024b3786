"""How long ExaBGP waits while nothing happens: until the next second begins, and no shorter.

It takes ten turns a second, and each looks at everything: the larger part of what an idle node
costs. What it looks for without being woken are its timers, which all count whole seconds: a
keepalive that is due or a hold timer that ran out is so from the beginning of a second on. So
while every session is established and nothing is left to be done, it waits for that moment, and
its timers are more exact than they were. Whatever comes by a socket or from the agent wakes it at
once, as ever.

A signal does not: Python goes on with an interrupted wait, and a new configuration waited for the
end of it. Here a signal is something to read, and ends the wait.

Replaced in ExaBGP 5.0.15: ``reactor.loop.Reactor._wait_for_io`` is called with a longer wait.
Noticed by: ``test_an_idle_exabgp_waits_for_whole_seconds`` and
``test_a_signal_ends_the_wait``.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterator
from typing import Any

LATE = 0.002
"""Seconds after the beginning of the second, so that it has begun for everybody."""


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, wait until something is due."""
    from exabgp.bgp.fsm import FSM  # noqa: PLC0415 - a new clock comes before ExaBGP
    from exabgp.reactor import loop  # noqa: PLC0415

    wait = loop.Reactor._wait_for_io  # noqa: SLF001
    woken, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)

    def is_quiet(peer: Any) -> bool:
        rib = peer.neighbor.rib.outgoing
        # The last is of ``refreshes``: an answer that waits for its turn.
        waiting = (peer._teardown, peer.neighbor.refresh, rib.pending(), rib._asked)  # noqa: SLF001
        return peer.fsm == FSM.ESTABLISHED and not any(waiting)

    def wait_until_due(reactor: Any, milliseconds: int) -> Iterator[int]:
        is_idle = milliseconds >= int(reactor._sleep_time * 1000)  # noqa: SLF001
        if is_idle and all(map(is_quiet, reactor._peers.values())):  # noqa: SLF001
            milliseconds = max(milliseconds, until_next_second(time.time()))
        # Each time: who looks after the sockets takes out what belongs to no session.
        reactor._poller.register(woken, select.POLLIN)  # noqa: SLF001
        yield from wait(reactor, milliseconds)
        with contextlib.suppress(BlockingIOError):
            os.read(woken, 4096)

    loop.Reactor._wait_for_io = wait_until_due  # noqa: SLF001


def until_next_second(now: float) -> int:
    """Return the milliseconds until the next whole second of a clock has begun."""
    return int((1 - now % 1 + LATE) * 1000) + 1
