"""The figures as tables, and their place on the page that explains them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tests.longlived import changes, held

BEGIN = "<!-- figures: begin -->"
END = "<!-- figures: end -->"

Row = Sequence[str]

LEAVING: Row = (
    "router", "hashing, setting", "leaves", "its connections", "lost of these when it leaves",
    "lost of the others", "lost of all when it joins", "new ones that it gets then",
)  # fmt: skip
FLAPPING: Row = (
    "router", "hashing, setting", "flaps", "its connections", "lost of these",
    "lost of the others",
)  # fmt: skip


def leaving(router: str, title: str, change: changes.Change) -> Row:
    """Return the row of a node that left and joined."""
    return (
        *(router, title, change.node, str(change.before[change.node])),
        *_lost(change.left, change.node),
        _count(sum(change.joined.reset.values()), sum(change.joined.silent.values())),
        f"{change.afterwards.get(change.node, 0)} of {sum(change.afterwards.values())}",
    )


def flapping(router: str, title: str, flap: changes.Flap) -> Row:
    """Return the row of a node that flapped."""
    return (
        *(router, title, flap.node, str(flap.before[flap.node])),
        *_lost(flap.after, flap.node),
    )


def table(head: Row, rows: Sequence[Row]) -> str:
    """Return a table in Markdown."""
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ["---"] * len(head), *rows))


def filled(text: str, figures: str) -> str:
    """Return a page with these figures between its two marks; ValueError if it has none."""
    between = re.compile(f"(?<={BEGIN}\n).*(?={END})", re.DOTALL)
    if not between.search(text):
        raise ValueError(f"write the lines {BEGIN} and {END} where the figures shall go")
    return between.sub(lambda _: figures, text)


def _lost(verdict: held.Verdict, node: str) -> Iterator[str]:
    """Yield what was lost of a node's connections, and of those of all others."""
    reset, silent = verdict.reset.get(node, 0), verdict.silent.get(node, 0)
    yield _count(reset, silent)
    yield _count(sum(verdict.reset.values()) - reset, sum(verdict.silent.values()) - silent)


def _count(reset: int, silent: int) -> str:
    """Return a cell: connections end by a reset unless it says otherwise."""
    if silent and reset:
        return f"{reset}, {silent} silent"
    return f"{silent} silent" if silent else str(reset)
