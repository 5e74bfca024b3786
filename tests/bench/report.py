"""Rows: what was measured, what it may be, and whether it is; printed or as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.bench.rounds import Rounds
from tests.bench.samples import Series

MEDIAN_BUDGET = 2.0
"""Times the floor: half of the way is ours at most."""
P99_BUDGET = 5.0
"""Times the floor's median: what a garbage collection or a lost race may cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure and its budget."""

    name: str
    value: float
    unit: str
    budget: float | None = None
    """The most it may be; None: for information."""

    @property
    def verdict(self) -> str:
        """Within, over, or nothing where there is no budget."""
        if self.budget is None:
            return ""
        return "within" if self.value <= self.budget else "over"


def ratios(rounds: Rounds) -> list[Row]:
    """Return ours as multiples of the floors' medians."""
    reaction = rounds.watch.median + rounds.withdraw.median
    reaction_all = rounds.watch.median + rounds.withdraw_all.median
    return_ = rounds.watch.median + rounds.announce.median
    return [
        *_ratio(rounds.cordon_first, reaction),
        *_ratio(rounds.cordon_all, reaction_all),
        *_ratio(rounds.check_first, rounds.withdraw.median),
        *_ratio(rounds.check_all, rounds.withdraw_all.median),
        # The hold-down is part of it, so there is no budget.
        *_ratio(rounds.uncordon_first, return_, has_budget=False),
    ]


def _ratio(series: Series, floor: float, *, has_budget: bool = True) -> Iterable[Row]:
    for what, value, budget in (
        ("median", series.median, MEDIAN_BUDGET),
        ("p99", series.p99, P99_BUDGET),
    ):
        yield Row(
            name=f"{series.name}: {what} / floor's median",
            value=value / floor,
            unit="x",
            budget=budget if has_budget else None,
        )


def text(series: Sequence[Series], rows: Sequence[Row]) -> str:
    """Return the tables for a terminal."""
    names = [*(each.name for each in series), *(row.name for row in rows)]
    width = max(map(len, names))
    lines = [f"{'milliseconds':{width}}      n    min median    p95    p99    max"]
    lines += [
        f"{each.name:{width}} {len(each.values):6} {min(each.values):6.2f} {each.median:6.2f}"
        f" {each.p95:6.2f} {each.p99:6.2f} {max(each.values):6.2f}"
        for each in series
    ]
    lines += ["", f"{'':{width}}    value       budget"]
    for row in rows:
        budget = "" if row.budget is None else f"<= {row.budget:g}"
        line = f"{row.name:{width}} {row.value:8.2f} {row.unit:3} {budget:>8} {row.verdict}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def document(series: Sequence[Series], rows: Sequence[Row]) -> dict[str, object]:
    """Return everything, each sample included, for JSON."""
    return {
        "milliseconds": {
            each.name: {
                "median": each.median,
                "p95": each.p95,
                "p99": each.p99,
                "samples": each.values,
            }
            for each in series
        },
        "rows": [
            {
                "name": row.name,
                "value": row.value,
                "unit": row.unit,
                "budget": row.budget,
                "verdict": row.verdict,
            }
            for row in rows
        ],
    }
