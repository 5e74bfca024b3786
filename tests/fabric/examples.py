"""``python -m tests.fabric.examples``: what the page about the cluster shows, from a real one.

Runs every command that stands after a ``$`` in a ``console`` block of the page, as a router's
admin, against the five nodes of ``five`` with a real API server (``KUBEBUILDER_ASSETS``), and
writes what it says below it. Needs root, as all beds do.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable

from tests.architecture import repository
from tests.fabric import five

PAGE = "docs/how-to/inspect-cluster.md"
BLOCK = re.compile(r"(^```console\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL)
LONGEST = 40
"""Lines of one output; what is longer ends in an ellipsis."""


def commands(text: str) -> list[str]:
    """Return the commands of a page's ``console`` blocks."""
    return [
        line.removeprefix("$ ")
        for _, body, _ in BLOCK.findall(text)
        for line in body.splitlines()
        if line.startswith("$ ")
    ]


def render(text: str, run: Callable[[str], str]) -> str:
    """Return the page with what ``run`` says of each command."""

    def block(found: re.Match[str]) -> str:
        shown = [f"$ {command}\n{_short(run(command))}\n" for command in commands(found.group(0))]
        return found.group(1) + "\n".join(shown) + found.group(3)

    return BLOCK.sub(block, text)


def _short(output: str) -> str:
    lines = output.rstrip().splitlines()
    return "\n".join(lines if len(lines) <= LONGEST else [*lines[:LONGEST], "..."])


def main() -> int:
    """Build the cluster and write the page."""
    bed = five.Five("real")
    try:

        def run(command: str) -> str:
            program, *arguments = shlex.split(command)
            if program == "kubectl":
                return bed.kubectl(*arguments).stdout
            return bed.run(sys.executable, "-m", "exabgp_k8s", *arguments).stdout

        path = repository.ROOT / PAGE
        path.write_text(render(path.read_text(encoding="utf-8"), run), encoding="utf-8")
    finally:
        bed.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
