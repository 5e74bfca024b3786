"""When ExaBGP reads its configuration again: whenever it is told to, and no session minds.

ExaBGP forgets a reload that comes while a change waits for any peer, and one peer that is down
makes them wait. What was forgotten would then come with the next reload, whatever that is for:
a password would stay the old one until somebody edits another peer. Nothing in a reload minds
the changes that wait, so here it is told that none do.

A peer that stays as it is gets the new configuration's routes, compared with the former one's.
In the one turn in which its session comes up the former one is forgotten before that comparison,
which then fails, and ends a session that nobody edited. We write no route into a configuration,
so here there is nothing to compare.

Replaced in ExaBGP 5.0.15: ``reactor.loop.Reactor._pending_adjribout``, which has no other use, and
``reactor.peer.Peer.reconfigure``, after which no comparison is left to do.
Noticed by: ``test_an_edit_that_comes_with_changes_for_a_dead_peer_is_not_forgotten`` and
``test_a_reload_touches_no_session_that_comes_up_at_that_moment``.
"""

from __future__ import annotations

from typing import Any


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, heed every reload."""
    from exabgp.reactor import loop, peer  # noqa: PLC0415 - a new clock comes before ExaBGP

    if not callable(loop.Reactor._pending_adjribout):  # noqa: SLF001
        raise TypeError("exabgp.reactor.loop.Reactor._pending_adjribout is no function")
    loop.Reactor._pending_adjribout = lambda _: False  # noqa: SLF001
    reconfigure = peer.Peer.reconfigure

    def reconfigured(one: Any, neighbor: Any) -> None:
        reconfigure(one, neighbor)
        one._neighbor = None  # noqa: SLF001
        # Otherwise each configuration would hold the one before it, for ever.
        neighbor.previous = None

    peer.Peer.reconfigure = reconfigured
