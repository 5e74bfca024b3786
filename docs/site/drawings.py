"""Mermaid on the site: a forge draws these blocks, here they are drawn while the site is built.

Mermaid itself is a large script that runs in the reader's browser. What our pages use of it is
small: boxes with a name and a sentence, and arrows that point down. So each box gets a row of its
own rank, and under its name and sentence stands what it leads to. A block of another shape is
an error, so that none is shown wrongly.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform

BOX = re.compile(r'(\w+)\["<b>(.+?)</b><br/>(.+?)"\]')
ARROW = re.compile(r"(\w+) --> (\w+)")


class DrawMermaid(SphinxPostTransform):
    """Put a table of boxes where a flowchart stands."""

    default_priority = 100

    def run(self, **_options: object) -> None:
        """Replace every block whose language is mermaid."""
        for block in list(self.document.findall(nodes.literal_block)):
            if block.get("language") == "mermaid":
                block.replace_self(nodes.raw("", as_list(block.astext()), format="html"))


def as_list(source: str) -> str:
    """Return HTML for a flowchart: each box in its order, with what it points at."""
    first, *lines = (line.strip() for line in source.splitlines() if line.strip())
    boxes: dict[str, tuple[str, str]] = {}
    targets: dict[str, list[str]] = {}
    for line in lines:
        if box := BOX.fullmatch(line):
            boxes[box[1]] = (box[2], box[3])
        elif arrow := ARROW.fullmatch(line):
            targets.setdefault(arrow[1], []).append(arrow[2])
        else:
            raise ExtensionError(f"docs/site/drawings.py cannot draw: {line}")
    if not first.startswith("flowchart"):
        raise ExtensionError(f"docs/site/drawings.py draws flowcharts, not: {first}")
    rows = []
    for name, (title, sentence) in boxes.items():
        to = ", ".join(boxes[each][0] for each in targets.get(name, []))
        below = f"<span>uses {to}</span>" if to else ""
        rows.append(f"<li><b>{title}</b> {sentence}{below}</li>")
    return '<ol class="boxes">' + "".join(rows) + "</ol>"


def setup(app: Sphinx) -> dict[str, bool]:
    """Replace the blocks after everything is read."""
    app.add_post_transform(DrawMermaid)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
