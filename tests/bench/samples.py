"""Samples and what is said of them; nothing is thrown away, outliers are what a p99 is for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the smallest sample that at least this share of all do not exceed."""
    return sorted(samples)[max(math.ceil(share * len(samples)) - 1, 0)]


@dataclass(slots=True, kw_only=True)
class Series:
    """One thing measured many times, in milliseconds."""

    name: str
    values: list[float] = field(default_factory=list)

    @classmethod
    def sum(cls, name: str, *parts: Series) -> Series:
        """Return a series whose samples are the sums of those taken in the same round."""
        rounds = zip(*(part.values for part in parts), strict=True)
        return cls(name=name, values=[sum(values) for values in rounds])

    def add(self, began: int, ended: int) -> None:
        """Add the time between two readings of the clock in nanoseconds."""
        self.values.append((ended - began) / 1e6)

    @property
    def median(self) -> float:
        """The value in the middle."""
        return percentile(self.values, 0.5)

    @property
    def p95(self) -> float:
        """What 19 of 20 stay within."""
        return percentile(self.values, 0.95)

    @property
    def p99(self) -> float:
        """What 99 of 100 stay within."""
        return percentile(self.values, 0.99)
