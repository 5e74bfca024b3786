"""When ExaBGP tries a router again: soon, out of step with other nodes, and never in a storm.

Left to itself, ExaBGP waits longer after each failure, up to a minute, and no command hurries it:
a router that was away for a minute is missed for 13 s more. An attempt that nobody answers is the
kernel's for more than two minutes, and as long as something waits for that peer ExaBGP reads no
new configuration. But a session that came up and fell is tried again at once: a router that
refuses what it is sent, by a limit of prefixes, was sent it seven times a second.

Here attempts in vain start a random 2 to 4 s apart, or as the peer's settings ask (``timers``),
and one that nobody answers ends after 3.5 s, by ``ends``.
A session that ends is tried again at once, but the pause grows with each further one that ends
within half an hour, however long it lived (RFC 4271 section 8.1, DampPeerOscillations): each one
changes the next hops of every prefix at the router, and one that dies by its hold timer after
half a minute does so as surely as one that a limit of prefixes ends at once. What was counted is
forgotten half an hour after it happened, or when the peer's settings are edited.

Replaced in ExaBGP 5.0.15: ``reactor.delay.Delay``, by its name in ``reactor.peer``, and
``reactor.network.outgoing.create``, which makes the socket of an attempt.
``reactor.peer.Peer.reestablish``, which an edit of the peer calls, is wrapped, and a NOTIFICATION
of ``reactor.protocol.Protocol`` is noted on its way.
Noticed by: ``test_a_router_that_ends_every_session_at_once_is_not_tried_in_a_storm`` (ExaBGP
alone tries twice at once, then after one second) and the faults of routers in ``tests/fabric``.
"""

from __future__ import annotations

import collections
import random
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

PAUSE = (2.0, 4.0)
"""Seconds from the start of an attempt to the next one."""
SHARE = 1 / 3
"""Part by which another pause that is asked for is shorter or longer at most, as of the usual."""
SPREAD = 0.5
"""Seconds, at most, from the end of a session to the first attempt: all nodes saw it end."""
LASTING = 10.0
"""Seconds; what ends a session sooner will end the next one too, so that it is no first time."""
WINDOW = 1800.0
"""Seconds for which the end of a session counts."""
DOUBLINGS = 5
"""How often the pause is doubled at most, once for each further end: to 64 to 128 s."""
NOTIFIED = 1.2
"""Seconds, at least, after a NOTIFICATION of ours: BIRD refuses for its ``error wait time``."""
SYN_RETRIES = 3
"""SYNs after the first, a second apart or doubling: the last one that may still be answered."""


class Redial:
    """The pause between attempts at one peer, in place of ``exabgp.reactor.delay.Delay``."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._clock, self._chance = clock, chance
        self._started = self._next = float("-inf")
        self.retry: Callable[[], int | None] = lambda: None
        """Returns the seconds between two attempts, on average, that the peer's settings ask for;
        None: nothing. Given by ``timers``."""
        self._up_at: float | None = None
        # More of them than doublings change nothing.
        self._falls: collections.deque[float] = collections.deque(maxlen=DOUBLINGS + 2)
        self._has_notified = False

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

    def forgive(self) -> None:
        """Note that the peer's settings were edited: what it did with the old ones is over."""
        self._falls.clear()
        self._up_at = None

    def increase(self) -> None:
        """Note that an attempt failed or that a session ended."""
        now, pause = self._clock(), self._chance(*self._pause())
        self._next = now + self._chance(0, SPREAD)
        if self._up_at is None:
            self._next = max(self._next, self._started + pause)
        elif (times := self._fell(now, self._up_at)) > 0:
            damped = self._chance(*PAUSE) * 2 ** min(times - 1, DOUBLINGS)
            self._next = now + max(pause, damped)
        if self._has_notified:
            self._next = max(self._next, now + NOTIFIED)
        self._up_at, self._has_notified = None, False

    def notified(self) -> None:
        """Note that the session ends by a NOTIFICATION of ours."""
        self._has_notified = True

    def _pause(self) -> tuple[float, float]:
        """Return the shortest and the longest pause between attempts."""
        asked = self.retry()
        return PAUSE if asked is None else (asked * (1 - SHARE), asked * (1 + SHARE))

    def _fell(self, now: float, up_at: float) -> int:
        """Count the end of a session; return how many there were before it."""
        while self._falls and self._falls[0] <= now - WINDOW:
            self._falls.popleft()
        before = len(self._falls)
        self._falls.append(now)
        return max(before, int(now < up_at + LASTING))


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, try by these rules."""
    from exabgp.reactor import peer, protocol  # noqa: PLC0415 - a new clock comes before ExaBGP
    from exabgp.reactor.network import outgoing  # noqa: PLC0415

    create, reestablish = outgoing.create, peer.Peer.reestablish
    notify = protocol.Protocol.new_notification

    def impatient(*arguments: object) -> socket.socket:
        made: socket.socket = create(*arguments)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, SYN_RETRIES)
        # Otherwise a second UPDATE waits up to 40 ms for the acknowledgement of the first.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def forgiving(one: Any, *arguments: object) -> None:
        reestablish(one, *arguments)
        one._delay.forgive()  # noqa: SLF001

    def noted(session: Any, notification: object) -> Iterator[object]:
        session.peer._delay.notified()  # noqa: SLF001
        messages: Iterator[object] = notify(session, notification)
        return messages

    peer.Delay = Redial
    peer.Peer.reestablish = forgiving
    protocol.Protocol.new_notification = noted
    outgoing.create = impatient
