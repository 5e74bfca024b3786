"""How ExaBGP ends a session for good: with a NOTIFICATION that says why.

ExaBGP ends with a bare FIN, which looks like a crash in the router's log, and it closes removed
peers without a word. With graceful restart the router then keeps all routes for the restart time;
a NOTIFICATION ends that (RFC 4724 section 4, RFC 8538 section 2 where it is not negotiated).

==========================================  =================================================
what ends                                   what the router reads (RFC 4486, RFC 9003)
==========================================  =================================================
ExaBGP, as planned                          6/2 Administrative Shutdown: the node and why
the same, a rollout that is to be bridged   nothing
ExaBGP, by a signal that nobody announced   nothing
a peer that is not in the settings          6/3 Peer De-configured
a session that moves to another address     6/6 Other Configuration Change
a session that comes back as it was         6/6; nothing with graceful restart, which bridges it
==========================================  =================================================

Replaced in ExaBGP 5.0.15: ``Peer.shutdown``, ``Peer.remove`` and ``Peer.reestablish`` of
``reactor.peer`` first say what is to be said.
Noticed by: ``test_the_launcher_says_why_a_session_ends`` and ``tests/fabric/test_closing.py``.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from typing import Any

from exabgp_k8s import parting

CEASE = 6
ADMINISTRATIVE_SHUTDOWN, DECONFIGURED, RESET, OTHER_CHANGE = 2, 3, 4, 6

IDENTITY = ("peer-address", "local-address", "local-as", "peer-as", "connect")
"""What makes a session the same one to its router: ``Neighbor.is_moved_from``."""
UNREAD = 1 << 20
"""Bytes that are read before closing, at most: with unread ones TCP would send a reset."""


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, say why it closes."""
    from exabgp.reactor.peer import Peer  # noqa: PLC0415 - a new clock comes before ExaBGP

    shutdown, remove, reestablish = Peer.shutdown, Peer.remove, Peer.reestablish
    # ``server FILE``: what is to be said lies beside the configuration.
    directory = os.path.dirname(os.path.abspath(sys.argv[-1]))

    def end(peer: Any) -> None:
        words = parting.read(directory)
        if words is not None and str(peer.neighbor["peer-address"]) not in words[1]:
            text = words[0].encode("ascii", "replace")
            _say(peer, ADMINISTRATIVE_SHUTDOWN, bytes([len(text)]) + text)
        shutdown(peer)

    def leave(peer: Any) -> None:
        others = [
            each
            for each in peer.reactor.configuration.neighbors.values()
            if each["peer-address"] == peer.neighbor["peer-address"]
        ]
        # One whose router id was edited is the same to its router and another one to ExaBGP.
        is_back = any(_is_same(peer.neighbor, each) for each in others)
        if not is_back or not peer.neighbor["capability"]["graceful-restart"]:
            _say(peer, OTHER_CHANGE if others else DECONFIGURED)
        remove(peer)

    def change(peer: Any, neighbor: Any = None) -> None:
        if neighbor is not None and not _is_same(peer.neighbor, neighbor):
            _say(peer, OTHER_CHANGE)
        reestablish(peer, neighbor)
        peer._teardown = RESET if neighbor is None else OTHER_CHANGE  # noqa: SLF001

    Peer.shutdown, Peer.remove, Peer.reestablish = end, leave, change


def _is_same(before: Any, after: Any) -> bool:
    return all(before[name] == after[name] for name in IDENTITY)


def _say(peer: Any, subcode: int, data: bytes = b"") -> None:
    """Send a Cease at once: nothing of this session has a turn any more.

    Where the router takes nothing at the moment it is not told, as by a FIN that it does not read.
    """
    from exabgp.bgp.fsm import FSM  # noqa: PLC0415 - a new clock comes before ExaBGP
    from exabgp.bgp.message import Notify  # noqa: PLC0415

    connection = peer.proto and peer.proto.connection
    if not connection or connection.io is None or peer.fsm != FSM.ESTABLISHED:
        return
    with contextlib.suppress(OSError):
        connection.io.send(Notify(CEASE, subcode, data).message())
        connection.io.shutdown(socket.SHUT_WR)
        connection.io.recv(UNREAD)
