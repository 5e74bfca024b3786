"""The looking glass says what it lacks: its libraries, a place to listen, a kubeconfig."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

MISSING = """
import sys
sys.modules[{name!r}] = None
from exabgp_k8s.cli import root
root.main(["looking-glass", "--listen", "127.0.0.1:1"])
"""


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Call Python and return what it says."""
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["starlette", "uvicorn", "jinja2"])
def test_a_missing_library_is_named_with_what_to_install(name: str) -> None:
    done = call("-c", MISSING.format(name=name))

    assert done.returncode == 2
    assert f"{name} is not installed" in done.stderr
    assert "pip install 'exabgp-k8s[looking-glass]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_other_commands_do_not_need_them() -> None:
    done = call(
        "-c",
        "import sys; from exabgp_k8s.cli import cluster, drain, looking_glass, run, start, status;"
        "from exabgp_k8s.agent import main;"
        "print({'starlette', 'uvicorn', 'jinja2', 'anyio'} & set(sys.modules))",
    )

    assert done.stdout == "set()\n"


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text("{}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        done = call(
            *("-m", "exabgp_k8s", "looking-glass", "--listen", place),
            *("--kubeconfig", str(tmp_path / "kubeconfig")),
        )

    assert done.returncode == 2
    assert f"nothing can be served at {place}: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_kubeconfig_that_is_not_there_is_said() -> None:
    done = call("-m", "exabgp_k8s", "looking-glass", "--kubeconfig", "/nonexistent")

    assert done.returncode == 2
    assert "there is no kubeconfig /nonexistent" in done.stderr
