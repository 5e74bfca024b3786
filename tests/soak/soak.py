"""The run: fault after fault, and after each one the routers' tables against the model's.

    seed ──> random faults ──> bed ──> routers' kernels ─┐
                         └───> model ──> what they must be ┴─> equal, or the run ends

Everything is drawn from the seed and the model, nothing from time: the same seed makes the same
faults in the same order.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Collection

from tests.fabric import addresses, cluster, fib, traffic, waiting
from tests.soak import faults, invariants, model

SETTLED = 180.0
"""Seconds until the routers must agree with the model: a session that fell often waits 128."""
DWELL = 1.0
"""Seconds in which what must not move has the time to move."""
REPAIRS = 0.5
"""How often a fault takes an earlier one back, where there is one."""
AT_ONCE = (1, 1, 1, 2, 2, 3)
"""How many faults a step has."""


class Soak:
    """One run over one cluster that is up.

    Args:
        bed: the cluster.
        seed: what all choices follow from.
        say: is given each line of the journal.
    """

    def __init__(self, bed: cluster.Cluster, seed: int, say: Callable[[str], None]) -> None:
        self._bed, self._say = bed, say
        self._random = random.Random(seed)
        self._model = model.Model(
            nodes={node.name: model.NodeState() for node in bed.fabric.nodes},
            routers={router.number: True for router in bed.fabric.routers},
            peers=frozenset(router.number for router in bed.fabric.routers),
        )
        self.steps = 0

    def step(self) -> None:
        """Do some faults at once and check what the routers make of them.

        Raises:
            AssertionError: a router's table is not what it must be, or was not in between.
        """
        self.steps += 1
        began = time.monotonic()
        chosen = self._choose()
        loud = {fault.target for fault in chosen if not fault.is_silent}
        named = loud.union(*(fault.also for fault in chosen))
        watched = [router for router in self._bed.fabric.routers
                   if self._model.routers[router.number] and f"r{router.number}" not in named
                   and router.number in self._model.peers
        ]  # fmt: skip
        services, pods = self._model.services - named, self._model.pods - named
        self._say(
            f"{self.steps:4} " + ", ".join(f"{each.name} ({each.target})" for each in chosen)
        )
        with contextlib.ExitStack() as stack:
            watches = [stack.enter_context(fib.Watch(router)) for router in watched]
            for fault in chosen:
                fault.do()
                fault.note()
            self._settle()
            self._dwell()
        self._check(watches, services & self._model.services, pods & self._model.pods)
        self._say(f"     ok after {time.monotonic() - began:.1f} s; services "
                  f"{_names(self._model.services)}, pods {_names(self._model.pods)}")  # fmt: skip

    def _choose(self) -> list[faults.Fault]:
        """Return faults that do not meet at one target."""
        chosen: list[faults.Fault] = []
        for _ in range(self._random.choice(AT_ONCE)):
            free = [
                fault
                for fault in faults.possible(self._bed, self._model, self.steps)
                if not any(fault.touches & each.touches for each in chosen)
            ]
            # Otherwise nothing is left after a while that could fail.
            repairs = [fault for fault in free if fault.is_repair]
            if repairs and self._random.random() < REPAIRS:
                free = repairs
            target = self._random.choice(sorted({fault.target for fault in free}))
            chosen.append(self._random.choice([fault for fault in free if fault.target == target]))
        return chosen

    def _settle(self) -> None:
        for router in self._bed.fabric.routers:
            if self._model.routers[router.number]:
                is_peer = router.number in self._model.peers
                waiting.until_equal(
                    self._bed.wanted(*((self._model.services, self._model.pods)
                                       if is_peer else ((), ()))),
                    lambda: self._bed.routes(router),  # noqa: B023 - called before the next one
                    f"the routes of {router.kind}",
                    limit=SETTLED,
                    interval=0.1,
                )  # fmt: skip

    def _dwell(self) -> None:
        """Stay for a while, with clients where both ways lead to a node: nothing changes now."""
        is_whole = all(self._model.routers.values()) and self._model.peers == set(
            self._model.routers
        )
        if not is_whole or not self._model.services:
            time.sleep(DWELL)
        else:
            client = self._bed.fabric.client
            with traffic.Traffic(client, addresses.WEB, 80, rate=50) as flow:
                time.sleep(DWELL)
            assert flow.report.failed == (), flow.report
        self._settle()

    def _check(
        self, watches: list[fib.Watch], services: Collection[str], pods: Collection[str]
    ) -> None:
        node = self._bed.fabric.node
        for watch in watches:
            broken = list(
                invariants.violations(
                    watch.messages,
                    pods=[node(name) for name in pods],
                    services=[node(name) for name in services],
                )
            )
            assert not broken, f"taken away without a cause: {broken}"


def _names(found: Collection[str]) -> str:
    return " ".join(sorted(found)) or "-"
