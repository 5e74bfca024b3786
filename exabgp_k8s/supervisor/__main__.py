"""``python -m exabgp_k8s.supervisor STATE_DIR STOP_LIMIT COMMAND...``: any command as ExaBGP."""

from __future__ import annotations

import sys

from exabgp_k8s.supervisor.supervisor import Supervisor

if __name__ == "__main__":
    state_dir, stop_limit, *command = sys.argv[1:]
    sys.exit(Supervisor(state_dir, command, float(stop_limit)).run())
