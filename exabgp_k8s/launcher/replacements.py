"""All that is replaced, in the order in which it is installed."""

from __future__ import annotations

from exabgp_k8s.launcher import (
    answers,
    candidates,
    clock,
    closing,
    confirmation,
    descriptors,
    ends,
    external,
    families,
    headers,
    headstart,
    idle,
    logs,
    markers,
    nexthops,
    openings,
    redial,
    refreshes,
    reloads,
    scopes,
    sharing,
    steps,
    timers,
    unused,
    updates,
)

ALL = (
    # First: nothing of ExaBGP may have kept the other clock, or be loaded already.
    clock,
    unused,
    logs,
    headstart,
    ends,
    redial,
    timers,
    closing,
    reloads,
    candidates,
    descriptors,
    # After it: both are about the same wait.
    idle,
    steps,
    sharing,
    # It is told what leaves, so before the one that decides what leaves.
    answers,
    markers,
    refreshes,
    updates,
    families,
    external,
    # After it: it adds to what that one shows.
    openings,
    scopes,
    nexthops,
    confirmation,
    headers,
)


def install() -> None:
    """Replace everything in this process, into which ExaBGP is not imported yet."""
    for each in ALL:
        each.install()
