"""The hooks of the page about reboots, as they stand there, against a real agent and router.

What they use to enter the container is not here: a script stands in for ``kubectl`` and for
``crictl``, and runs what it is told to run there at the agent of the lab.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture import repository
from tests.support.lab import Lab, until

pytestmark = pytest.mark.functional

HOOKS = {"pre-reboot-hook": "kubectl", "leave-the-routers": "crictl"}
"""The name that each has on the page, and the program by which it enters the container."""
SETTLE = 3
"""Seconds for the router: longer than a command of ours takes that does not wait."""
STAND_IN = """#!/bin/sh
# Lists what $LISTED says; runs the command of an `exec`, which begins at our program's name.
case " $* " in *" exec "*) ;; *) echo "$LISTED"; exit ;; esac
while [ "$1" != exec ]; do shift; done
while [ "$1" != exabgp-k8s ]; do shift; done
shift
exec {program} "$@"
"""


class Hook:
    """One hook on a node in service."""

    def __init__(self, lab: Lab, name: str) -> None:
        page = repository.blocks(repository.ROOT / "docs/how-to/reboot.md", "sh")
        (text,) = (block for block in page if block.startswith("#!/bin/sh\n") and name in block)
        self._path = lab.directory / name
        self._path.write_text(text)
        ours = shlex.join([sys.executable, "-m", "exabgp_k8s"])
        enters = lab.directory / HOOKS[name]
        enters.write_text(STAND_IN.replace("{program}", ours))
        enters.chmod(0o755)
        self._lab = lab

    def run(self, listed: str) -> subprocess.CompletedProcess[str]:
        """Run it where ``listed`` is what runs on the node."""
        environment = {
            "PATH": f"{self._lab.directory}:{os.environ['PATH']}",
            "EXABGP_K8S_STATE_DIR": str(self._lab.state_dir),
            "LISTED": listed,
        }
        return subprocess.run(
            ["sh", str(self._path), self._lab.name],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A node whose routes are with the router; each test leaves it so."""
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        lab.write({**lab.document(), "drain": {"settle": f"{SETTLE}s"}})
        lab.up()
        yield lab


@pytest.fixture(params=list(HOOKS))
def hook(served: Lab, request: pytest.FixtureRequest) -> Hook:
    return Hook(served, request.param)


def test_a_hook_ends_when_the_router_has_had_time_to_act_on_the_withdrawal(
    served: Lab, hook: Hook
) -> None:
    began = time.monotonic()
    done = hook.run("what-runs-here")

    assert done.returncode == 0, done.stderr
    assert served.router.routes() == {}
    assert time.monotonic() - began >= SETTLE
    assert served.cli("undrain").returncode == 0
    served.expect(served.services, served.pods)


def test_a_hook_lets_a_node_go_on_which_nothing_runs(served: Lab, hook: Hook) -> None:
    done = hook.run("")

    assert done.returncode == 0
    assert "nothing is announced" in done.stderr
    until(lambda: len(served.router.routes()) > 0, served.state)


def test_a_hook_fails_where_nobody_answers(
    served: Lab, hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that is there, and no agent in it: what routers have is not known."""
    monkeypatch.setattr(served, "state_dir", tmp_path)

    done = hook.run("what-runs-here")

    assert done.returncode != 0
    assert "agent" in done.stderr
