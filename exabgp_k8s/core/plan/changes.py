"""The difference between what is wanted and what ExaBGP holds, and nothing else.

Three rules come from ExaBGP and not from BGP. A prefix whose last change is not acknowledged is
left alone. A peer that came up is sent everything once more, because changes queued while it was
down may leave in the wrong order. And End-of-RIB follows the routes: sent before them, it makes
a router purge what graceful restart preserved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from exabgp_k8s.core.decide import prefixes
from exabgp_k8s.core.decide.decision import Decision
from exabgp_k8s.core.facts import commands, model
from exabgp_k8s.core.facts.world import PeerRib, Rib, World
from exabgp_k8s.core.judge import pod_ranges

POLL = 5.0
"""Seconds between two looks at the counters; also proof that ExaBGP still answers."""
REREAD = 0.1
"""Seconds between two looks while ExaBGP takes a new configuration."""
OVERDUE = 5.0
"""Seconds without an UPDATE after which a change is asked for once more."""


def find(decision: Decision, world: World, now: float) -> tuple[commands.Command, ...]:
    """Return what is to be told to ExaBGP, most urgent first; empty: nothing."""
    if world.rib is None:
        return _read(world, now)
    leaving = together(world, withdrawals(decision, world, now))
    if not world.is_rib_current:
        # ExaBGP takes its time with a new configuration; a withdrawal does not wait for that.
        return (*leaving, *_read(world, now))
    return (
        *leaving,
        *_flushes(world, world.rib),
        *together(world, _announcements(decision, world.rib)),
        *_reminders(world.rib, now),
        *_ends(decision, world, world.rib, now),
        *_poll(world, now),
    )


def _read(world: World, now: float) -> tuple[commands.Command, ...]:
    if world.peers_read is not None:
        return (commands.ShowRib(),)
    is_early = world.reloaded_at <= world.neighbors_read_at and now < reread_at(world)
    return () if is_early else (commands.ShowNeighbors(),)


def reread_at(world: World) -> float:
    """Return when to look again whether ExaBGP took its new configuration."""
    return world.neighbors_read_at + REREAD


def is_overdue(rib: PeerRib, prefix: model.Network, now: float) -> bool:
    """Return whether a change was stored long ago and no UPDATE has been seen."""
    change = rib.pending.get(prefix)
    return change is not None and now >= change.since + OVERDUE


def withdrawals(decision: Decision, world: World, now: float) -> Iterator[commands.Withdraw]:
    """Yield a withdrawal for everything that is held and no longer wanted.

    What stays because too little is known of it goes all the same where its session ends.
    """
    if decision.routes is None:
        return
    for peer, held in (world.rib or {}).items():
        kept = frozenset() if peer in world.leaving else decision.kept
        for prefix, route in held.routes.items():
            is_wanted = (peer, prefix) in decision.routes or prefix in kept
            if not is_wanted and prefix not in held.pending:
                yield commands.Withdraw(route=route)
        for prefix, change in held.pending.items():
            if change.is_withdrawal and is_overdue(held, prefix, now):
                yield commands.Withdraw(route=change.route)


def _flushes(world: World, rib: Rib) -> Iterator[commands.Flush]:
    for peer, held in rib.items():
        session = world.sessions.get(peer)
        if session is not None and session.is_up and not held.is_flushed:
            yield commands.Flush(peer=peer)


def _announcements(decision: Decision, rib: Rib) -> Iterator[commands.Announce]:
    for (peer, prefix), route in (decision.routes or {}).items():
        held = rib.get(peer)
        if held is not None and held.routes.get(prefix) != route and prefix not in held.pending:
            yield commands.Announce(route=route)


def _reminders(rib: Rib, now: float) -> Iterator[commands.Flush]:
    """Yield a flush where an announcement was stored long ago and no UPDATE has been seen."""
    for peer, held in rib.items():
        if any(is_overdue(held, prefix, now) for prefix in held.routes):
            yield commands.Flush(peer=peer)


C = TypeVar("C", commands.Announce, commands.Withdraw)


def together(world: World, changes: Iterable[C]) -> Iterator[C | commands.Together]:
    """Join changes that one line can say: the same attributes, the same prefixes at each peer.

    The prefixes of one line are of one family: ExaBGP takes all of them for the last one's.
    """
    if world.is_joining_refused:
        yield from changes
        return
    by_peer: dict[tuple[object, ...], list[C]] = {}
    for change in changes:
        route = change.route
        family = model.family_of(route.prefix)
        same = (route.peer, family, route.next_hop, route.attributes)
        by_peer.setdefault(same, []).append(change)
    joined: dict[tuple[object, ...], list[C]] = {}
    for (_, *alike), group in by_peer.items():
        prefixes_of_peer = frozenset(change.route.prefix for change in group)
        joined.setdefault((*alike, prefixes_of_peer), []).extend(group)
    for group in joined.values():
        yield group[0] if len(group) == 1 else commands.Together(changes=tuple(group))


def _ends(decision: Decision, world: World, rib: Rib, now: float) -> Iterator[commands.EndOfRib]:
    if decision.routes is None or decision.kept or world.neighbors is None:
        return
    if not (prefixes.are_services_known(world) and pod_ranges.are_known(world)):
        return
    owing = {peer: owed for peer in rib if (owed := _owed(world, rib[peer], peer))}
    if not owing:
        return
    busy = {command.route.peer for command in withdrawals(decision, world, now)}
    busy |= {command.route.peer for command in _announcements(decision, rib)}
    busy |= {command.peer for command in _reminders(rib, now)}
    for peer, families in owing.items():
        if peer not in busy:
            yield from (commands.EndOfRib(peer=peer, family=each) for each in sorted(families))


def _owed(world: World, held: PeerRib, peer: model.Address) -> frozenset[model.Family]:
    """Return the families whose End-of-RIB a router waits for, as far as it has its routes."""
    neighbor = world.running.get(peer)
    is_restarting = neighbor is not None and neighbor.graceful_restart is not None
    if not (is_restarting and world.is_up(peer) and held.is_flushed and not held.pending):
        return frozenset()
    return world.sessions[peer].families - held.ended


def owes_ends(decision: Decision, world: World, now: float) -> bool:
    """Return whether a router may still keep what an earlier session of ours announced."""
    return world.rib is not None and any(True for _ in _ends(decision, world, world.rib, now))


def _poll(world: World, now: float) -> Iterator[commands.ShowNeighbors]:
    # What the two sides agreed on is asked for as soon as they have: somebody may look.
    is_new = any(each.is_up and each.is_restartable is None for each in world.sessions.values())
    pause = REREAD if is_new else POLL
    if now >= world.neighbors_read_at + pause:
        yield commands.ShowNeighbors()


def is_withdrawn(decision: Decision, world: World, now: float) -> bool:
    """Return whether ExaBGP holds nothing unwanted and every change is acknowledged."""
    if world.rib is None or decision.routes is None:
        return False
    is_acknowledged = not any(held.pending for held in world.rib.values())
    return is_acknowledged and not any(True for _ in withdrawals(decision, world, now))
