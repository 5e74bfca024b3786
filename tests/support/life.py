"""A node's life in virtual time: the real core, and an ExaBGP that does what it is told at once.

What the routers hear is written down with its moment, so that a test can count over an hour.
"""

from __future__ import annotations

from dataclasses import dataclass

from exabgp_k8s.core import step
from exabgp_k8s.core.facts import commands, config, events, model
from exabgp_k8s.core.plan.turn import Turn
from tests.support import builders

TICK = 1.0
"""Seconds between two turns at the most, as in the agent's loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One change of a prefix as a router hears it."""

    at: float
    peer: model.Address
    prefix: model.Network
    is_announced: bool


class Life:
    """One node that serves; its sessions stay up."""

    def __init__(
        self, settings: config.Config | None = None, node: model.NodeFacts | None = None
    ) -> None:
        self.now = builders.START
        self.world = builders.a_serving_world(settings=settings, node=node)
        self.heard: list[Heard] = []
        self.turn = self._obey()

    def happen(self, *found: events.Event) -> None:
        """Let something happen now, and ExaBGP do what follows from it."""
        self.world = builders.after(self.world, *found, now=self.now)
        self.turn = self._obey()

    def wait(self, seconds: float) -> None:
        """Let time pass, with a turn at each deadline and at each tick."""
        end = self.now + seconds
        while self.now < end:
            deadline = self.turn.deadline or end
            self.now = min(end, self.now + TICK, max(deadline, self.now + 0.001))
            self.turn = self._obey()

    def routes(self) -> set[model.Network]:
        """Return what the routers have."""
        return {prefix for rib in (self.world.rib or {}).values() for prefix in rib.routes}

    def _obey(self) -> Turn:
        while True:
            turn = step.step(self.world, (events.Tick(),), self.now)
            self.world = turn.world
            if not turn.commands:
                return turn
            command = turn.commands[0]
            self._write_down(command)
            self.world = builders.after(
                self.world, *builders.answers(self.world, command), now=self.now
            )

    def _write_down(self, command: commands.Command) -> None:
        for each in builders.single((command,)):
            if isinstance(each, commands.Announce | commands.Withdraw):
                self.heard.append(
                    Heard(
                        at=self.now,
                        peer=each.route.peer,
                        prefix=each.route.prefix,
                        is_announced=isinstance(each, commands.Announce),
                    )
                )
