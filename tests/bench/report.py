"""Rows: what was measured, what it may be, and whether it is; printed or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.bench.rounds import Rounds
from tests.bench.samples import Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The most that ours may be of the floor; None: for information."""

    median: float
    """Of its median."""
    p99: float | None = None
    """Of its median: what a garbage collection or a lost race may cost."""
    p99_of_p99: float | None = None


CORDON = Budget(median=1.3, p99=4)
CHECK = Budget(median=1.7, p99_of_p99=1.5)
"""No watch is part of its floor, and a floor of 2 ms has a p99 that is many times its median."""
LEFT = 1.3
"""Of the median with all routers up: as fast, within the noise."""


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
    """Return ours as multiples of the floors."""
    back = Series.sum("floor: watch and ExaBGP, back", rounds.watch, rounds.announce)
    return [
        _quiet(rounds.floor),
        *_against(rounds.cordon_first, rounds.floor, CORDON),
        *_against(rounds.cordon_all, rounds.floor_all, CORDON),
        *_against(rounds.exclude, rounds.floor, CORDON),
        Row(
            name=f"{rounds.cordon_left.name}: median / with all up",
            value=rounds.cordon_left.median / rounds.cordon_all.median,
            unit="x",
            budget=LEFT,
        ),
        *_against(rounds.check_first, rounds.withdraw, CHECK),
        *_against(rounds.check_all, rounds.withdraw_all, CHECK),
        # The hold-down is part of the way back, so there is no budget.
        Row(
            name=f"{rounds.uncordon_first.name}: median / floor's median",
            value=rounds.uncordon_first.median / back.median,
            unit="x",
        ),
    ]


def _quiet(floor: Series) -> Row:
    """Say how noisy the machine was: no program's p99 is better than that of its floor."""
    return Row(
        name=f"{floor.name}: its own p99 / median", value=floor.p99 / floor.median, unit="x"
    )


def _against(ours: Series, floor: Series, budget: Budget) -> Iterator[Row]:
    for what, value, most in (
        ("median / floor's median", ours.median / floor.median, budget.median),
        ("p99 / floor's median", ours.p99 / floor.median, budget.p99),
        ("p99 / floor's p99", ours.p99 / floor.p99, budget.p99_of_p99),
    ):
        yield Row(name=f"{ours.name}: {what}", value=value, unit="x", budget=most)


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
    over = [row.name for row in rows if row.verdict == "over"]
    lines += ["", "Over budget:" if over else "Everything is within its budget."]
    lines += [f"  {name}" for name in over]
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
