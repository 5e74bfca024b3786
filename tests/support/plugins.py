"""The objects of network plugins, put into an API server of either kind.

Their definitions are cut down to what is read of them; the types of the fields are theirs.
"""

from __future__ import annotations

import urllib.error
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from exabgp_k8s.tryout.kubeapi import api, apiserver, patches, store
from exabgp_k8s.wire import pod_ranges
from tests.architecture import repository
from tests.support import controlplane, kubeapi

Cluster = apiserver.ApiServer | controlplane.ControlPlane

_PATHS = {"CiliumNode": pod_ranges.CILIUM_NODES, "BlockAffinity": pod_ranges.BLOCK_AFFINITIES}
_HELD = {"CiliumNode": api.CILIUM_NODES, "BlockAffinity": api.BLOCK_AFFINITIES}
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def cilium_node(name: str, *cidrs: str) -> dict[str, Any]:
    """Return a CiliumNode as Cilium writes it with its own IPAM."""
    return {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNode",
        "metadata": {"name": name},
        "spec": {"ipam": {"podCIDRs": list(cidrs)}},
    }


def block(node: str, cidr: str, **spec: str) -> dict[str, Any]:
    """Return a BlockAffinity as Calico writes it; one of an older release has no labels."""
    return {
        "apiVersion": "crd.projectcalico.org/v1",
        "kind": "BlockAffinity",
        "metadata": {"name": f"{node}-{cidr.translate(str.maketrans('./:', '---'))}"},
        "spec": {"cidr": cidr, "deleted": "false", "node": node, "state": "confirmed", **spec},
    }


def define(cluster: Cluster) -> None:
    """Have a cluster know these objects; our own server does."""
    if isinstance(cluster, apiserver.ApiServer):
        return
    for kind, path in _PATHS.items():
        _, group, version, plural = path.strip("/").split("/")
        text = {"type": "string"}
        fields = dict.fromkeys(("cidr", "deleted", "node", "state", "type"), text)
        spec = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        if kind == "BlockAffinity":
            spec = {"type": "object", "properties": fields, "required": ["cidr", "deleted"]}
        schema = {"type": "object", "properties": {"spec": spec}}
        names = {"kind": kind, "plural": plural, "singular": kind.lower()}
        served = {"name": version, "served": True, "storage": True}
        cluster.ask(
            "POST",
            _DEFINITIONS,
            {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": f"{plural}.{group}"},
                "spec": {
                    "group": group,
                    "names": names,
                    "scope": "Cluster",
                    "versions": [{**served, "schema": {"openAPIV3Schema": schema}}],
                },
            },
        )
        _wait_until_served(cluster, path)


def _wait_until_served(cluster: controlplane.ControlPlane, path: str) -> None:
    kubeapi.until(lambda: cluster.status_of(path, controlplane.ADMIN_TOKEN) == 200)


def allow(cluster: Cluster, source: str) -> None:
    """Give the agents the rights of a component of the manifests; on our own server all have."""
    if isinstance(cluster, apiserver.ApiServer):
        return
    text = repository.read(f"daemonset/components/pods-from-{source}/rbac.yaml")
    for document in yaml.safe_load_all(text):
        cluster.apply(document)


def put(cluster: Cluster, *documents: Mapping[str, Any]) -> None:
    """Create objects, or change those that are there."""
    for document in documents:
        _put(cluster, document["kind"], dict(document))


def _put(cluster: Cluster, kind: str, document: dict[str, Any]) -> None:
    name = document["metadata"]["name"]
    if isinstance(cluster, apiserver.ApiServer):
        scope = store.Scope(name=name)
        found, _ = cluster.store.find(_HELD[kind], scope)
        if found:
            cluster.store.replace(_HELD[kind], scope, patches.merge(found[0], document))
        else:
            cluster.store.create(_HELD[kind], document)
        return
    try:
        cluster.ask("POST", _PATHS[kind], document)
    except urllib.error.HTTPError as error:
        if error.code != 409:
            raise
        cluster.ask("PATCH", f"{_PATHS[kind]}/{name}", document)


def delete(cluster: Cluster, *documents: Mapping[str, Any]) -> None:
    """Delete objects."""
    for document in documents:
        kind, name = document["kind"], document["metadata"]["name"]
        if isinstance(cluster, apiserver.ApiServer):
            cluster.store.delete(_HELD[kind], store.Scope(name=name))
        else:
            cluster.ask("DELETE", f"{_PATHS[kind]}/{name}")


def blocks_of_others(count: int) -> Iterable[dict[str, Any]]:
    """Yield blocks of many other nodes, whose names come before and after ours."""
    for number in range(count):
        yield block(f"{'az'[number % 2]}{number}", f"10.245.{number // 256}.{number % 256}/32")
