"""Three dampers between what is measured and what the routers hear.

Every withdrawal and every return rehashes the routers' ECMP group, and connections may move to
another node by it. A probe that fails once is noise, so a check changes its health only after
``rise`` successes or ``fall`` failures in a row. A node that keeps going in and out is worse than
one that is out, so a prefix class worsens at once but gets better only after a hold-down, which
doubles while the class keeps leaving. And a settings file or a label of the node that keeps
changing must not make ExaBGP read its configuration all the time, which costs the peers that come
and go their sessions, so only a few changes are taken at once.

Times are seconds on the monotonic clock whose reading is passed as ``now``.
"""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass

from exabgp_k8s.core.facts import config, model

LEAVES_KEPT = 32
"""Bounds the memory of a membership; 29 doublings reach any maximum one would write."""

LEAVES_FREE = 3
"""A node may be rebooted, and rebooted again, before it counts as flapping."""

CHANGES_AT_ONCE = 3
CHANGES_WINDOW = 10.0
"""Seconds in which so many changes are taken and no more: 18 a minute, the last one always."""


class Health(enum.StrEnum):
    """What a check's outcomes so far say."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hysteresis:
    """The health of one check, and how near it is to a change."""

    health: Health = Health.UNKNOWN
    streak: int = 0
    """Outcomes in a row that speak against ``health``: successes above 0, failures below."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What is in force for one prefix class, and what its past makes of its return."""

    action: model.Action = model.Action.KEEP
    leaves: tuple[float, ...] = ()
    """When the class got worse after it had been better, oldest first; at most ``LEAVES_KEPT``."""
    is_partly_back: bool = False
    """It got better, though not as good as KEEP: to get worse now is one more leave."""
    until: float | None = None
    """The hold-down ends then; None: nothing better is waited for."""


def settle(
    membership: Membership, wanted: model.Action, hold: config.HoldDown, now: float
) -> Membership:
    """Return the membership after ``wanted`` was asked for at ``now``.

    Worse takes effect at once. Better takes effect when something better than the action in
    force has been wanted without a break until the hold-down is over; ``until`` of the result is
    the deadline at which to ask again.
    """
    leaves = tuple(leave for leave in membership.leaves if now - leave <= hold.window)
    action, until = membership.action, membership.until
    if model.SEVERITY[wanted] > model.SEVERITY[action]:
        if action is model.Action.KEEP or membership.is_partly_back:
            leaves = (*leaves, now)[-LEAVES_KEPT:]
        return Membership(action=wanted, leaves=leaves)
    if wanted is action:
        return dataclasses.replace(membership, leaves=leaves, until=None)
    if until is None:
        until = now + _delay(len(leaves), hold)
    if now >= until:
        is_partly_back = wanted is not model.Action.KEEP
        return Membership(action=wanted, leaves=leaves, is_partly_back=is_partly_back)
    return dataclasses.replace(membership, leaves=leaves, until=until)


def _delay(leaves: int, hold: config.HoldDown) -> float:
    """Return the hold-down in seconds after so many leaves within the window."""
    doublings = max(leaves - LEAVES_FREE, 0)
    return float(min(hold.initial * 2**doublings, hold.maximum))


def pause(taken: tuple[float, ...], now: float) -> float:
    """Return for how many seconds one more change has to wait.

    Args:
        taken: when the latest changes were taken, as ``noted`` keeps it.
        now: the present time.
    """
    if len(taken) < CHANGES_AT_ONCE:
        return 0
    return max(0.0, taken[0] + CHANGES_WINDOW - now)


def noted(taken: tuple[float, ...], now: float) -> tuple[float, ...]:
    """Return when the latest changes were taken, with one more now."""
    return (*taken, now)[-CHANGES_AT_ONCE:]
