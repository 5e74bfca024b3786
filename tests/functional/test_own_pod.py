"""Our own Pod, at a real kube-apiserver where there is one: its marks, and our right to read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exabgp_k8s.adapters.kube import client
from exabgp_k8s.adapters.kube import pods as asking
from exabgp_k8s.tryout.kubeapi import apiserver
from tests.architecture import repository
from tests.support import controlplane, kubeapi, pods

pytestmark = pytest.mark.functional

CORE = f"/api/v1/namespaces/{pods.NAMESPACE}"
APPS = f"/apis/apps/v1/namespaces/{pods.NAMESPACE}"
LABELS = {"kubernetes.io/os": "linux"}


class Real:
    """What ``pods.DaemonSet`` is to our own server, for a real one: with the real manifest."""

    def __init__(self, server: controlplane.ControlPlane) -> None:
        self._server = server
        self._manifest = repository.manifest("daemonset.yaml")
        self._uid = server.ask("POST", f"{APPS}/daemonsets", self._manifest)["metadata"]["uid"]

    def create_pod(self, node: str) -> None:
        """Create the Pod as the controller would; priority classes are there a bit later."""
        owner = {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "name": pods.NAME,
            "uid": self._uid,
            "controller": True,
        }
        spec: dict[str, Any] = {**self._manifest["spec"]["template"]["spec"], "nodeName": node}
        del spec["priorityClassName"]
        metadata = {"name": pods.name_of(node), "ownerReferences": [owner]}
        self._server.ask("POST", f"{CORE}/pods", {"metadata": metadata, "spec": spec})

    def delete_pod(self, node: str) -> None:
        """Delete it; it is there until a kubelet says that it has ended."""
        self._server.ask("DELETE", f"{CORE}/pods/{pods.name_of(node)}")

    def delete(self) -> None:
        """Delete the DaemonSet in the foreground: it waits for its Pods."""
        path = f"{APPS}/daemonsets/{pods.NAME}?propagationPolicy=Foreground"
        self._server.ask("DELETE", path)


@pytest.fixture(params=controlplane.KINDS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """An API server of either kind."""
    kind = kubeapi.KubeApi() if request.param == "own" else controlplane.ControlPlane(tmp_path)
    with kind as running:
        yield running


def test_a_pod_says_by_itself_whether_it_is_replaced(server: Any, tmp_path: Path) -> None:
    is_real = isinstance(server, controlplane.ControlPlane)
    daemon_set = Real(server) if is_real else pods.DaemonSet(server.store)
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(apiserver.kubeconfig(server))
    api = client.Client(client.Access(kubeconfig=kubeconfig))

    def why() -> str:
        return asking.why_nobody_comes(api, pods.NAMESPACE, pods.name_of("n1"), LABELS)

    daemon_set.create_pod("n1")
    assert "not being deleted" in why()
    daemon_set.delete_pod("n1")
    assert why() == ""
    if isinstance(daemon_set, Real):
        daemon_set.delete()
        assert "the DaemonSet is being deleted" in why()
    api.close()
