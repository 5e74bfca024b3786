"""What is known of a node does not grow with its past, however restless that is."""

from __future__ import annotations

import pickle

from exabgp_k8s.core.facts import events
from exabgp_k8s.core.report import notices
from exabgp_k8s.core.report.told import Told
from tests.support import builders
from tests.support.life import Life

WINDOW, WINDOWS = 750.0, 4
"""Seconds of virtual time; longer than any window in which something is remembered."""


def _size(life: Life, told: Told) -> int:
    return len(pickle.dumps((life.world, told)))


def test_a_flapping_peer_and_a_flapping_check_leave_nothing_behind() -> None:
    """Once every window of time is full nothing grows any more."""
    life = Life(builders.a_config(checks=(builders.a_check(fall=1, rise=1),)))
    told = Told()
    sizes = []
    for _ in range(WINDOWS):
        for number in range(int(WINDOW / 30)):
            life.happen(
                builders.outcome(is_ok=number % 2 == 0),
                events.SessionChanged(
                    peer=builders.TOR_A, state="down", problem=f"closed, attempt {number}"
                ),
            )
            told, _ = notices.tell(told, life.turn)
            life.wait(15)
            life.happen(
                events.CheckMissed(name="kube-proxy", why=f"not run: {number}"),
                events.SessionChanged(peer=builders.TOR_A, state="up", local=builders.NODE_IP),
            )
            told, _ = notices.tell(told, life.turn)
            life.wait(15)
        life.heard.clear()
        sizes.append(_size(life, told))
    first, *later = sizes
    assert max(later) < first * 1.1, sizes
