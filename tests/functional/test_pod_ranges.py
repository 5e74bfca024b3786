"""Pod ranges from network plugins, all the way: the API server, our processes, a router.

`KUBEBUILDER_ASSETS` names a directory with `kube-apiserver` and `etcd`; then the same tests run
against these too, with the rights of the manifests and no others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from exabgp_k8s.core.facts.pod_ranges import PodSource
from tests.support import controlplane, kubeapi, plugins
from tests.support.lab import Lab, until

pytestmark = pytest.mark.functional

Server = kubeapi.KubeApi | controlplane.ControlPlane


@pytest.fixture(params=controlplane.KINDS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """An API server of either kind that gives no right to plugins' objects yet."""
    if request.param == "own":
        with kubeapi.KubeApi() as own:
            for each in (kubeapi.CILIUM_NODES, kubeapi.BLOCK_AFFINITIES):
                own.inject_always(kubeapi.status(403), each)
            yield own
        return
    folder = tmp_path / "control-plane"
    folder.mkdir()
    with controlplane.ControlPlane(folder) as real:
        plugins.define(real)
        yield real


@pytest.fixture
def lab(server: Server, tmp_path: Path) -> Iterator[Lab]:
    """A node and a router at that API server."""
    with Lab(tmp_path, api=server) as found:
        yield found


@pytest.mark.long
def test_a_plugins_ranges_are_announced_as_the_settings_and_the_rights_allow(
    lab: Lab, server: Server
) -> None:
    """The whole way of somebody who changes `announce.pods.from` on a node that runs."""
    cilium = plugins.cilium_node(lab.name, "10.244.77.0/24")
    plugins.put(server, cilium, plugins.block(lab.name, "10.244.8.0/26"))
    lab.up()

    set_source(lab, PodSource.CILIUM)
    # What stands stays while the right is missing, and it is said which one.
    until(lambda: "pods-from-cilium" in str(lab.json("status")["missing"]), lab.state, limit=120)
    assert set(lab.router.routes()) == {lab.services, lab.pods}

    allow(server, "cilium")
    lab.expect(lab.services, "10.244.77.0/24")
    until(lambda: lab.json("status")["missing"] == [], lab.state)

    allow(server, "calico")
    set_source(lab, PodSource.CALICO)
    lab.expect(lab.services, "10.244.8.0/26")
    plugins.put(server, plugins.block(lab.name, "10.244.9.64/26"))
    lab.expect(lab.services, "10.244.8.0/26", "10.244.9.64/26")
    plugins.delete(server, plugins.block(lab.name, "10.244.8.0/26"))
    lab.expect(lab.services, "10.244.9.64/26")

    set_source(lab, PodSource.NODE)
    lab.expect(lab.services, lab.pods)


def set_source(lab: Lab, source: PodSource) -> None:
    """Edit the settings of a node that runs."""
    document = lab.document()
    document["announce"]["pods"]["from"] = str(source)
    lab.write(document)


def allow(server: Server, source: str) -> None:
    """Give the right; on our own server by refusing no longer."""
    plugins.allow(server, source)
    if isinstance(server, kubeapi.KubeApi):
        server.heal()
