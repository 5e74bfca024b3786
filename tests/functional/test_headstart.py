"""The agent's process is started before ExaBGP is imported, and is ExaBGP's all the same."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

from exabgp_k8s import chain
from exabgp_k8s.core.facts import commands
from exabgp_k8s.wire import daemon_conf
from tests.functional import exabgp
from tests.support import lab

pytestmark = pytest.mark.functional

HELPER = """\
import os, sys
with open(sys.argv[1], "a") as file:
    file.write("started\\n")
%s
with open(sys.argv[1], "a") as file:
    file.write("ended\\n")
"""
READS = "while os.read(0, 4096): pass"


@pytest.fixture
def us(tmp_path: pathlib.Path) -> Iterator[exabgp.ExaBGP]:
    with exabgp.running(tmp_path / "us") as found:
        yield found


def helper(folder: pathlib.Path, body: str) -> tuple[tuple[str, ...], pathlib.Path]:
    """Return the command of a helper, and the file that it writes into."""
    script, told = folder / "helper.py", folder / "told"
    script.write_text(HELPER % body)
    told.touch()
    return (sys.executable, str(script), str(told)), told


def serve(folder: pathlib.Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run the launcher with a configuration until it ends by itself."""
    path = folder / "exabgp.conf"
    path.write_text(text)
    return subprocess.run(
        chain.server_command(path),
        env={**os.environ, **chain.environment(), "PYTHONPATH": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=exabgp.LIMIT,
    )


def test_the_agent_is_started_before_exabgp_is_imported(tmp_path: pathlib.Path) -> None:
    """Where ExaBGP cannot be imported at all, the agent was there."""
    command, told = helper(tmp_path, READS)
    (tmp_path / "exabgp").mkdir()
    (tmp_path / "exabgp" / "__init__.py").write_text("raise ImportError('not this one')")

    done = serve(tmp_path, daemon_conf.render((), command))

    assert "not this one" in done.stderr
    lab.until(lambda: told.read_text().endswith("ended\n"), "the helper is not told of the end")


def test_an_agent_that_exabgp_never_takes_is_told_of_its_end(tmp_path: pathlib.Path) -> None:
    command, told = helper(tmp_path, READS)

    done = serve(tmp_path, daemon_conf.render((), command) + "neighbor nonsense;\n")

    assert done.returncode == 1
    lab.until(lambda: told.read_text().endswith("ended\n"), "the helper is not told of the end")


def test_an_agent_that_ended_early_is_started_anew(tmp_path: pathlib.Path) -> None:
    """ExaBGP gives up, as it does, after five of them within a minute."""
    command, told = helper(tmp_path, "")

    done = serve(tmp_path, daemon_conf.render((), command))

    assert "Too many death" in done.stderr
    assert told.read_text().count("ended") > 1


def test_the_agent_is_exabgps_child_in_a_group_of_its_own_and_is_replaced(
    us: exabgp.ExaBGP,
) -> None:
    us.start(daemon_conf.render((), us.run))
    (first,) = us.children()
    assert os.getpgid(first.pid) == first.pid
    assert first.environ()["TERM"] == "dumb"
    assert us.say(commands.ShowNeighbors())

    us.kill_helper()
    lab.until(lambda: us.helpers == 2, "it was not replaced")

    assert us.say(commands.ShowNeighbors())
    # It is collected by a thread of ExaBGP's own.
    lab.until(lambda: first not in us.children(), "it was not collected")
