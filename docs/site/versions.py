"""The versions of the site: one folder each, and a list of the folders that are there.

``tox -e docs`` writes ``build/site/VERSION``. Whoever publishes keeps the folders of former
releases beside it; each build lists what it finds, so nothing is promised that is not there.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from sphinx.application import Sphinx

REDIRECT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>exabgp-k8s</title>
<meta http-equiv="refresh" content="0; url={target}">
<p>The documentation is <a href="{target}">here</a>.</p>
</html>
"""
LIST = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>exabgp-k8s: versions of the documentation</title>
<style>body {{ font: 1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto }}</style>
<h1>Versions of the documentation</h1>
<ul>
{entries}
</ul>
</html>
"""


def newest_first(names: list[str]) -> list[str]:
    """Return versions in the order of their numbers."""
    return sorted(names, key=lambda name: [int(n) for n in re.findall(r"\d+", name)], reverse=True)


def _write(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    here = Path(app.outdir)
    (here / "index.html").write_text(REDIRECT.format(target="docs/index.html"))
    found = newest_first([each.parents[1].name for each in here.parent.glob("*/docs/index.html")])
    entries = "\n".join(
        f'<li><a href="{escape(name)}/docs/index.html">{escape(name)}</a></li>' for name in found
    )
    (here.parent / "versions.html").write_text(LIST.format(entries=entries))
    (here.parent / "index.html").write_text(REDIRECT.format(target=f"{found[0]}/docs/index.html"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the list when the site is there."""
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
