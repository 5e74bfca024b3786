"""One node on one page, for whoever has no client at all: ``curl NODE:9179``, or a browser.

Made of the rows that the command line shows, by the same words. Each section is a table, names
with values, or sentences, and both forms are written from that: as text that fits 80 columns, and
as HTML that loads nothing, runs nothing and escapes everything. How much is shown has an end: the
agent that answers has routers to talk to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exabgp_k8s.core.facts import printable
from exabgp_k8s.shown import history, layout, markup, status, tables, why
from exabgp_k8s.shown.layout import Table

WIDTH = 80
SHOWN = 50
"""Rows, lines or sentences of a section."""

Pairs = Sequence[tuple[str, str]]
Part = Table | Pairs | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One heading and what stands below it."""

    heading: str
    part: Part
    json: str
    """The path of the same as JSON, and of the rest."""
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What there is to be shown: rows, as the command line has them."""

    version: str
    moment: str
    status: Mapping[str, Any]
    sessions: Sequence[Any]
    why: Sequence[Any]
    checks: Sequence[Any]
    history: Sequence[Any] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A node, without a form yet."""

    title: str
    stamp: str
    sections: tuple[Section, ...]


def of(facts: Facts) -> Page:
    """Return the page of a node."""
    sentences = [each for row in facts.why[: SHOWN + 1] for each in why.sentences(row)]
    found = [
        _section("Status", list(status.lines(facts.status)), "/v1/status"),
        _section("Sessions", tables.sessions(facts.sessions[: SHOWN + 1]), "/v1/sessions"),
        _section("Prefixes and reasons", tuple(sentences), "/v1/why"),
    ]
    if facts.checks:
        checks = tables.checks(facts.checks[: SHOWN + 1])
        found.append(_section("Health checks", checks, "/v1/checks"))
    if facts.history:
        past = history.table(facts.history)
        found.append(_section("Latest decisions", past, "/v1/history"))
    node = printable.one_line(str(facts.status["node"] or "this node"), 80)
    return Page(
        title=f"BGP of the node {node}",
        stamp=f"exabgp-k8s {facts.version}, {facts.moment}",
        sections=tuple(found),
    )


def _section(heading: str, part: Part, path: str) -> Section:
    size = len(part.rows) if isinstance(part, Table) else len(part)
    kept = Table(part.headings, part.rows[:SHOWN]) if isinstance(part, Table) else part[:SHOWN]
    return Section(heading=heading, part=kept, json=path, left_out=max(0, size - SHOWN))


PATHS = (
    "/v1/status", "/v1/sessions", "/v1/session?name=PEER", "/v1/routes", "/v1/why", "/v1/checks",
    "/v1/history", "/metrics",
)  # fmt: skip
MORE = "The same as JSON, and more:"
LEFT_OUT = "There is more; all of it:"


def text(page: Page) -> str:
    """Return a page for ``curl``."""
    parts = [f"{page.title}\n{page.stamp}"]
    for each in page.sections:
        more = f"\n{LEFT_OUT} {each.json}" if each.left_out else ""
        parts.append(f"{each.heading}\n{'-' * len(each.heading)}\n{_text(each.part)}{more}")
    parts.append("\n".join(layout.hanging("", f"{MORE} {' '.join(PATHS)}", 2, WIDTH)))
    # Strangers' words stand in it, and curl writes to a terminal.
    return printable.lines("\n\n".join(parts)) + "\n"


def _text(part: Part) -> str:
    match part:
        case Table():
            return layout.table(part, WIDTH) if part.rows else "none"
        case tuple():
            lines = (line for each in part for line in layout.hanging("", each, 2, WIDTH))
            return "\n".join(lines) or "none"
        case _:
            return layout.fields(part, WIDTH)


def html(page: Page) -> str:
    """Return a page for a browser."""
    return markup.document(page.title, _markup(page))


def _markup(page: Page) -> Iterator[str]:
    yield f"<h1>{markup.escaped(page.title)}</h1>"
    yield f"<p>{markup.escaped(page.stamp)}</p>"
    for number, each in enumerate(page.sections):
        yield f'<h2 id="s{number}">{markup.escaped(each.heading)}</h2>'
        yield from _part(each.part, f"s{number}")
        if each.left_out:
            yield f"<p>{LEFT_OUT} {markup.link(each.json)}</p>"
    yield f"<p>{MORE}</p>"
    # Whose session is asked for is written by hand: that is no link.
    yield from markup.items(
        markup.escaped(path) if "?" in path else markup.link(path) for path in PATHS
    )


def _part(part: Part, name: str) -> Iterable[str]:
    match part:
        case Table():
            cells = [[layout.cell_text(cell) for cell in row] for row in part.rows]
            return markup.table(part.headings, cells, name) if cells else ["<p>none</p>"]
        case tuple():
            return markup.items(markup.escaped(each) for each in part) if part else ["<p>none</p>"]
        case _:
            return markup.definitions(part)
