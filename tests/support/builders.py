"""Values of the core, with everything a test does not speak of filled in.

Plain functions that return the real frozen values: a test names what matters to it, and the rest
is one healthy node with two routers, a service range and a pod range.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from exabgp_k8s.core import step
from exabgp_k8s.core.decide.decision import Decision
from exabgp_k8s.core.facts import commands, config, events, model, offer, reload
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge.judgement import Judgement, judge
from exabgp_k8s.core.observe.event import observe
from exabgp_k8s.core.plan.turn import Turn

START = 1000.0
"""The monotonic clock's reading at which every test's world begins."""

SERVICES, PODS = model.PrefixClass.SERVICES, model.PrefixClass.PODS
KEEP, DEPRIORITISE, WITHDRAW = model.Action.KEEP, model.Action.DEPRIORITISE, model.Action.WITHDRAW

NODE_IP = ipaddress.ip_address("192.0.2.11")
NODE_IP6 = ipaddress.ip_address("2001:db8::11")
TOR_A = ipaddress.ip_address("192.0.2.1")
TOR_B = ipaddress.ip_address("192.0.2.2")
SERVICE_RANGE = ipaddress.ip_network("10.96.0.0/16")
SERVICE_RANGE6 = ipaddress.ip_network("fd00:96::/112")
POD_RANGE = ipaddress.ip_network("10.244.3.0/24")
POD_RANGE6 = ipaddress.ip_network("fd00:10:244:3::/64")
ALL_RANGES = (SERVICE_RANGE, SERVICE_RANGE6, POD_RANGE, POD_RANGE6)

BOTH = (model.Family.IPV4, model.Family.IPV6)


def networks(*texts: str) -> tuple[model.Network, ...]:
    """Return networks from their text."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def a_node(**changes: Any) -> model.NodeFacts:
    """Return a schedulable node with an address and a pod range of each family."""
    facts = model.NodeFacts(
        name="node-3",
        uid="5b0f",
        labels={"kubernetes.io/hostname": "node-3", "rack": "a"},
        pod_cidrs=(POD_RANGE, POD_RANGE6),
        internal_ips=(NODE_IP, NODE_IP6),
    )
    return dataclasses.replace(facts, **changes)


def a_peer(name: str = "tor-a", address: model.Address = TOR_A, **changes: Any) -> config.Peer:
    """Return an eBGP peer that every node has a session with.

    What is said of attributes is said of both classes.
    """
    said = {key: changes.pop(key) for key in ("attributes", "prepend") if key in changes}
    if said:
        changes = {"services": offer.Offer(**said), "pods": offer.Offer(**said), **changes}
    peer = config.Peer(name=name, address=address, asn=64513, local_asn=64512)
    return dataclasses.replace(peer, **changes)


def in_rack(*racks: str) -> config.Selector:
    """Return what selects the nodes of some racks."""
    asked = config.Requirement(key="rack", operator=config.Operator.IN, values=frozenset(racks))
    return config.Selector(requirements=(asked,))


def two_peers() -> tuple[config.Peer, ...]:
    """Return the two routers of a rack."""
    return a_peer(), a_peer("tor-b", TOR_B)


def a_check(name: str = "kube-proxy", **changes: Any) -> config.Check:
    """Return a check that one outcome decides."""
    probe = config.TcpProbe(host="127.0.0.1", port=10256)
    check = config.Check(name=name, probe=probe, fall=1, rise=1)
    return dataclasses.replace(check, **changes)


def a_policy(
    cells: Mapping[tuple[model.Reason, model.PrefixClass], config.Cell],
) -> config.Policy:
    """Return the default table with some of its cells replaced."""
    return {**config.DEFAULT_POLICY, **cells}


def a_config(**changes: Any) -> config.Config:
    """Return settings for two peers, both classes and both families, without checks."""
    settings = config.Config(
        asn=64512,
        peers=two_peers(),
        service_cidrs=(SERVICE_RANGE, SERVICE_RANGE6),
        pods_within=networks("10.244.0.0/16", "fd00:10:244::/48"),
    )
    return dataclasses.replace(settings, **changes)


def after(world: World, *happened: events.Event, now: float = START) -> World:
    """Return a world after some events, all at one moment."""
    for event in happened:
        world, _ = judge(observe(world, event, now), world, now)
    return world


def a_world(
    *happened: events.Event,
    settings: config.Config | None = None,
    node: model.NodeFacts | None = None,
    passwords: Mapping[str, model.Secret] | None = None,
    now: float = START,
) -> World:
    """Return a world that has seen its settings and its node, then some events."""
    loaded = events.ConfigLoaded(config=settings or a_config(), passwords=passwords or {})
    return after(
        World(started=now), loaded, events.NodeSeen(node=node or a_node()), *happened, now=now
    )


def turn(world: World, now: float = START) -> Turn:
    """Return the turn that a moment brings when nothing else happens."""
    return step.step(world, (events.Tick(),), now)


def judged(world: World, now: float = START) -> Judgement:
    """Return the judgement a moment brings."""
    return turn(world, now).judgement


def decided(world: World, now: float = START) -> Decision:
    """Return the decision a moment brings, the time having passed first."""
    return turn(world, now).decision


def announced(decision: Decision) -> frozenset[model.Network]:
    """Return the prefixes that at least one peer is to hear."""
    return frozenset(prefix for _, prefix in decision.routes or {})


def reasons(decision: Decision, prefix_class: model.PrefixClass) -> frozenset[str]:
    """Return the words that stand behind what is withheld of a class."""
    return frozenset(
        str(cause)
        for each in decision.withheld
        if each.prefix_class is prefix_class
        for cause in each.causes
    )


def outcome(name: str = "kube-proxy", *, is_ok: bool) -> events.CheckOutcome:
    """Return one run of a check."""
    return events.CheckOutcome(name=name, is_ok=is_ok, message="ok" if is_ok else "refused")


def a_row(peer: model.Address = TOR_A, **changes: Any) -> events.NeighborRow:
    """Return the row of a peer whose session is established."""
    row = events.NeighborRow(
        peer=peer,
        local=NODE_IP,
        is_up=True,
        fsm="ESTABLISHED",
        local_asn=64512,
        peer_asn=64513,
        local_router_id=str(NODE_IP),
        local_hold_time=9,
        families=frozenset(BOTH),
        hold_time=9,
        duration=5,
        router_id=str(peer),
    )
    return dataclasses.replace(row, **changes)


def row_of(neighbor: model.Neighbor) -> events.NeighborRow:
    """Return the row of a neighbor whose session is established."""
    return a_row(
        neighbor.address,
        local=neighbor.local_address,
        local_asn=neighbor.local_asn,
        peer_asn=neighbor.peer_asn,
        local_router_id=str(neighbor.router_id),
        local_hold_time=neighbor.hold_time,
        graceful_restart=neighbor.graceful_restart is not None,
        is_extended=neighbor.is_extended,
    )


def up(peer: model.Address = TOR_A) -> tuple[events.Event, ...]:
    """Return what ExaBGP says of a session that comes up."""
    return (
        events.Negotiated(peer=peer, families=frozenset(BOTH), hold_time=9),
        events.SessionChanged(peer=peer, state="up", local=NODE_IP),
    )


def down(peer: model.Address = TOR_A, problem: str = "lost FIN in ESTABLISHED") -> events.Event:
    """Return what ExaBGP says of a session that goes down."""
    return events.SessionChanged(peer=peer, state="down", local=NODE_IP, problem=problem)


def a_route(
    prefix: model.Network = SERVICE_RANGE, peer: model.Address = TOR_A, **attributes: Any
) -> model.Route:
    """Return a route of a prefix by way of this node."""
    next_hop = NODE_IP if prefix.version == 4 else NODE_IP6
    return model.Route(
        peer=peer,
        prefix=prefix,
        next_hop=next_hop,
        attributes=model.Attributes(**attributes),
    )


def single(found: Iterable[commands.Command]) -> Iterator[commands.Command]:
    """Yield the commands with those said together one by one."""
    for command in found:
        yield from command.changes if isinstance(command, commands.Together) else (command,)


def echo(command: commands.Announce | commands.Withdraw) -> events.UpdateSent:
    """Return the UPDATE that follows a change."""
    prefix = frozenset({command.route.prefix})
    if isinstance(command, commands.Announce):
        return events.UpdateSent(peer=command.route.peer, announced=prefix)
    return events.UpdateSent(peer=command.route.peer, withdrawn=prefix)


def echoes(world: World, command: commands.Command) -> Iterable[events.Event]:
    """Return the UPDATEs that a truthful ExaBGP sends after it stored a command."""
    match command:
        case commands.Announce() | commands.Withdraw():
            return (echo(command),)
        case commands.Together():
            return [echo(change) for change in command.changes]
        case commands.Flush() if world.rib:
            held = frozenset(world.rib[command.peer].routes)
            return (events.UpdateSent(peer=command.peer, announced=held),)
        case _:
            return ()


def answers(world: World, command: commands.Command) -> tuple[events.Event, ...]:
    """Return what a truthful ExaBGP, begun with an empty table, says to a command."""
    match command:
        case commands.ShowNeighbors():
            rows = tuple(row_of(neighbor) for neighbor in world.neighbors or ())
            return (events.NeighborsRead(rows=rows),)
        case commands.ShowRib():
            held = [route for rib in (world.rib or {}).values() for route in rib.routes.values()]
            return (events.RibRead(routes=tuple(held)),)
        case _:
            return (events.CommandDone(command=command), *echoes(world, command))


def obeyed(world: World, now: float = START, *, limit: int = 100) -> World:
    """Return the world once an ExaBGP that does all it is told has nothing left to do."""
    for _ in range(limit):
        turn = step.step(world, (events.Tick(),), now)
        world = turn.world
        if not turn.commands:
            return world
        command = turn.commands[0]
        world = after(world, *answers(world, command), now=now)
    raise AssertionError(f"no end after {limit} commands, the last of them {command}")


def a_serving_world(
    *happened: events.Event,
    settings: config.Config | None = None,
    node: model.NodeFacts | None = None,
    now: float = START,
) -> World:
    """Return a world whose sessions are up and whose routes are all with the routers."""
    world = a_world(*happened, settings=settings, node=node, now=now)
    neighbors = decided(world, now).neighbors or ()
    world = after(world, reload.Taken(neighbors=neighbors), now=now)
    for neighbor in neighbors:
        world = after(world, *up(neighbor.address), now=now)
    return obeyed(world, now)
