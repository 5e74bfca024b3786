"""When ExaBGP tries a router again: soon, out of step with other nodes, and never in a storm.

Left to itself, ExaBGP waits longer after each failure, up to a minute, and no command hurries it:
a router that was away for a minute is missed for 13 s more. An attempt that nobody answers is the
kernel's for more than two minutes, and as long as something waits for that peer ExaBGP reads no
new configuration. But a session that came up and fell is tried again at once: a router that
refuses what it is sent, by a limit of prefixes, was sent it seven times a second.

Here attempts start a random 2 to 4 s apart, and one that nobody answers ends after 3 s.
Only sessions that do not last wait longer (RFC 4271 section 8.1, DampPeerOscillations): each one
changes the next hops of every prefix at the router.
"""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable

PAUSE = (2.0, 4.0)
"""Seconds from the start of an attempt to the next one."""
SPREAD = 0.5
"""Seconds, at most, from the end of a session to the first attempt: all nodes saw it end."""
LASTING = 10.0
"""Seconds after which a session counts as one that lasted."""
DOUBLINGS = 3
"""How often the pause is doubled at most, once for each session in a row that did not last."""
SYN_RETRIES = 1
"""SYNs after the first, which leaves 1 s before it and 2 s after it (RFC 6298)."""


class Redial:
    """The pause between attempts at one peer, in place of ``exabgp.reactor.delay.Delay``."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._clock, self._chance = clock, chance
        self._next = float("-inf")
        self._up_at: float | None = None
        self._falls = 0

    def backoff(self) -> bool:
        """Return whether to wait; asked before each attempt, which begins with the first no."""
        now = self._clock()
        if now < self._next:
            return True
        self._next = now + self._chance(*PAUSE)
        return False

    def reset(self) -> None:
        """Note that a session is up. ExaBGP says it at other times too, which change nothing."""
        if self._up_at is None:
            self._up_at = self._clock()

    def increase(self) -> None:
        """Note that an attempt failed or that a session ended."""
        now = self._clock()
        has_fallen = self._up_at is not None and now < self._up_at + LASTING
        self._falls = self._falls + 1 if has_fallen else 0
        self._up_at = None
        self._next = max(self._next, now + self._chance(0, SPREAD))
        if self._falls > 1:
            self._next = now + self._chance(*PAUSE) * 2 ** min(self._falls - 1, DOUBLINGS)


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, try by these rules."""
    from exabgp.reactor import peer  # noqa: PLC0415 - a new clock comes before ExaBGP
    from exabgp.reactor.network import outgoing  # noqa: PLC0415

    create = outgoing.create

    def impatient(*arguments: object) -> socket.socket:
        made: socket.socket = create(*arguments)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, SYN_RETRIES)
        # Otherwise a second UPDATE waits up to 40 ms for the acknowledgement of the first.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    peer.Delay = Redial
    outgoing.create = impatient
