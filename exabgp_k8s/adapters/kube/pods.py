"""Ask the API server whether our own pod is replaced or ends for good."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping

from exabgp_k8s.adapters.kube import client
from exabgp_k8s.wire import pods

PODS = "/api/v1/namespaces/{namespace}/pods/{name}"
DAEMON_SETS = "/apis/apps/v1/namespaces/{namespace}/daemonsets/{name}"


def why_nobody_comes(
    api: client.Client, namespace: str, name: str, labels: Mapping[str, str]
) -> str:
    """Return in words why no successor of a pod is to be expected; empty: one is.

    Args:
        api: where to ask.
        namespace: of the pod and its DaemonSet.
        name: of the pod.
        labels: of its node.

    Raises:
        errors.KubeError: an object is not there, or cannot be read.
    """
    pod = pods.parse_pod(api.request("GET", _path(PODS, namespace, name)))
    why = pods.why_nobody_comes(pod, None, labels)
    if why:
        return why
    body = api.request("GET", _path(DAEMON_SETS, namespace, pod.owner.name))
    return pods.why_nobody_comes(pod, pods.parse_daemon_set(body), labels)


def _path(pattern: str, namespace: str, name: str) -> str:
    quoted = {"namespace": urllib.parse.quote(namespace), "name": urllib.parse.quote(name)}
    return pattern.format(**quoted)
