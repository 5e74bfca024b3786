"""The site's navigation, from the lists that people read on a forge.

Sphinx wants a ``toctree``, which a forge shows as a block of code. So each list of pages below a
heading of an index page becomes one, unseen, with that heading as its caption. A page that no
list names is a warning of Sphinx's, and so is a list that names a page that is not there.
"""

from __future__ import annotations

import re

from sphinx.application import Sphinx

INDEXES = ("docs/index", "docs/adr/README")
FIRST_LINK = re.compile(r"^(?:[-*] |\d+\. |\| ?)\[[^\]]*\]\(([^)#:]+)\.md\)", re.MULTILINE)


def toctrees(text: str) -> str:
    """Return the directives for the lists of a page, to be put behind its text."""
    found = []
    for section in re.split(r"^(?=## )", text, flags=re.MULTILINE):
        heading = re.match(r"## (.+)", section)
        pages = FIRST_LINK.findall(section)
        if pages:
            caption = f":caption: {heading.group(1)}\n" if heading else ""
            found.append(f"```{{toctree}}\n:hidden:\n{caption}\n" + "\n".join(pages) + "\n```\n")
    return "\n".join(["", *found])


def _add(_app: Sphinx, page: str, content: list[str]) -> None:
    if page in INDEXES:
        content[0] += toctrees(content[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Read the lists as pages are read."""
    app.connect("source-read", _add)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
