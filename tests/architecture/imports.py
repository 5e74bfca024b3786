"""What imports what in the package, read from the import statements themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import exabgp_k8s

PACKAGE = Path(exabgp_k8s.__file__).parent
"""Where it is installed: the tests also run without the source tree beside them."""

Graph = Mapping[str, frozenset[str]]
"""Names, each with those that it imports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One file of the package."""

    name: str
    """With dots; that of a package is the one of its folder."""
    path: Path

    @property
    def tree(self) -> ast.Module:
        """Its text as Python understands it."""
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @property
    def charter(self) -> str:
        """What it says to be: the first sentence of its docstring, up to the first stop."""
        said = ast.get_docstring(self.tree) or ""
        return said.splitlines()[0] if said else ""


def modules() -> Mapping[str, Module]:
    """Return every module of the package by its name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name=name, path=path)
    return found


def inside(package: str) -> Graph:
    """Return what the parts of a package import of each other.

    Args:
        package: its name; what is directly below it are its parts, each with all that is in it.
    """
    known = modules()
    names = {part for name in known if (part := _part(name, package))}
    return {
        part: frozenset(
            other
            for name, module in known.items()
            if _part(name, package) == part
            for imported in _imported(module, known)
            if (other := _part(imported, package)) and other != part
        )
        for part in sorted(names)
    }


def without_detours(graph: Graph) -> Graph:
    """Leave out each arrow that says only what a longer way says, too."""
    reached = {name: _reached(name, graph) for name in graph}

    def is_short_cut(start: str, end: str) -> bool:
        return any(
            end in reached[between] and between not in reached[end] | {end}
            for between in graph[start]
        )

    return {
        start: frozenset(end for end in ends if not is_short_cut(start, end))
        for start, ends in graph.items()
    }


def from_the_top(graph: Graph) -> list[str]:
    """Return the names, each after all that import it, where imports do not run in a circle."""
    reached = {name: _reached(name, graph) for name in graph}
    return sorted(graph, key=lambda name: (-len(reached[name]), name))


def _part(name: str, package: str) -> str:
    """Return which part of a package a module belongs to; empty: to none."""
    return name.removeprefix(f"{package}.").partition(".")[0] if _is_below(name, package) else ""


def _is_below(name: str, package: str) -> bool:
    return name.startswith(f"{package}.")


def _imported(module: Module, known: Mapping[str, Module]) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            for each in node.names:
                whole = f"{node.module}.{each.name}"
                yield whole if whole in known else str(node.module)


def _reached(name: str, graph: Graph) -> frozenset[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        new = graph[waiting.pop()] - found
        found |= new
        waiting += new
    return frozenset(found)
