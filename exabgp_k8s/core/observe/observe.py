"""What an event changes in what we know. Nothing is decided here.

``observe`` is total: any event is accepted in any world, because events come from outside and
in the order in which the outside produced them.
"""

from __future__ import annotations

import dataclasses
from typing import assert_never

from exabgp_k8s.core.decide import changeover
from exabgp_k8s.core.facts import config, events, hysteresis, lifecycle, model, succession
from exabgp_k8s.core.facts.world import CheckState, World, is_stopping, reloading
from exabgp_k8s.core.judge import causes, keeping, rollout, slots
from exabgp_k8s.core.observe import ribs, sessions


def observe(world: World, event: events.Event, now: float) -> World:
    """Return the world after an event, with its causes and memberships brought up to ``now``."""
    return settle(_apply(world, event, now), world, now)


def settle(world: World, earlier: World, now: float) -> World:
    """Recompute what follows from the facts and the time alone."""
    world = _node_in_force(world, now)
    if keeping.is_due(world, earlier):
        world = keeping.settle(world, now)
    standing = {cause: world.causes.get(cause, now) for cause in causes.active(world)}
    world = rollout.settle(dataclasses.replace(world, causes=standing))
    before = world.membership
    world = _membership(dataclasses.replace(world, budget=slots.settle(world, now)), now)
    if world.membership == before:
        return world
    # A class that has just come back needs no slot any more.
    return dataclasses.replace(world, budget=slots.settle(world, now))


def _membership(world: World, now: float) -> World:
    if world.config is None:
        return world
    return dataclasses.replace(
        world,
        membership={
            prefix_class: hysteresis.settle(
                world.membership.get(prefix_class, hysteresis.Membership()),
                causes.worst(slots.asked(world, prefix_class, now)),
                world.config.hold_down,
                now,
            )
            for prefix_class in model.PrefixClass
        },
    )


def _node_in_force(world: World, now: float) -> World:
    if world.node_seen is None or world.succession is None:
        return world
    node = succession.in_force(world.node_seen, world.succession, now)
    is_over = node is world.node_seen
    return dataclasses.replace(world, node=node, succession=None if is_over else world.succession)


def _apply(  # noqa: C901 - flat: one case for one kind of event
    world: World, event: events.Event, now: float
) -> World:
    match event:
        case events.Tick():
            return world
        case events.ConfigLoaded() | events.ConfigRefused():
            return _settings(world, event)
        case (
            events.NodeSeen()
            | events.NodeGone()
            | events.KubeContact()
            | events.KubeLost()
            | events.ServiceCidrsSeen()
            | events.Remembered()
        ):
            return _kubernetes(world, event, now)
        case events.BudgetSeen():
            return dataclasses.replace(world, budget=slots.seen(world, event.count))
        case events.BudgetLost():
            return dataclasses.replace(world, budget=slots.lost(world, event.problem))
        case events.HostSeen() | events.HostLost() | events.UseRecalled():
            return _here(world, event)
        case events.CheckOutcome() | events.CheckMissed():
            return _check(world, event, now)
        case events.DrainAsked() | events.UndrainAsked():
            return _drain(world, event, now)
        case events.DaemonReloaded():
            resets = changeover.reset(world, event.neighbors, now)
            world = dataclasses.replace(
                world, neighbors=event.neighbors, daemon_problem="", resets=resets
            )
            return reloading(world, now)
        case events.DaemonRefused():
            return dataclasses.replace(world, daemon_problem=event.problem)
        case events.CommandDone() | events.CommandFailed():
            return _answer(world, event, now)
        case _:
            return sessions.observe(world, event, now)


def _settings(world: World, event: events.ConfigLoaded | events.ConfigRefused) -> World:
    match event:
        case events.ConfigLoaded():
            known = {check.name for check in event.config.checks}
            return dataclasses.replace(
                world,
                config=event.config,
                passwords=event.passwords,
                config_problems=(),
                checks={name: state for name, state in world.checks.items() if name in known},
                refusals={},
            )
        case events.ConfigRefused():
            return dataclasses.replace(world, config_problems=event.problems)
        case _:
            assert_never(event)


def _here(world: World, event: events.HostSeen | events.HostLost | events.UseRecalled) -> World:
    match event:
        case events.HostSeen():
            # A peer without a route keeps its source: its session is down anyway.
            sources = {**world.host.sources, **event.sources}
            host = dataclasses.replace(event, sources=sources)
            return dataclasses.replace(world, host=host, host_problem="")
        case events.HostLost():
            return dataclasses.replace(world, host_problem=event.problem)
        case events.UseRecalled():
            return dataclasses.replace(world, in_use=event.in_use)
        case _:
            assert_never(event)


_Kubernetes = (
    events.NodeSeen
    | events.NodeGone
    | events.KubeContact
    | events.KubeLost
    | events.ServiceCidrsSeen
    | events.Remembered
)


def _kubernetes(world: World, event: _Kubernetes, now: float) -> World:
    if isinstance(event, events.KubeLost):
        since = now if world.kube_lost is None and not event.is_ours else world.kube_lost
        return dataclasses.replace(world, kube_problem=event.problem, kube_lost=since)
    if isinstance(event, events.Remembered):
        return _remembered(world, event)
    world = dataclasses.replace(world, kube_contact=now, kube_problem="", kube_lost=None)
    match event:
        case events.NodeSeen():
            return _seen(world, event.node, now)
        case events.NodeGone():
            return dataclasses.replace(world, is_node_gone=True)
        case events.ServiceCidrsSeen():
            # Every cluster has one. An empty list is of an API server that is new, or wrong.
            cidrs = event.cidrs or world.service_cidrs or ()
            return dataclasses.replace(
                world, service_cidrs=cidrs, is_service_cidr_missing=cidrs != event.cidrs
            )
        case events.KubeContact():
            return world
        case _:
            assert_never(event)


def _seen(world: World, node: model.NodeFacts, now: float) -> World:
    return dataclasses.replace(
        world,
        node=keeping.with_pod_cidrs(node, world.in_use),
        node_seen=node,
        succession=succession.begin(world.node, node, now) or world.succession,
        is_node_remembered=False,
        is_node_gone=False,
    )


def _remembered(world: World, event: events.Remembered) -> World:
    """Take an earlier process's word for what this one has not heard."""
    if world.node is not None or world.is_node_gone:
        return world
    return dataclasses.replace(
        world,
        node=event.node,
        node_seen=event.node,
        is_node_remembered=True,
        service_cidrs=event.service_cidrs if world.service_cidrs is None else world.service_cidrs,
    )


def _check(world: World, event: events.CheckOutcome | events.CheckMissed, now: float) -> World:
    settings = _check_settings(world, event.name)
    if settings is None:
        return world
    before = world.checks.get(event.name, CheckState(since=now))
    if isinstance(event, events.CheckMissed):
        # What the check said before stands.
        state = dataclasses.replace(before, missed=event.why)
    else:
        state = _counted(before, event, settings, now)
    return dataclasses.replace(world, checks={**world.checks, event.name: state})


def _counted(
    before: CheckState, event: events.CheckOutcome, settings: config.Check, now: float
) -> CheckState:
    after = hysteresis.step(before.hysteresis, event.is_ok, rise=settings.rise, fall=settings.fall)
    is_same = after.health is before.hysteresis.health
    return CheckState(
        hysteresis=after,
        since=before.since if is_same else now,
        last=event,
        last_at=now,
        failures=before.failures + (not event.is_ok),
    )


def _check_settings(world: World, name: str) -> config.Check | None:
    """Return a check's settings; None for the last outcome of a check just removed."""
    checks = world.config.checks if world.config else ()
    return next((check for check in checks if check.name == name), None)


def _drain(world: World, event: events.DrainAsked | events.UndrainAsked, now: float) -> World:
    match event:
        case events.DrainAsked():
            world = _stop(world, event) if event.is_stopping else _drained(world, is_asked=True)
            return advance(world, lifecycle.Trigger.DRAIN_ASKED, now)
        case events.UndrainAsked():
            if is_stopping(world):
                return world
            world = _drained(world, is_asked=False)
            return advance(world, lifecycle.Trigger.UNDRAIN_ASKED, now)
        case _:
            assert_never(event)


def _drained(world: World, *, is_asked: bool) -> World:
    return dataclasses.replace(world, is_drain_asked=is_asked)


def _stop(world: World, event: events.DrainAsked) -> World:
    asked = lifecycle.Stop.ROLLOUT if event.is_rollout else lifecycle.Stop.DRAIN
    return dataclasses.replace(world, stop=lifecycle.further(world.stop, asked))


def advance(world: World, trigger: lifecycle.Trigger, now: float) -> World:
    """Move the agent's own life by the table."""
    phase = lifecycle.advance(world.phase, trigger)
    if phase is world.phase:
        return world
    return dataclasses.replace(world, phase=phase, phase_since=now)


def _answer(world: World, event: events.CommandDone | events.CommandFailed, now: float) -> World:
    match event:
        case events.CommandDone():
            return ribs.done(world, event.command, now)
        case events.CommandFailed():
            return ribs.failed(world, event.command, event.problem, now)
        case _:
            assert_never(event)
