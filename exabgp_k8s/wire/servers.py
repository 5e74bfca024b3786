"""The API servers' own addresses, as they keep them themselves.

Every API server writes its address into one EndpointSlice, which the Service ``kubernetes`` has
its endpoints from. What stands there is only where to knock: who answers has to have a
certificate of the cluster's authority for ``TLS_NAME``, before anything is said to it.

Source: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from exabgp_k8s import errors

SLICE = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes"

TLS_NAME = "kubernetes.default.svc"
"""A name of every API server of a cluster: what its own pods may call it by."""

MOST = 9
"""Servers that are kept; more than five have no use, as etcd has no more members."""

_PORTS = range(1, 65536)


def parse(body: bytes) -> tuple[str, ...]:
    """Return each ``ADDRESS:PORT`` of the EndpointSlice.

    Raises:
        errors.KubeError: the body is no EndpointSlice.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise errors.KubeError("the API server sent what is no JSON") from None
    match document:
        case {"endpoints": list() | None as endpoints, "ports": list() | None as ports}:
            pass
        case _:
            raise errors.KubeError("the answer is not an EndpointSlice")
    numbers = [number for each in ports or () for number in _secure(each)]
    addresses = [address for each in endpoints or () for address in _ready(each)]
    return usable(f"{address}:{number}" for address in addresses for number in numbers)


def usable(found: Iterable[object]) -> tuple[str, ...]:
    """Return those texts that are an address of one host and a port, each once, not too many."""
    kept = dict.fromkeys(text for each in found if (text := _endpoint(each)))
    return tuple(kept)[:MOST]


def dump(found: Iterable[str]) -> str:
    """Return text to keep, which ``load`` reads back."""
    return json.dumps({"servers": list(found)})


def load(text: str) -> tuple[str, ...]:
    """Return what was kept; nothing, if it cannot be read."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    match document:
        case {"servers": list() as found}:
            return usable(found)
        case _:
            return ()


def _secure(port: object) -> Iterator[int]:
    match port:
        case {"name": "https", "port": int() as number} if number in _PORTS:
            yield number
        case _:
            pass


def _ready(endpoint: object) -> Iterator[str]:
    match endpoint:
        case {"conditions": {"ready": False}}:
            return
        case {"addresses": list() as found}:
            yield from (_bracketed(each) for each in found if isinstance(each, str))
        case _:
            pass


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _endpoint(value: object) -> str:
    """Return a text in its usual form; empty: it names no host that can be connected to."""
    host, colon, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    is_number = port.isascii() and port.isdecimal() and len(port) <= len(str(_PORTS[-1]))
    if not colon or not is_number or int(port) not in _PORTS or "%" in host:
        return ""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return ""
    # A link-local address would need its interface.
    if address.is_unspecified or address.is_multicast or address.is_link_local:
        return ""
    return f"{_bracketed(str(address))}:{int(port)}"


def is_chosen(environment: Mapping[str, Any]) -> bool:
    """Return whether somebody chose another server than the ClusterIP that kubelet writes.

    Into every container kubelet writes that address twice: where the libraries look, and in the
    older ``KUBERNETES_PORT``. Who overrides the first in a manifest leaves the second.
    """
    host = str(environment.get("KUBERNETES_SERVICE_HOST", ""))
    said, _, port = str(environment.get("KUBERNETES_PORT", "")).rpartition("//")[2].rpartition(":")
    if str(environment.get("KUBERNETES_SERVICE_PORT", port)) != port:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")) != ipaddress.ip_address(said.strip("[]"))
    except ValueError:
        return True
