"""A page of the site asks nobody but the site: no fonts, scripts or pictures from elsewhere.

Who reads how to guard a network should not tell a third party so, and a site that is opened from
a disk in a machine room has to look right too. Links that a reader clicks may lead anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

LOADED = re.compile(
    r"""<(?:script|img|source|iframe|video|audio|embed)\b[^>]*?\b(?:src|srcset)=["']([^"']+)"""
    r"""|<link\b(?=[^>]*\brel=["'](?:stylesheet|preload|prefetch|preconnect|icon|manifest))"""
    r"""[^>]*?\bhref=["']([^"']+)"""
)
LOADED_BY_STYLE = re.compile(r"""(?:url\(|@import\s+)["']?([^"')\s;]+)""")
ELSEWHERE = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)


def foreign(site: Path) -> Iterator[str]:
    """Yield ``FILE: ADDRESS`` for each thing that a browser would fetch from elsewhere."""
    for path in sorted(site.rglob("*")):
        pattern = {".html": LOADED, ".css": LOADED_BY_STYLE}.get(path.suffix)
        if pattern is None:
            continue
        for found in pattern.finditer(path.read_text(encoding="utf-8")):
            address = next(group for group in found.groups() if group)
            if ELSEWHERE.match(address):
                yield f"{path.relative_to(site)}: {address}"


def _refuse(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html" and (found := list(foreign(app.outdir))):
        raise ExtensionError("the site would ask others for:\n  " + "\n  ".join(found))


def setup(app: Sphinx) -> dict[str, bool]:
    """Look at the site when it is written."""
    app.connect("build-finished", _refuse)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
