"""A health check as it stands: its verdict, how near that is to a change, and its last outcome."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from exabgp_k8s.core.facts import events


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckState:
    """One health check, its hysteresis and its last outcome."""

    hysteresis: Hysteresis = Hysteresis()
    since: float = 0
    """When ``hysteresis.health`` last changed."""
    last: events.CheckOutcome | None = None
    last_at: float = 0
    failing_since: float | None = None
    """When the first of the failed runs in a row began; None: the last one succeeded."""
    failures: int = 0
    """Failed runs since the agent started."""
    missed: str = ""
    """Why the latest run says nothing about the node; empty: it does."""

    @property
    def latest(self) -> tuple[str | None, str]:
        """How the latest run ended, and what it saw."""
        if self.missed:
            return "not counted", self.missed
        if self.last is None:
            return None, ""
        return ("ok" if self.last.is_ok else "failed"), self.last.message
