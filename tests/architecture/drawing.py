"""The drawings of the imports in ``docs/explanation/how-it-decides.md``.

They are made from the import statements. After a change of one, or of what a package says of
itself:  python -m tests.architecture.drawing
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.architecture import imports, repository

NAME = "docs/explanation/how-it-decides.md"

BEGIN = "<!-- made by python -m tests.architecture.drawing -->\n"
END = "<!-- until here -->\n"

WHOLE = "exabgp_k8s"
CORE = "exabgp_k8s.core"

LEFT_OUT = {"__main__"}
"""It only calls what it imports."""


def render() -> str:
    """Return the page with the drawings as they are to be."""
    before, rest = repository.read(NAME).split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{''.join(_drawings())}{END}{after}"


def _drawings() -> Iterator[str]:
    yield "An arrow is an import; one that a longer way says, too, is left out.\n\n"
    yield from _drawing(WHOLE)
    yield "\nInside the core:\n\n"
    yield from _drawing(CORE)
    yield "\n"


def _drawing(package: str) -> Iterator[str]:
    known = imports.modules()
    graph = imports.without_detours(imports.inside(package))
    shown = [name for name in imports.from_the_top(graph) if name not in LEFT_OUT]
    yield "```mermaid\nflowchart TD\n"
    for name in shown:
        yield f'    {name}["<b>{name}</b><br/>{_charter(known[f"{package}.{name}"])}"]\n'
    for name in shown:
        for other in sorted(graph[name]):
            yield f"    {name} --> {other}\n"
    yield "```\n"


def _charter(module: imports.Module) -> str:
    return re.split(r"[:.,;]", module.charter)[0]


if __name__ == "__main__":
    page = render()
    (repository.ROOT / NAME).write_text(page, encoding="utf-8")
