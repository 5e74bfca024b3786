"""How ExaBGP's adj-rib-out follows from the commands it answered.

``done`` means stored, not sent. So a change of a peer that is up stays *pending* until the
UPDATE was seen, and no second change of the same prefix is planned before that: ExaBGP groups
pending changes by attribute set and may send two changes of one prefix in the wrong order.
"""

from __future__ import annotations

import dataclasses
from typing import assert_never

from exabgp_k8s.core.facts import commands, model
from exabgp_k8s.core.facts.world import PeerRib, Pending, Refusal, Session, World
from exabgp_k8s.core.observe import reloads

RETRY_REFUSED = 30.0
"""Seconds until an announcement that ExaBGP answered with ``error`` is tried again."""


def done(world: World, command: commands.Command, now: float) -> World:
    """Return the world after ExaBGP stored what a command asked for."""
    match command:
        case commands.Announce():
            return _stored(world, command.route, now, is_withdrawal=False)
        case commands.Withdraw():
            return _stored(world, command.route, now, is_withdrawal=True)
        case commands.Together():
            for change in command.changes:
                world = done(world, change, now)
            return world
        case commands.Flush():
            return _flushed(world, command.peer, now)
        case commands.EndOfRib():
            return _ended(world, command)
        case commands.ShowNeighbors() | commands.ShowRib():
            return world
        case _:
            assert_never(command)


def failed(world: World, command: commands.Command, problem: str, now: float) -> World:
    """Return the world after ExaBGP answered ``error``."""
    match command:
        case commands.Announce():
            key = (command.route.peer, command.route.prefix)
            refusal = Refusal(problem=problem, until=now + RETRY_REFUSED)
            return dataclasses.replace(world, refusals={**world.refusals, key: refusal})
        case commands.Withdraw():
            # Only a peer that is not there refuses a withdrawal: look at what there is. Until
            # then nothing is held for it, or the withdrawal would be repeated instead for ever.
            held = world.rib and {
                peer: rib for peer, rib in world.rib.items() if peer != command.route.peer
            }
            return reloads.begun(dataclasses.replace(world, rib=held), now)
        case commands.Together():
            return dataclasses.replace(world, is_joining_refused=True)
        case commands.Flush():
            # The session went down under the command; its next "up" starts anew.
            return _flushed(world, command.peer, now)
        case commands.EndOfRib():
            return _ended(world, command)
        case commands.ShowNeighbors() | commands.ShowRib():
            return world
        case _:
            assert_never(command)


def _stored(world: World, route: model.Route, now: float, *, is_withdrawal: bool) -> World:
    rib = _rib_of(world, route.peer)
    routes = {prefix: held for prefix, held in rib.routes.items() if prefix != route.prefix}
    if not is_withdrawal:
        routes[route.prefix] = route
    pending = dict(rib.pending)
    before = pending.pop(route.prefix, None)
    if _awaits_echo(world.sessions.get(route.peer), route.prefix):
        is_again = before is not None and before.is_withdrawal == is_withdrawal
        pending[route.prefix] = Pending(
            route=route,
            is_withdrawal=is_withdrawal,
            since=now,
            reminders=before.reminders + 1 if before is not None and is_again else 0,
        )
    return with_peer(world, route.peer, dataclasses.replace(rib, routes=routes, pending=pending))


def _flushed(world: World, peer: model.Address, now: float) -> World:
    rib = _rib_of(world, peer)
    session = world.sessions.get(peer)
    pending = dict(rib.pending) | {
        prefix: Pending(
            route=route, is_withdrawal=False, since=now, reminders=_reminders(rib, prefix)
        )
        for prefix, route in rib.routes.items()
        if _awaits_echo(session, prefix)
    }
    return with_peer(world, peer, dataclasses.replace(rib, pending=pending, is_flushed=True))


def _reminders(rib: PeerRib, prefix: model.Network) -> int:
    """Return how often an announcement has been asked for, once more with this flush.

    The first flush of a session is none: it is due whether anything was late or not.
    """
    before = rib.pending.get(prefix)
    is_again = before is not None and not before.is_withdrawal and rib.is_flushed
    return before.reminders + 1 if before is not None and is_again else 0


def _ended(world: World, command: commands.EndOfRib) -> World:
    rib = _rib_of(world, command.peer)
    ended = rib.ended | {command.family}
    return with_peer(world, command.peer, dataclasses.replace(rib, ended=ended))


def _awaits_echo(session: Session | None, prefix: model.Network) -> bool:
    """Return whether a change of this prefix will be followed by an UPDATE now."""
    return session is not None and session.is_up and model.family_of(prefix) in session.families


def with_peer(world: World, peer: model.Address, rib: PeerRib) -> World:
    """Return the world with one peer's RIB replaced; unknown RIBs stay unknown."""
    if world.rib is None:
        return world
    return dataclasses.replace(world, rib={**world.rib, peer: rib})


def _rib_of(world: World, peer: model.Address) -> PeerRib:
    return (world.rib or {}).get(peer, PeerRib())


def is_news(
    rib: PeerRib, announced: frozenset[model.Network], withdrawn: frozenset[model.Network]
) -> bool:
    """Return whether an UPDATE on its way to the peer changes what is known.

    One that a router asked for, by a refresh, does not: it says again what is long acknowledged.
    """
    strays = announced - rib.routes.keys()
    return bool(strays) or not rib.pending.keys().isdisjoint(announced | withdrawn)


def acknowledged(
    peer: model.Address,
    rib: PeerRib,
    announced: frozenset[model.Network],
    withdrawn: frozenset[model.Network],
) -> PeerRib:
    """Return a peer's RIB after an UPDATE was seen on its way to the peer.

    The attributes need no comparison: ExaBGP sends all that waits for a peer in one step, so an
    UPDATE seen after a change was stored carries that change and not an earlier one.

    ExaBGP may announce what it was told to withdraw while the session was down, where two
    changes of the prefix waited before. Its own table has nothing of it: withdraw it once more.
    """
    strays = announced - rib.routes.keys() - rib.pending.keys()
    pending = {
        prefix: change
        for prefix, change in rib.pending.items()
        if prefix not in (withdrawn if change.is_withdrawal else announced)
    }
    pending |= {prefix: _owed(peer, prefix) for prefix in strays}
    return dataclasses.replace(rib, pending=pending)


def _owed(peer: model.Address, prefix: model.Network) -> Pending:
    """Return a withdrawal that is overdue from the beginning."""
    # A withdrawal carries no next hop (RFC 4271 section 4.3): any of the family will do.
    route = model.Route(peer=peer, prefix=prefix, next_hop=prefix.network_address)
    return Pending(route=route, is_withdrawal=True, since=float("-inf"))


def read(world: World, routes: tuple[model.Route, ...]) -> World:
    """Return the world after ExaBGP showed all it holds.

    What is pending and how far a peer was brought stays: a reload does not touch a session
    whose own parameters are the same. A table that was asked for before a reload says nothing.
    """
    if world.peers_read is None:
        return world
    known = world.rib or {}
    held: dict[model.Address, dict[model.Network, model.Route]] = {
        peer: {} for peer in world.peers_read
    }
    for route in routes:
        if route.peer in held:
            held[route.peer][route.prefix] = route
    rib = {
        peer: dataclasses.replace(known.get(peer, PeerRib()), routes=routes_of_peer)
        for peer, routes_of_peer in held.items()
    }
    return dataclasses.replace(world, rib=rib, is_rib_current=True)
