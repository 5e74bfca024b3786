"""What the tutorial makes of the example of FRR's configuration, by the page's own command."""

from __future__ import annotations

import re
import shlex
import subprocess

from tests.architecture import repository

PAGE = repository.ROOT / "docs/tutorial.md"


def router() -> str:
    """Return ``frr.conf`` as the page's ``sed`` writes it, with the page's addresses."""
    commands = "".join(repository.blocks(PAGE, "sh"))
    (program,) = re.findall(r"sed ('[^']+') docs/router/frr.conf.example", commands)
    return subprocess.run(
        ["sed", *shlex.split(program), "docs/router/frr.conf.example"],
        cwd=repository.ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
