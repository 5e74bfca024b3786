"""Each file has one idea, and each function can be seen whole."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture import imports

LONGEST_FILE = 300
LONGEST_FUNCTION = 40
"""Lines from ``def`` to the end, what is imported, noted and left blank between them included.
Decorators and the docstring do not count: they say what it is, not how."""

MODULES = tuple(imports.modules().values())


def test_every_file_has_one_idea() -> None:
    too_long = {
        module.name: lines
        for module in MODULES
        if (lines := len(module.path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    }

    assert not too_long, (
        f"{too_long}: a file has at most {LONGEST_FILE} lines. Find the second idea in it and "
        "give that a file of its own, named after the idea."
    )


def test_every_function_can_be_seen_whole() -> None:
    too_long = {
        f"{module.name}.{name}": lines
        for module in MODULES
        for name, lines in functions(module)
        if lines > LONGEST_FUNCTION
    }

    assert not too_long, (
        f"{too_long}: a function has at most {LONGEST_FUNCTION} lines without its docstring. Give "
        "a step of it a name and a function of its own, or make data of what it lists."
    )


def functions(module: imports.Module) -> Iterator[tuple[str, int]]:
    """Yield every function with its length."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            is_said = ast.get_docstring(node, clean=False) is not None
            said = (first.end_lineno or 0) - first.lineno + 1 if is_said else 0
            yield node.name, (node.end_lineno or 0) - node.lineno + 1 - said
