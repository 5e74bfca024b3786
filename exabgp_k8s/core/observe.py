"""What an event changes in what we know. Nothing is decided here.

``observe`` is total: any event is accepted in any world, because events come from outside and
in the order in which the outside produced them.
"""

from __future__ import annotations

import dataclasses
from typing import assert_never

from exabgp_k8s.core import (
    causes,
    config,
    events,
    hysteresis,
    lifecycle,
    model,
    ribs,
    sessions,
)
from exabgp_k8s.core.world import CheckState, World


def observe(world: World, event: events.Event, now: float) -> World:
    """Return the world after an event, with its causes and memberships brought up to ``now``."""
    return settle(_apply(world, event, now), now)


def settle(world: World, now: float) -> World:
    """Recompute what follows from the facts and the time alone."""
    standing = {cause: world.causes.get(cause, now) for cause in causes.active(world)}
    world = dataclasses.replace(world, causes=standing)
    if world.config is None:
        return world
    return dataclasses.replace(
        world,
        membership={
            prefix_class: hysteresis.settle(
                world.membership.get(prefix_class, hysteresis.Membership()),
                causes.worst(causes.demands(standing, prefix_class, world.config, now)),
                world.config.hold_down,
                now,
            )
            for prefix_class in model.PrefixClass
        },
    )


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
        ):
            return _kubernetes(world, event, now)
        case events.HostSeen():
            return dataclasses.replace(world, host=event)
        case events.CheckOutcome():
            return _check(world, event, now)
        case events.DrainAsked() | events.UndrainAsked():
            return _drain(world, event, now)
        case events.DaemonReloaded():
            return dataclasses.replace(
                world,
                neighbors=event.neighbors,
                daemon_problem="",
                is_rib_current=False,
                peers_read=None,
                reloaded_at=now,
            )
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


_Kubernetes = (
    events.NodeSeen
    | events.NodeGone
    | events.KubeContact
    | events.KubeLost
    | events.ServiceCidrsSeen
)


def _kubernetes(world: World, event: _Kubernetes, now: float) -> World:
    if isinstance(event, events.KubeLost):
        return dataclasses.replace(world, kube_problem=event.problem)
    world = dataclasses.replace(world, kube_contact=now, kube_problem="")
    match event:
        case events.NodeSeen():
            return dataclasses.replace(world, node=event.node, is_node_gone=False)
        case events.NodeGone():
            return dataclasses.replace(world, is_node_gone=True)
        case events.ServiceCidrsSeen():
            return dataclasses.replace(world, service_cidrs=event.cidrs)
        case events.KubeContact():
            return world
        case _:
            assert_never(event)


def _check(world: World, event: events.CheckOutcome, now: float) -> World:
    settings = _check_settings(world, event.name)
    if settings is None:
        return world
    before = world.checks.get(event.name, CheckState(since=now))
    after = hysteresis.step(before.hysteresis, event.is_ok, rise=settings.rise, fall=settings.fall)
    is_same = after.health is before.hysteresis.health
    state = CheckState(
        hysteresis=after,
        since=before.since if is_same else now,
        last=event,
        last_at=now,
        failures=before.failures + (not event.is_ok),
    )
    return dataclasses.replace(world, checks={**world.checks, event.name: state})


def _check_settings(world: World, name: str) -> config.Check | None:
    """Return a check's settings; None for the last outcome of a check just removed."""
    checks = world.config.checks if world.config else ()
    return next((check for check in checks if check.name == name), None)


def _drain(world: World, event: events.DrainAsked | events.UndrainAsked, now: float) -> World:
    match event:
        case events.DrainAsked():
            world = dataclasses.replace(world, is_stopping=world.is_stopping or event.is_stopping)
            return advance(world, lifecycle.Trigger.DRAIN_ASKED, now)
        case events.UndrainAsked():
            if world.is_stopping:
                return world
            return advance(world, lifecycle.Trigger.UNDRAIN_ASKED, now)
        case _:
            assert_never(event)


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
