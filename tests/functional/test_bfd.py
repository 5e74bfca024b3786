"""BFD beside the sessions, with a real BIRD and a real agent; the engine is a file here."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from exabgp_k8s.wire import bird_conf
from tests.support import asking
from tests.support.lab import Lab, until
from tests.wire.test_bird_conf import ALL_KINDS

pytestmark = pytest.mark.functional


def bird_says(path: Path) -> str:
    """Return what ``bird -p`` has against a configuration; nothing: it takes it."""
    command = ["bird", "-p", "-c", str(path)]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return found.stderr or found.stdout if found.returncode else ""


@pytest.mark.parametrize("number", range(len(ALL_KINDS) + 1))
def test_bird_takes_every_kind_of_session_and_none(tmp_path: Path, number: int) -> None:
    path = tmp_path / "bird.conf"
    path.write_text(bird_conf.render(ALL_KINDS[:number]))

    assert bird_says(path) == ""


def engine_says(lab: Lab, state: str, **more: Any) -> None:
    """Write down the one session as the engine would."""
    now = time.time()
    session = {
        "address": lab.router.address, "interface": "lo", "local": lab.address,
        "state": state, "since": now, "diagnostic": None,
        "interval": 300, "detect": 900, "downs": 0,
    } | more  # fmt: skip
    path = lab.state_dir / "bfd" / "new"
    path.write_text(json.dumps({"at": now, "problem": "", "sessions": [session]}))
    path.replace(path.with_name("state.json"))


def metric(lab: Lab, line: str) -> bool:
    return line in asking.http(lab.http_port, "/metrics")[1].splitlines()


def test_bfd_is_asked_for_and_seen_and_moves_no_route(lab: Lab) -> None:
    document = lab.document()
    document["peers"][0]["bfd"] = {"interval": "300ms"}
    lab.write(document)
    lab.up()
    configuration = lab.state_dir / "bfd" / "bird.conf"
    until(lambda: f"neighbor {lab.router.address}" in configuration.read_text(), lab.state)
    before, history = configuration.stat(), lab.router.history()
    assert bird_says(configuration) == ""

    engine_says(lab, "Up")
    until(lambda: metric(lab, 'exabgp_k8s_bfd_up{peer="tor"} 1.0'), lab.state)
    assert "BFD" in lab.cli("sessions").stdout.splitlines()[0]

    engine_says(lab, "Down", diagnostic=1, downs=1)
    until(lambda: metric(lab, 'exabgp_k8s_bfd_up{peer="tor"} 0.0'), lab.state)
    words = "bfd-down: nothing heard in the detection time"
    shown = [lab.cli(*command) for command in (("sessions",), ("sessions", "tor"), ("status",))]
    assert [words in " ".join(each.stdout.split()) for each in shown] == [True] * 3
    assert [each.returncode for each in shown] == [0, 0, 0], "BGP is up, and the router decides"
    until(lambda: '"bfd.lost"' in lab.log(), lab.state)
    until(
        lambda: any("BFD with tor" in each["message"] for each in lab.api.events()),
        lambda: str(lab.api.events()),
    )

    lab.agent.kill()
    engine_says(lab, "Up", downs=1)
    until(lambda: metric(lab, "exabgp_k8s_bfd_engine_up 1.0"), lab.state)
    after = configuration.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert lab.router.history() == history
