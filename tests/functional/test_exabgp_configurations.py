"""What is rendered for the networks of ``tests/configurations`` is what ExaBGP reads."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from tests.configurations import kinds

pytestmark = pytest.mark.functional

READ = """
import sys
from exabgp_k8s.launcher import replacements
replacements.install()
from exabgp.configuration.configuration import Configuration
from exabgp.environment import getenv
from exabgp.logger import log
log.init(getenv())
found = Configuration([sys.argv[1]])
sys.exit(0 if found.reload() else str(found.error))
"""
"""As the launcher has it: of itself ExaBGP reads no address with an interface."""


def test_exabgp_reads_the_configuration_of_each_network(tmp_path: Path) -> None:
    """All at once: each is a whole interpreter. What is hidden for people is put back."""
    password = base64.b64encode(b"s3cret").decode()
    running = {}
    for name in kinds.NODES:
        text = (kinds.HERE / name / "exabgp.conf").read_text(encoding="utf-8")
        path = tmp_path / f"{name}.conf"
        path.write_text(text.replace("***", password).replace("run AGENT", "run /bin/cat"))
        running[name] = subprocess.Popen(
            (sys.executable, "-c", READ, str(path)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    said = {name: each.communicate()[0] for name, each in running.items()}

    assert {name for name, each in running.items() if each.returncode != 0} == set(), said
