"""What a stranger's words do to the terminal of whoever reads the log: nothing."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
from exabgp_k8s.adapters import logs
logs._StandardError().write("session.lost why=\\x1b[2J\\x07gone\\n")
"""


def test_a_control_character_reaches_no_terminal() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, check=True, text=True
    )

    assert (done.stdout, done.stderr) == ("", "session.lost why= [2J gone\n")
