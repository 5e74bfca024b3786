"""Our ExaBGP, told to read its configuration again at the very moment a session comes up.

``python -m tests.functional.reload_when_up FILE``: for a reload cannot be sent from outside within
the one turn between the router's KEEPALIVE and what follows from it.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from exabgp_k8s.launcher import __main__ as launcher
from exabgp_k8s.launcher import replacements

install = replacements.install


def with_a_reload() -> None:
    """Install the replacements, and the reload besides."""
    install()
    from exabgp.bgp.fsm import FSM  # noqa: PLC0415 - a new clock comes before ExaBGP

    change = FSM.change

    def changed(machine: Any, state: int) -> Any:
        found = change(machine, state)
        if state == FSM.ESTABLISHED:
            os.kill(os.getpid(), signal.SIGUSR1)
        return found

    FSM.change = changed


if __name__ == "__main__":
    replacements.install = with_a_reload
    sys.exit(launcher.serve(sys.argv[-1]))
