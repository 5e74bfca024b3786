"""What a run of a health check changes.

A probe that fails once is noise, so a check changes its health only after ``rise`` successes or
``fall`` failures in a row.
"""

from __future__ import annotations

import dataclasses

from exabgp_k8s.core.facts import config, events
from exabgp_k8s.core.facts.checks import CheckState, Health, Hysteresis
from exabgp_k8s.core.facts.world import World


def observe(world: World, event: events.CheckOutcome | events.CheckMissed, now: float) -> World:
    """Return the world after a run of a check, whatever it came to."""
    settings = _settings(world, event.name)
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
    after = step(before.hysteresis, event.is_ok, rise=settings.rise, fall=settings.fall)
    is_same = after.health is before.hysteresis.health
    since = now - event.duration if before.failing_since is None else before.failing_since
    return CheckState(
        hysteresis=after,
        since=before.since if is_same else now,
        last=event,
        last_at=now,
        failing_since=None if event.is_ok else since,
        failures=before.failures + (not event.is_ok),
    )


def _settings(world: World, name: str) -> config.Check | None:
    """Return a check's settings; None for the last outcome of a check just removed."""
    checks = world.config.checks if world.config else ()
    return next((check for check in checks if check.name == name), None)


def step(state: Hysteresis, is_ok: bool, *, rise: int, fall: int) -> Hysteresis:
    """Return the state after one more outcome.

    ``rise`` successes in a row lead to UP and ``fall`` failures in a row to DOWN, from UNKNOWN
    as well: nothing is taken for healthy that was not seen healthy.
    """
    verdict = Health.UP if is_ok else Health.DOWN
    if state.health is verdict:
        return Hysteresis(health=verdict)
    streak = max(state.streak, 0) + 1 if is_ok else min(state.streak, 0) - 1
    if abs(streak) >= (rise if is_ok else fall):
        return Hysteresis(health=verdict)
    return Hysteresis(health=state.health, streak=streak)
