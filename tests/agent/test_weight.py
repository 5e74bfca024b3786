"""What the agent must not import: each of these is megabytes on every node."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = (
    *("click", "dateutil", "prometheus_client", "pydantic", "requests", "yaml"),
    *("csv", "http.server", "importlib.metadata", "zipfile"),
)
PROGRAM = f"""
import json, sys
import exabgp_k8s.agent.__main__
from exabgp_k8s.adapters.kube import lean
from exabgp_k8s.adapters.checks import http
assert lean.prepare()
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""


def test_an_agent_starts_without_what_others_need() -> None:
    """In a cluster; a kubeconfig is read by what brings some of them along."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )

    assert json.loads(ran.stdout) == []
