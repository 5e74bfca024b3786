"""Many agents in one process: the real core and the real Lease traffic of each, no ExaBGP."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from exabgp_k8s.adapters.kube import client, leases
from exabgp_k8s.core.facts import config, events, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import slots
from tests.support import builders

NAMESPACE = "exabgp-k8s"
LIMIT = 240.0
"""Seconds; for a machine that is busy, not a promise."""
TICK = 1.0
"""Seconds between two turns at the most, as in the agent's loop."""


class Member:
    """One node's agent."""

    def __init__(self, name: str, kubeconfig: Path, world: World, timings: leases.Timings) -> None:
        node = builders.a_node(name=name, uid=f"uid-{name}")
        self.name = name
        self._lock = threading.Lock()
        self._world = dataclasses.replace(world, node=node, node_seen=node)
        self._leases = leases.Leases(
            # 200 agents and their server in one process on a busy machine: slow is not away.
            client.Client(
                client.Access(kubeconfig=kubeconfig, connect_timeout=LIMIT, answer_timeout=LIMIT)
            ),
            name,
            NAMESPACE,
            deliver=self.happens,
            timings=timings,
        )

    def happens(self, *found: events.Event) -> None:
        """Take a turn over some events, and offer the wish that follows."""
        with self._lock:
            for event in found or (events.Tick(),):
                self._world = builders.after(self._world, event, now=time.monotonic())
            self._leases.offer(slots.wish(self._world))

    def fails(self) -> None:
        """Have the check fail as often as it needs to be down."""
        self.happens(builders.outcome(is_ok=False))
        self.happens(builders.outcome(is_ok=False))

    def recovers(self) -> None:
        """Have the check succeed."""
        self.happens(builders.outcome(is_ok=True))

    def cordons(self, is_cordoned: bool = True) -> None:
        """Have the Node be cordoned, or not any more."""
        node = builders.a_node(
            name=self.name, uid=f"uid-{self.name}", is_unschedulable=is_cordoned
        )
        self.happens(events.NodeSeen(node=node))

    def dies(self) -> None:
        """End as a killed process does: the Lease stays as it is."""
        self._leases.stop()

    @property
    def is_out(self) -> bool:
        """Whether the service range is withdrawn."""
        return self._world.membership[builders.SERVICES].action is model.Action.WITHDRAW

    @property
    def says(self) -> model.Reason | None:
        """Why the node is announced although its check fails."""
        permission = slots.permission(self._world, time.monotonic())
        is_down = bool(self._world.causes) and not self.is_out
        return slots.SPARED.get(permission) if is_down else None


class Fleet:
    """All nodes of a cluster; its agents end with the ``with`` block."""

    def __init__(
        self,
        size: int,
        kubeconfig: Path,
        *,
        budget: config.Budget | None = None,
        timings: leases.Timings | None = None,
    ) -> None:
        settings = builders.a_config(
            checks=(builders.a_check(fall=2, rise=1),),
            budget=budget or config.Budget(),
            hold_down=config.HoldDown(initial=0.1, maximum=0.1),
        )
        world = builders.a_serving_world(
            builders.outcome(is_ok=True), settings=settings, now=time.monotonic()
        )
        durations = timings or leases.Timings()
        self.members = [
            Member(f"n{number}", kubeconfig, world, durations) for number in range(size)
        ]

    def __enter__(self) -> Self:
        self.tick()
        return self

    def __exit__(self, *_: object) -> None:
        for member in self.members:
            member.dies()

    def __iter__(self) -> Iterator[Member]:
        return iter(self.members)

    def tick(self) -> None:
        """Let every agent take a turn."""
        for member in self.members:
            member.happens()

    @property
    def out(self) -> list[Member]:
        """The nodes whose service range is withdrawn."""
        return [member for member in self.members if member.is_out]

    def saying(self, reason: model.Reason) -> list[Member]:
        """Return the nodes that stay announced for this reason."""
        return [member for member in self.members if member.says is reason]

    def until(self, condition: Callable[[], bool], at_most: int | None = None) -> None:
        """Return once a condition holds; meanwhile never more than so many are out."""
        ticked = time.monotonic()
        deadline = ticked + LIMIT
        while not condition():
            assert at_most is None or len(self.out) <= at_most
            assert time.monotonic() < deadline, self._state()
            time.sleep(0.2)
            if time.monotonic() >= ticked + TICK:
                self.tick()
                ticked = time.monotonic()
        assert at_most is None or len(self.out) <= at_most

    def _state(self) -> str:
        words = Counter(member.says for member in self.members)
        return f"{len(self.out)} out, others say {words}"
