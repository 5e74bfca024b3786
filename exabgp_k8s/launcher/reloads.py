"""When ExaBGP reads its configuration again: whenever it is told to.

ExaBGP forgets a reload that comes while a change waits for any peer, and one peer that is down
makes them wait. What was forgotten would then come with the next reload, whatever that is for:
a password would stay the old one until somebody edits another peer. Nothing in a reload minds
the changes that wait, so here it is told that none do.

Replaced in ExaBGP 5.0.15: ``reactor.loop.Reactor._pending_adjribout``, which has no other use.
Noticed by: ``test_an_edit_that_comes_with_changes_for_a_dead_peer_is_not_forgotten``.
"""

from __future__ import annotations


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, heed every reload."""
    from exabgp.reactor import loop  # noqa: PLC0415 - a new clock comes before ExaBGP

    if not callable(loop.Reactor._pending_adjribout):  # noqa: SLF001
        raise TypeError("exabgp.reactor.loop.Reactor._pending_adjribout is no function")
    loop.Reactor._pending_adjribout = lambda _: False  # noqa: SLF001
