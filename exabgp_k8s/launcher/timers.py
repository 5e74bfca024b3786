"""Two timers of each session that ExaBGP has no words for: keepalive and connect retry.

It sends a KEEPALIVE every third of the negotiated hold time, and when a router is tried again it
keeps to itself. Some routers want more of the first, and a router that is away for weeks fewer of
the second. So its configuration knows two words more, ``keepalive-time`` and ``connect-retry``,
both in whole seconds; whoever writes neither has what was there before. An edit of one makes the
session anew, as an edit of the hold time does.

Replaced in ExaBGP 5.0.15: what ``configuration.neighbor.ParseNeighbor`` knows, the defaults and
the comparison of ``bgp.neighbor.Neighbor``, ``reactor.keepalive.KA.__init__``, which computes
when the next KEEPALIVE is due, and ``reactor.peer.Peer.__init__``, which makes the pause between
attempts, by ``redial``.
Noticed by: ``test_a_keepalive_leaves_as_often_as_it_is_asked_for`` and
``test_a_router_that_refuses_is_tried_as_often_as_it_is_asked_for``.
"""

from __future__ import annotations

from typing import Any

KEEPALIVE, RETRY = "keepalive-time", "connect-retry"


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, know both; after ``redial``."""
    from exabgp.bgp.neighbor import Neighbor  # noqa: PLC0415 - a new clock comes before ExaBGP
    from exabgp.configuration.neighbor import ParseNeighbor  # noqa: PLC0415
    from exabgp.reactor.keepalive import KA  # noqa: PLC0415
    from exabgp.reactor.peer import Peer  # noqa: PLC0415

    equal, begin, make = Neighbor.__eq__, KA.__init__, Peer.__init__

    def is_equal(one: Any, other: Any) -> bool:
        return bool(equal(one, other)) and all(
            one[each] == other[each] for each in (KEEPALIVE, RETRY)
        )

    def begun(timer: Any, session: object, proto: Any) -> None:
        begin(timer, session, proto)
        sending, asked = timer.send_timer, proto.neighbor[KEEPALIVE]
        # Without a hold time there are none; a third of what was negotiated is the most.
        if asked and sending.keepalive:
            sending.keepalive = min(sending.keepalive, asked)

    def made(peer: Any, *arguments: Any) -> None:
        make(peer, *arguments)
        # Asked for each time: an edit gives the peer another neighbor.
        peer._delay.retry = lambda: peer.neighbor[RETRY]  # noqa: SLF001

    for word in (KEEPALIVE, RETRY):
        ParseNeighbor.known[word] = _seconds
        ParseNeighbor.action[word] = "set-command"
        Neighbor.defaults[word] = None
    Neighbor.__eq__ = is_equal
    KA.__init__ = begun
    Peer.__init__ = made


def _seconds(tokeniser: Any) -> int:
    return int(tokeniser())
