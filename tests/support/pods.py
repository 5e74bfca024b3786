"""Our DaemonSet and its Pods in the small API server, as controller and kubelet leave them."""

from __future__ import annotations

from typing import Any

from exabgp_k8s.tryout.kubeapi import api, store
from tests.architecture import repository

NAMESPACE = "exabgp-k8s"
NAME = "exabgp-k8s"
_TERMINATING = "tests/kubelet"
"""Keeps a deleted Pod in the API for as long as its containers run."""


def name_of(node: str) -> str:
    """Return the name of a node's Pod."""
    return f"{NAME}-{node}"


def pre_stop() -> list[str]:
    """Return the command of the manifest's preStop hook, without the name of our program."""
    (container,) = repository.manifest("daemonset.yaml")["spec"]["template"]["spec"]["containers"]
    command: list[str] = container["lifecycle"]["preStop"]["exec"]["command"]
    return command[1:]


class DaemonSet:
    """The objects of one API server."""

    def __init__(self, objects: store.Store, **spec: Any) -> None:
        self._store = objects
        self._owner = objects.create(
            api.DAEMON_SETS,
            {"metadata": {"name": NAME}, "spec": {"template": {"spec": spec}}},
            NAMESPACE,
        )

    def create_pod(self, node: str) -> None:
        """Create the Pod of a node, as the DaemonSet's controller does."""
        owner = {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "name": NAME,
            "uid": self._owner["metadata"]["uid"],
            "controller": True,
        }
        metadata = {
            "name": name_of(node),
            "ownerReferences": [owner],
            "finalizers": [_TERMINATING],
        }
        self._store.create(api.PODS, {"metadata": metadata}, NAMESPACE)

    def delete_pod(self, node: str) -> None:
        """Delete a Pod, as a rollout or ``kubectl delete pod`` does: it is marked and goes on."""
        self._store.delete(api.PODS, self._pod(node))

    def finish_pod(self, node: str) -> None:
        """Take a deleted Pod away: its containers have ended."""
        with self._store.changed:
            pod = self._store.get(api.PODS, self._pod(node))
            pod["metadata"]["finalizers"] = []
            self._store.replace(api.PODS, self._pod(node), pod)

    def delete(self) -> None:
        """Delete the DaemonSet itself; its Pods follow."""
        self._store.delete(api.DAEMON_SETS, store.Scope(namespace=NAMESPACE, name=NAME))

    def _pod(self, node: str) -> store.Scope:
        return store.Scope(namespace=NAMESPACE, name=name_of(node))
