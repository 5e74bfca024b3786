"""docs/reference/logs.md names every event that is logged, with its levels, and no other."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import exabgp_k8s
from tests.architecture import repository

PAGE = "docs/reference/logs.md"
PACKAGE = Path(exabgp_k8s.__file__).parent
EVENT = re.compile(r"[a-z-]+\.[a-z_]+")
LEVELS = {"info", "warning", "error", "critical"}
CALLS = {**{level: level for level in LEVELS}, "exception": "error"}
OURS = {"_say", "_write", "lines.render"}
"""What writes lines where there is no logging library: the event, then its level or none."""


def logged() -> Mapping[str, set[str]]:
    """Return every event of the source, with the levels it is logged at."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in set(PACKAGE.rglob("*.py")) - set((PACKAGE / "tryout").rglob("*.py")):
        for event, level in _of(ast.parse(path.read_text(encoding="utf-8"))):
            found[event] |= level
    return found


def _of(tree: ast.Module) -> Iterator[tuple[str, set[str]]]:
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = ast.unparse(call.func).removeprefix("self.").removeprefix("log.")
        words = [str(each.value) for each in call.args if isinstance(each, ast.Constant)]
        event = next((word for word in words if EVENT.fullmatch(word)), None)
        if event is None:
            continue
        if name in CALLS:
            yield event, {CALLS[name]}
        elif name == "_log":
            yield event, {"error"}
        elif name in OURS:
            # Where the level is not written there, the page has what it may be.
            yield event, LEVELS & set(words) if len(call.args) > 1 else {"info"}
        elif isinstance(call.func, ast.Call) and ast.unparse(call.func.func) == "getattr":
            yield event, set()


def documented() -> Mapping[str, set[str]]:
    """Return every event of the page, with the levels it names."""
    return {
        cells[0].strip("`"): LEVELS & set(cells[1].split(", "))
        for cells in repository.tables(PAGE)
        if EVENT.fullmatch(cells[0].strip("`"))
    }


def test_every_event_is_documented_and_no_other() -> None:
    assert set(documented()) == set(logged())


def test_every_level_is_documented() -> None:
    found = documented()

    assert {
        event: levels - found[event] for event, levels in logged().items() if levels - found[event]
    } == {}
