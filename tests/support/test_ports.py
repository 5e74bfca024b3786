"""A port that a test was given is its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from tests.support import kubeapi, ports

KERNELS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def test_no_outgoing_connection_is_given_such_a_port() -> None:
    first, _ = map(int, KERNELS.read_text().split())

    assert ports.claim() < ports.FIRST + ports.COUNT <= first


def test_two_processes_are_never_given_the_same_port() -> None:
    """Both are told to begin with the same one."""
    port = ports.claim()
    told = f"""
import itertools
from tests.support import ports
ports._numbers = itertools.count({port - ports.FIRST})
print(ports.claim())
"""

    given = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True
    )

    assert int(given.stdout) == port + 1


def test_a_port_that_another_program_has_is_not_given() -> None:
    taken = ports.claim() + 1
    with socket.create_server(("127.0.0.1", taken)):
        assert ports.claim() > taken


def test_an_api_server_that_is_away_finds_its_port_free_again() -> None:
    """One of the kernel's choice may be a connection's meanwhile, be it of its own client."""
    with kubeapi.KubeApi() as server:
        assert ports.FIRST <= server.port < ports.FIRST + ports.COUNT
