"""Prometheus' text format: what a scrape reads, written without the client library.

The library keeps a registry, several formats and a server of its own, which is 2 MiB on every node
for the ten lines of text that are needed of it.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_TOTAL = {"counter": "_total"}
"""What a name ends with, by type."""
_IN_HELP = str.maketrans({"\\": r"\\", "\n": r"\n"})
_IN_LABEL = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One metric with its values so far."""

    name: str
    type: str
    """``gauge``, ``counter``, whose samples end with ``_total``, or ``histogram``."""
    help: str
    labels: Sequence[str]
    samples: list[str] = field(default_factory=list)

    def add(self, values: Iterable[str], number: float) -> None:
        """Add the value for these of the labels, in their order."""
        name = f"{self.name}{_TOTAL.get(self.type, '')}"
        self._note(name, dict(zip(self.labels, values, strict=True)), number)

    def add_timing(
        self, values: Sequence[str], buckets: Sequence[tuple[str, float]], total: float
    ) -> None:
        """Add a histogram: how many were no longer than each limit, and the sum of all."""
        labels = dict(zip(self.labels, values, strict=True))
        for limit, count in buckets:
            self._note(f"{self.name}_bucket", {**labels, "le": limit}, count)
        for last, number in (("count", buckets[-1][1]), ("sum", total)):
            self._note(f"{self.name}_{last}", labels, number)

    def _note(self, name: str, labels: Mapping[str, str], number: float) -> None:
        """Add a line, its labels by their names, as the client library of Prometheus does."""
        names = sorted(labels)
        values = (labels[each] for each in names)
        self.samples.append(sample(name, names, values, float(number)))


def text(families: Iterable[Family]) -> bytes:
    """Return what a scrape is answered."""
    return "".join(f"{line}\n" for each in families for line in _lines(each)).encode()


def _lines(family: Family) -> Iterator[str]:
    name = f"{family.name}{_TOTAL.get(family.type, '')}"
    yield f"# HELP {name} {family.help.translate(_IN_HELP)}"
    yield f"# TYPE {name} {family.type}"
    yield from family.samples


def sample(name: str, labels: Iterable[str], values: Iterable[str], number: float) -> str:
    """Return one line."""
    pairs = zip(labels, values, strict=True)
    written = ",".join(f'{label}="{value.translate(_IN_LABEL)}"' for label, value in pairs)
    return f"{name}{{{written}}} {_number(number)}" if written else f"{name} {_number(number)}"


def _number(number: float) -> str:
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    return "NaN" if math.isnan(number) else repr(number)
