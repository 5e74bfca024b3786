"""Each right of the agents' account belongs to a request in the code, and each request has one.

The requests are read from the code. What they ask for is written here once; a request that is new
is asked about, and so is a right of which no request is left. That the rights are enough for all
that the agent does is seen where there is a real API server, in the functional tests.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from exabgp_k8s.adapters.kube import pods as own_pod
from exabgp_k8s.adapters.kube import ranges, reflector
from exabgp_k8s.wire import bgpspeaker, kube_events, leases, pod_ranges, servers
from tests.architecture import imports, kustomize

Right = tuple[str, str, str]
"""API group, resource and verb."""

SPEAKER = bgpspeaker.COLLECTION
WATCHED = (reflector.NODES, pod_ranges.CILIUM_NODES, pod_ranges.BLOCK_AFFINITIES)
REQUESTS: dict[tuple[str, str], list[tuple[str, str]]] = {
    ("addresses", "GET"): [(servers.SLICE.rpartition("/")[0], "get")],
    ("events", "PATCH"): [(kube_events.COLLECTION, "patch")],
    ("events", "POST"): [(kube_events.COLLECTION, "create")],
    ("leases", "GET"): [(leases.COLLECTION, "get")],
    ("leases", "POST"): [(leases.COLLECTION, "create")],
    ("leases", "PUT"): [(leases.COLLECTION, "update")],
    ("other_leases", "GET"): [(leases.COLLECTION, "list")],
    ("pods", "GET"): [
        (own_pod.PODS.rpartition("/")[0], "get"),
        (own_pod.DAEMON_SETS.rpartition("/")[0], "get"),
    ],
    ("publisher", "GET"): [(SPEAKER, "get")],
    ("publisher", "PATCH"): [(SPEAKER, "patch"), (f"{SPEAKER}/status", "patch")],
    ("publisher", "POST"): [(SPEAKER, "create")],
    ("ranges", "GET"): [(ranges.PATH, "list")],
    ("watching", "GET"): [(path, "list") for path in WATCHED],
    ("watching", "WATCH"): [(path, "watch") for path in WATCHED],
}
"""What each request of the agent takes, by the module and the method."""
NOT_THE_AGENTS = {("pages", "GET")}
"""What people ask with their own account, by the command line."""
TRANSPORT = {"client", "library"}


def requests() -> Iterator[tuple[str, str]]:
    """Yield every request that stands in the code: its module and its method."""
    for name, module in imports.modules().items():
        package, _, last = name.rpartition(".")
        if package != "exabgp_k8s.adapters.kube" or last in TRANSPORT:
            continue
        for node in ast.walk(module.tree):
            match node:
                case ast.Call(func=ast.Attribute(attr="request"), args=[ast.Constant(value), *_]):
                    yield last, str(value)
                case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="_api"), attr="watch")):
                    yield last, "WATCH"
                case _:
                    pass


def right(path: str, verb: str) -> Right:
    """Return what RBAC calls a request of a collection, or of a part of its objects."""
    path, is_part, part = path.partition("/status")
    parts = path.strip("/").split("/")
    return "" if parts[0] == "api" else parts[1], parts[-1] + is_part + part, verb


def allowed() -> set[Right]:
    """Return all that the manifests allow the account, with the plugins' components."""
    document = {
        "resources": [str(kustomize.BASE)],
        "components": ["components/pods-from-calico", "components/pods-from-cilium"],
    }
    objects = kustomize.made(document, kustomize.BASE)
    bound = {
        (each["roleRef"]["kind"], each["metadata"].get("namespace", ""), each["roleRef"]["name"])
        for each in objects
        if each["kind"].endswith("RoleBinding")
    }
    rules: list[dict[str, Any]] = [
        rule
        for key, each in kustomize.by_name(objects).items()
        if key in bound
        for rule in each["rules"]
    ]
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_every_request_in_the_code_is_known() -> None:
    assert set(requests()) == REQUESTS.keys() | NOT_THE_AGENTS


def test_the_account_has_a_right_for_each_request_and_no_other_one() -> None:
    needed = {right(path, verb) for asked in REQUESTS.values() for path, verb in asked}

    assert allowed() == needed
