"""When ExaBGP tries a router again: soon, out of step with other nodes, and never in a storm.

Left to itself, ExaBGP waits longer after each failure, up to a minute, and no command hurries it:
a router that was away for a minute is missed for 13 s more. An attempt that nobody answers is the
kernel's for more than two minutes, and as long as something waits for that peer ExaBGP reads no
new configuration. But a session that came up and fell is tried again at once: a router that
refuses what it is sent, by a limit of prefixes, was sent it seven times a second.

Here attempts in vain start a random 2 to 4 s apart, and one that nobody answers ends after 3 s.
Only after sessions that do not last the pause grows (RFC 4271 section 8.1, DampPeerOscillations):
each one changes the next hops of every prefix at the router.

Replaced in ExaBGP 5.0.15: ``reactor.delay.Delay``, by its name in ``reactor.peer``, and
``reactor.network.outgoing.create``, which makes the socket of an attempt.
Noticed by: ``test_a_router_that_ends_every_session_at_once_is_not_tried_in_a_storm`` (ExaBGP
alone tries twice at once, then after one second) and the faults of routers in ``tests/fabric``.
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
"""How often the pause is doubled at most, once for each further session that did not last."""
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
        self._started = self._next = float("-inf")
        self._up_at: float | None = None
        self._falls = 0

    def backoff(self) -> bool:
        """Return whether to wait; asked until the answer is no, and an attempt begins."""
        now = self._clock()
        if now < self._next:
            return True
        self._started = now
        return False

    def reset(self) -> None:
        """Note that a session is up, or that the peer was changed or removed: do not wait."""
        self._next = float("-inf")
        if self._up_at is None:
            self._up_at = self._clock()

    def increase(self) -> None:
        """Note that an attempt failed or that a session ended."""
        now, pause = self._clock(), self._chance(*PAUSE)
        self._next = now + self._chance(0, SPREAD)
        if self._up_at is not None and now < self._up_at + LASTING:
            self._next = now + pause * 2 ** min(self._falls, DOUBLINGS)
            self._falls += 1
        else:
            self._falls = 0
        if self._up_at is None:
            self._next = max(self._next, self._started + pause)
        self._up_at = None


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
