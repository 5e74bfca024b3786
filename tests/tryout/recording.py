"""The picture of `try` in the README: written by ``python -m tests.tryout.recording``.

A picture of a terminal lies as soon as the program prints something else. This one is made from
a real run, and a test that runs `try` anyway holds its words to those of today. Shown are the
titles of the steps, what happens in each, and what changed at the router; the remarks are left
out. No scripts, no fonts from elsewhere: a forge shows it as an image.
"""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from tests.architecture import repository

NAME = "docs/pictures/try.svg"
COLUMNS = 64
"""Few, so that it can be read on a phone."""
LETTER, LINE, MARGIN, TOP = 8.43, 20, 16, 44
"""Pixels; a letter of 14 pixels is 0.602 of that wide in the monospaced fonts of today."""

TITLE = re.compile(r"\d\. ")
CHANGE = re.compile(r" +[\d.]+ ms   ([-+*]) ")

STYLE = """
text { font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #e6edf3;
  white-space: pre }
.title { font-weight: 700 }
.more { fill: #7ee787 }
.less { fill: #ff7b72 }
.soft { fill: #a6b0ba }
"""
CLASSES = {"+": "more", "-": "less", "*": "soft"}


def shown(output: str) -> list[str]:
    """Return the lines of a run that the picture shows."""
    lines: list[str] = []
    is_cause = False
    for line in output.splitlines():
        if TITLE.match(line):
            lines += ["", line] if lines else [line]
            is_cause = True
        elif CHANGE.match(line):
            lines.append(line)
            is_cause = False
        elif is_cause:
            lines.append(line)
    return lines


def words(lines: list[str]) -> list[str]:
    """Return the words of the lines, in no order, without what differs from run to run."""
    text = re.sub(r"[\d.]+ ms", "TIME", " ".join(lines))
    text = re.sub(r"127(\.\d+){3}(:\d+)?", "ADDRESS", text)
    return sorted(text.split())


def lines_of(picture: str) -> list[str]:
    """Return the lines that a picture shows."""
    root = ET.fromstring(picture)
    texts = root.iter("{http://www.w3.org/2000/svg}text")
    return ["".join(each.itertext()) for each in texts if each.get("x") == str(MARGIN)]


def draw(lines: list[str]) -> str:
    """Return the picture, dark as a terminal is, with a frame that shows on any paper."""
    width, height = round(COLUMNS * LETTER + 2 * MARGIN), TOP + len(lines) * LINE + MARGIN
    dots = "".join(f'<circle cx="{22 + 18 * each}" cy="18" r="5"/>' for each in range(3))
    rows = "\n".join(_row(line, TOP + LINE * (at + 0.7)) for at, line in enumerate(lines) if line)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<!-- Made from a real run by python -m tests.tryout.recording. -->
<title>What `exabgp-k8s try` prints, without the remarks</title>
<style>{STYLE}</style>
<rect x="1" y="1" width="{width - 2}" height="{height - 2}" rx="8" fill="#0d1117" \
stroke="#57606a"/>
<g fill="#57606a">{dots}</g>
<text x="{width / 2:g}" y="23" text-anchor="middle" class="soft">.ci/try</text>
{rows}
</svg>
"""


def _row(line: str, y: float) -> str:
    change = CHANGE.match(line)
    kind = CLASSES[change[1]] if change else "title" if TITLE.match(line) else "soft"
    # The blanks stay, in every program that draws.
    return (
        f'<text x="{MARGIN}" y="{y:g}" class="{kind}" xml:space="preserve">'
        f"{html.escape(line)}</text>"
    )


def main() -> None:
    """Run `try` in a narrow terminal and draw what it printed."""
    output = subprocess.run(
        [sys.executable, "-m", "exabgp_k8s", "try"],
        env={**os.environ, "COLUMNS": str(COLUMNS)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    Path(repository.ROOT / NAME).write_text(draw(shown(output)), encoding="utf-8")


if __name__ == "__main__":
    main()
