"""What a stranger's words do to the terminal of whoever reads the log: nothing."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import structlog
from exabgp_k8s.adapters import logs
{set_up}
structlog.get_logger().warning("session.lost", why="\\x1b[2J\\x07gone")
"""


def said(set_up: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(set_up=set_up)],
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout == ""
    return done.stderr


def test_a_control_character_reaches_no_terminal() -> None:
    line = said("logs.set_up(is_terminal=True)")
    assert "gone" in line
    assert line.rstrip("\n").isprintable()


def test_json_escapes_it() -> None:
    assert "\\u001b[2J\\u0007gone" in said("logs.set_up(is_terminal=False)")
