"""Templates: text into HTML, and nothing that came from outside as anything but text.

A router's shutdown message, a label, a refused line of the settings: whatever is put into a page
is escaped for HTML by the environment itself, in every template, and first made printable and
short. A template that asks for a value which does not exist is a fault of ours and raises.
"""

from __future__ import annotations

import hashlib
import urllib.parse
from collections.abc import Mapping
from importlib import resources
from typing import Any

import jinja2
import markupsafe

from exabgp_k8s.core.facts import printable
from exabgp_k8s.looking_glass import asked

LONGEST = 1000
"""Characters of one value; the message of a condition is the longest."""

STATIC: Mapping[str, str] = {
    "style.css": "text/css; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""The files that a page asks for, and what they are."""

_PACKAGE = __package__ or ""


def environment() -> jinja2.Environment:
    """Return what renders the pages."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["path"] = _path
    made.filters["code"] = _code
    made.globals["query"] = asked.query
    made.globals["static"] = {name: f"/static/{digest(name)}/{name}" for name in STATIC}
    return made


def static(name: str) -> bytes:
    """Return one of the files that a page asks for."""
    return (resources.files(_PACKAGE) / "static" / name).read_bytes()


def digest(name: str) -> str:
    """Return what changes when the file does, so that browsers may keep it for ever."""
    return hashlib.sha256(static(name)).hexdigest()[:12]


def _path(name: str) -> str:
    """Return a name as a part of a path; a prefix keeps its slash."""
    return urllib.parse.quote(name, safe="/:.-_~")


def _code(text: str) -> markupsafe.Markup:
    """Return a sentence with what stands between backticks as code."""
    parts = (markupsafe.escape(_shown(each)) for each in text.split("`"))
    return markupsafe.Markup("").join(
        markupsafe.Markup("<code>{}</code>").format(each) if number % 2 else each
        for number, each in enumerate(parts)
    )


def _shown(value: Any) -> Any:
    """Return what is put into a page for a value."""
    if isinstance(value, markupsafe.Markup):
        return value
    if isinstance(value, str):
        is_clean = len(value) <= LONGEST and value.isprintable()
        return value if is_clean else printable.one_line(value, LONGEST)
    return "" if value is None else value
