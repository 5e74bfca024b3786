"""A Node object as a kubelet and the controllers leave it on a small bare-metal cluster.

Our agent reads a dozen fields of it. The others are here because a parser that has only ever
seen those dozen is not tested, and because the size of the object is part of what is measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_BOOT = "2026-01-01T00:00:00Z"

_CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)

_RESOURCES = {
    "cpu": "32",
    "ephemeral-storage": "459834404Ki",
    "hugepages-1Gi": "0",
    "hugepages-2Mi": "0",
    "memory": "131741964Ki",
    "pods": "110",
}


def node_object(
    name: str,
    internal_ips: Iterable[str] = ("192.0.2.10",),
    pod_cidrs: Iterable[str] = ("10.244.1.0/24",),
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return a Node that is ready, not cordoned and without taints.

    ``uid``, ``resourceVersion`` and ``creationTimestamp`` are the API server's to give.
    """
    cidrs = list(pod_cidrs)
    spec: dict[str, Any] = {"providerID": f"metal://{name}"}
    if cidrs:
        spec |= {"podCIDR": cidrs[0], "podCIDRs": cidrs}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "beta.kubernetes.io/arch": "amd64",
                "beta.kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                **(labels or {}),
            },
            "annotations": {
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
                **(annotations or {}),
            },
        },
        "spec": spec,
        "status": _status(name, list(internal_ips)),
    }


def _status(name: str, internal_ips: list[str]) -> dict[str, Any]:
    return {
        "addresses": [
            *({"type": "InternalIP", "address": address} for address in internal_ips),
            {"type": "Hostname", "address": name},
        ],
        "allocatable": dict(_RESOURCES),
        "capacity": dict(_RESOURCES),
        "conditions": [
            {
                "type": kind,
                "status": status,
                "reason": reason,
                "message": message,
                "lastHeartbeatTime": _BOOT,
                "lastTransitionTime": _BOOT,
            }
            for kind, status, reason, message in _CONDITIONS
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "images": [_image(number) for number in range(40)],
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": "2c1b3c2a-7d3a-4f0e-9a59-3a1f0b6f0e01",
            "containerRuntimeVersion": "containerd://2.1.4",
            "kernelVersion": "6.12.48",
            "kubeProxyVersion": "",
            "kubeletVersion": "v1.34.1",
            "machineID": "5f2a0c3d4e5b6a798897a6b5c4d3e2f1",
            "operatingSystem": "linux",
            "osImage": "Debian GNU/Linux 13 (trixie)",
            "systemUUID": "5f2a0c3d-4e5b-6a79-8897-a6b5c4d3e2f1",
        },
    }


def _image(number: int) -> dict[str, Any]:
    return {
        "names": [
            f"registry.example/team/service-{number}@sha256:{number:064x}",
            f"registry.example/team/service-{number}:v1.{number}.0",
        ],
        "sizeBytes": 50_000_000 + number,
    }
