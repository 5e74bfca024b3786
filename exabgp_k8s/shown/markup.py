"""The little HTML that the page of a node needs, and the policy that a browser holds it to.

A template engine is megabytes in the pod of each node, for one page that nobody designs. Whatever
is a value goes through ``escaped``; the tags stand here and nowhere else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence

from exabgp_k8s.core.facts import printable

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;margin:1rem auto;max-width:80rem;padding:0 1rem}"
    "h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem}"
    "div{overflow-x:auto}table{border-collapse:collapse}"
    "th,td{border:1px solid;padding:.2rem .5rem;text-align:left;vertical-align:top}"
    "dt{font-weight:bold}dd{margin:0 0 .3rem 1rem;overflow-wrap:anywhere}"
)
POLICY = (
    f"default-src 'none'; style-src 'sha256-"
    f"{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing is loaded and nothing runs: this style is all there is (CSP Level 3)."""

MEANT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
ESCAPES = str.maketrans(MEANT)
"""Python's ``html`` would bring the names of two thousand characters."""


def escaped(text: str) -> str:
    """Return a value as text that is no markup, and moves nothing."""
    return printable.lines(text).replace("\n", " ").translate(ESCAPES)


def document(title: str, body: Iterable[str]) -> str:
    """Return a whole document."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], name: str) -> Iterator[str]:
    """Yield a table that can be scrolled by keyboard, named by the heading above it."""
    yield f'<div role="region" tabindex="0" aria-labelledby="{name}"><table><thead><tr>'
    yield "".join(f'<th scope="col">{escaped(each)}</th>' for each in headings)
    yield "</tr></thead><tbody>"
    for row in rows:
        first, *others = (escaped(cell) for cell in row)
        cells = "".join(f"<td>{cell}</td>" for cell in others)
        yield f'<tr><th scope="row">{first}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def definitions(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield names and values; a value without a name belongs to the name before."""
    yield "<dl>"
    for name, value in pairs:
        term = f"<dt>{escaped(name)}</dt>" if name else ""
        yield f"{term}<dd>{escaped(value) or '-'}</dd>"
    yield "</dl>"


def items(found: Iterable[str]) -> Iterator[str]:
    """Yield a list of what is markup already."""
    yield "<ul>"
    yield from (f"<li>{each}</li>" for each in found)
    yield "</ul>"


def link(path: str) -> str:
    """Return a link to one of our own paths."""
    return f'<a href="{escaped(path)}">{escaped(path)}</a>'
