"""What an event changes in what we know. Nothing is judged or decided here.

``observe`` is total: any event is accepted in any world, because events come from outside and
in the order in which the outside produced them.
"""

from __future__ import annotations

import dataclasses
from typing import assert_never

from exabgp_k8s.core.facts import bfd, events, reload
from exabgp_k8s.core.facts import pod_ranges as facts
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.observe import (
    checks,
    drains,
    kubernetes,
    leases,
    pod_ranges,
    reloads,
    ribs,
    sessions,
)


def observe(  # noqa: C901 - flat: one case for one kind of event
    world: World, event: events.Event, now: float
) -> World:
    """Return the world after an event."""
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
            return kubernetes.observe(world, event, now)
        case facts.RangesSeen() | facts.RangesLost() | facts.PodsSeen():
            return pod_ranges.observe(world, event)
        case events.BudgetSeen() | events.BudgetLost():
            return leases.observe(world, event)
        case events.HostSeen() | events.HostLost() | events.UseRecalled() | bfd.Seen():
            return _here(world, event)
        case events.CheckOutcome() | events.CheckMissed():
            return checks.observe(world, event, now)
        case events.DrainAsked() | events.UndrainAsked():
            return drains.observe(world, event, now)
        case reload.Asked() | reload.Taken() | reload.Refused():
            return reloads.observe(world, event, now)
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


def _here(
    world: World, event: events.HostSeen | events.HostLost | events.UseRecalled | bfd.Seen
) -> World:
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
        case bfd.Seen():
            return dataclasses.replace(world, bfd=event)
        case _:
            assert_never(event)


def _answer(world: World, event: events.CommandDone | events.CommandFailed, now: float) -> World:
    match event:
        case events.CommandDone():
            return ribs.done(world, event.command, now)
        case events.CommandFailed():
            return ribs.failed(world, event.command, event.problem, now)
        case _:
            assert_never(event)
