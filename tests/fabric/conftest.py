"""Fixtures of the fabric tests: who may run them, beds, the logs of failures."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.fabric import bird, frr, namespaces, routers, topology

TOOLS = ("ip", "iptables-restore", "ip6tables-restore", "setpriv", "ss", "bird", "birdc", "vtysh")


@pytest.fixture(scope="session")
def _privileges() -> None:
    """Refuse to start where no bed can be built: a skip would look like a pass."""
    if os.geteuid() != 0:
        pytest.exit(
            "the fabric tests make network namespaces and need root: "
            'run  sudo "$(command -v python)" -m pytest -m fabric',
            returncode=1,
        )
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    missing += [] if frr.DAEMONS.is_dir() else [str(frr.DAEMONS)]
    if missing:
        pytest.exit(
            f"the fabric tests need {', '.join(missing)}: "
            "run  apt-get install iproute2 iptables util-linux bird2 frr",
            returncode=1,
        )
    namespaces.remove_leftovers()


@pytest.fixture(params=[bird.Bird, frr.Frr], ids=["bird", "frr"])
def kind(request: pytest.FixtureRequest) -> type[routers.Router]:
    """The kind of router that a test runs against."""
    chosen: type[routers.Router] = request.param
    return chosen


@pytest.fixture
def build(_privileges: None, request: pytest.FixtureRequest) -> Iterator[topology.Factory]:
    """Return ``topology.Fabric``; what is built is removed, and its logs shown on failure."""
    built: list[topology.Fabric] = []

    def build_one(*arguments: object, **options: object) -> topology.Fabric:
        fabric = topology.Fabric(*arguments, **options)  # type: ignore[arg-type]
        built.append(fabric)
        return fabric

    yield build_one
    for fabric in built:
        request.node.add_report_section("teardown", "fabric logs", fabric.logs())
        fabric.delete()
