"""Fixtures of the fabric tests: who may run them, beds, the logs of failures."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import pytest

from tests.fabric import bird, cluster, frr, namespaces, routers, topology
from tests.support import controlplane

TOOLS = (
    *("ip", "iptables-restore", "ip6tables-restore", "setpriv", "bird", "birdc", "vtysh"),
    *("unbound", "dnsmasq", "named", "nft"),
)

collect_ignore = [] if controlplane.kube_proxy() else ["test_kube_proxy.py"]

FABRICS = pytest.StashKey[list[topology.Fabric]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the logs of the daemons with a failure, while they are still there."""
    report = yield
    if report.failed:
        report.sections += [
            ("fabric logs", fabric.logs()) for fabric in item.stash.get(FABRICS, [])
        ]
    return report


@pytest.fixture(scope="session")
def _privileges() -> None:
    """Refuse to start where no bed can be built: a skip would look like a pass."""
    if os.geteuid() != 0:
        pytest.exit(
            "the fabric tests make network namespaces and need root: "
            'run  sudo "$(command -v python)" -m pytest -m fabric  '
            'or leave them out with  -m "not fabric"',
            returncode=1,
        )
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    missing += [] if frr.DAEMONS.is_dir() else [str(frr.DAEMONS)]
    if missing:
        pytest.exit(
            f"the fabric tests need {', '.join(missing)}: run  "
            "apt-get install iproute2 iptables nftables bird2 frr unbound dnsmasq-base bind9",
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
    """Return ``topology.Fabric``, but what it builds is removed after the test."""
    built: list[topology.Fabric] = []
    request.node.stash[FABRICS] = built

    def build_one(*arguments: object, **options: object) -> topology.Fabric:
        fabric = topology.Fabric(*arguments, **options)  # type: ignore[arg-type]
        built.append(fabric)
        return fabric

    yield build_one
    for fabric in built:
        fabric.delete()


@pytest.fixture
def form(build: topology.Factory) -> Iterator[cluster.Factory]:
    """Return a maker of clusters: the kinds of routers, and options of Fabric and Cluster."""
    formed: list[cluster.Cluster] = []

    def form_one(
        kinds: Sequence[type[routers.Router]],
        *,
        nodes_wanted: int = 3,
        router_password: str = "",
        **options: Any,
    ) -> cluster.Cluster:
        fabric = build(kinds, nodes_wanted=nodes_wanted, password=router_password)
        formed.append(cluster.Cluster(fabric, **options))
        return formed[-1]

    yield form_one
    for each in formed:
        each.stop()


@pytest.fixture
def running(kind: type[routers.Router], form: cluster.Factory) -> cluster.Cluster:
    """Three nodes that announce everything to one router."""
    formed = form([kind])
    formed.start()
    return formed


@pytest.fixture
def pair(kind: type[routers.Router], form: cluster.Factory) -> cluster.Cluster:
    """Two nodes, where one that leaves and one that stays are enough."""
    formed = form([kind], nodes_wanted=2)
    formed.start()
    return formed
