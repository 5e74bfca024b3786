"""``docs/reference/faults.md``, made from the marks of the tests that prove its rows.

A row is ``@pytest.mark.fault(area=..., what=..., sees=..., within=...)`` at a test. After a change
of one:  python -m tests.architecture.fault_matrix
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.architecture import repository

NAME = "docs/reference/faults.md"

AREAS = (
    "stop and restart",
    "our processes",
    "settings",
    "control plane",
    "routers",
    "health and flapping",
    "outage budget",
    "two at once",
)
"""The sections of the page, in this order."""

SHOWN_WITH = {
    "fabric": "BIRD and FRR in network namespaces, read from their kernels' tables",
    "functional": "a real ExaBGP and BIRD on loopback",
    "soak": "BIRD and FRR, random faults",
}
"""What the tests of a directory run against; any other: the program's parts without a router."""

HEAD = """\
# Faults

What the routers see of each fault, for how long, and the test that proves it.
This page is made from the tests themselves: `python -m tests.architecture.fault_matrix`.
Each is there to fail when the protection that it is about is taken out; most have been seen to.

A test's directory says what it runs against:

| directory | runs against |
|---|---|
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fault and its proof."""

    area: str
    what: str
    sees: str
    within: str
    test: str


def rows() -> list[Row]:
    """Return every row, in the order of the page."""
    found = [row for path in sorted((repository.ROOT / "tests").rglob("test_*.py"))
             for row in _rows_of(path)]  # fmt: skip
    return sorted(found, key=lambda row: (AREAS.index(row.area), row.what, row.test))


def _rows_of(path: Path) -> Iterator[Row]:
    name = path.relative_to(repository.ROOT)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef):
            continue
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.fault":
                # Literals only, so that the page can be made without running anything.
                given = {str(each.arg): ast.literal_eval(each.value) for each in mark.keywords}
                yield Row(**given, test=f"[{node.name}](../../{name})")


def render() -> str:
    """Return the page."""
    lines = [f"| `tests/{name}` | {what} |\n" for name, what in SHOWN_WITH.items()]
    lines.append("| any other | a part of the program, a model of ExaBGP, an API server |\n")
    found = rows()
    for area in AREAS:
        section = [row for row in found if row.area == area]
        if section:
            lines += _section(area, section)
    return HEAD + "".join(lines)


def _section(area: str, section: list[Row]) -> Iterator[str]:
    yield f"\n## {area.capitalize()}\n\n"
    yield "| fault | what the routers see | how long | test |\n|---|---|---|---|\n"
    for row in section:
        yield f"| {row.what} | {row.sees} | {row.within} | {row.test} |\n"


if __name__ == "__main__":
    (repository.ROOT / NAME).write_text(render(), encoding="utf-8")
