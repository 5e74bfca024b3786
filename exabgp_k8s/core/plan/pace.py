"""How often changes of the settings are taken.

A settings file or a label of the node that keeps changing must not make ExaBGP read its
configuration all the time, which costs the peers that come and go their sessions. So only a few
changes are taken at once, and the last one always.
"""

from __future__ import annotations

CHANGES_AT_ONCE = 3
CHANGES_WINDOW = 10.0
"""Seconds in which so many changes are taken and no more: 18 a minute, the last one always."""


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
