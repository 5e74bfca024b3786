"""The nodes of a cluster for ``config validate --nodes``: from a file, or asked for.

What is given says itself what it is: the output of ``kubectl get nodes -o json`` (or yaml) is
read, and the API server of a kubeconfig is asked.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import yaml

from exabgp_k8s.adapters.kube import client
from exabgp_k8s.cli import exits
from exabgp_k8s.core.facts import model
from exabgp_k8s.errors import KubeError
from exabgp_k8s.wire import kube_node

PAGE = 250
"""Nodes in one answer: some megabytes, as large clusters have large Nodes."""


def read(source: Path) -> tuple[model.NodeFacts, ...]:
    """Return the nodes that a file names, or end with what to give instead."""
    document = _document(source)
    items: Any = None
    match document:
        case {"kind": "Config", "clusters": _}:
            return _asked(source)
        case {"kind": "Node"}:
            items = [document]
        case {"kind": "NodeList" | "List", "items": list()}:
            items = [item for item in document["items"] if _is_node(item)]
        case _:
            pass
    if not items:
        exits.fail(
            f"--nodes: {source} holds no Nodes; give the output of `kubectl get nodes -o json`, "
            "or a kubeconfig to ask for them"
        )
    return tuple(kube_node.parse(item) for item in items)


def _is_node(item: object) -> bool:
    # In a NodeList the items need not say again what they are.
    return isinstance(item, dict) and item.get("kind", "Node") == "Node"


def _document(source: Path) -> Any:
    try:
        with click.open_file(str(source), encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        exits.fail(f"--nodes: {source} cannot be read: {error}")
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        # libyaml, where PyYAML has it: thousands of Nodes take minutes without.
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except (yaml.YAMLError, ValueError, RecursionError):
        exits.fail(f"--nodes: {source} is neither JSON nor YAML")


def _asked(kubeconfig: Path) -> tuple[model.NodeFacts, ...]:
    """Ask the API server for its nodes, a page at a time."""
    api = client.Client(client.Access(kubeconfig=kubeconfig))
    found: list[model.NodeFacts] = []
    query = {"limit": str(PAGE)}
    try:
        while True:
            page = json.loads(api.request("GET", "/api/v1/nodes", query=query))
            found += [kube_node.parse(item) for item in page.get("items") or ()]
            following = page.get("metadata", {}).get("continue")
            if not following:
                return tuple(found)
            query = {"limit": str(PAGE), "continue": following}
    except (KubeError, ValueError, AttributeError) as error:
        exits.fail(f"--nodes: the API server of {kubeconfig} does not show its nodes: {error}")
    finally:
        api.close()
