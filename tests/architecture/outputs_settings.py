"""What ``config`` prints: about good settings, and about some with mistakes."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from exabgp_k8s.tryout.kubeapi import apiserver
from tests.architecture import outputs, repository

MISTAKES = """\
bgp:
  asn: 64512
peers:
  - name: tor-a1
    address: 192.0.2.1
    asn: 64513
    holdTime: 2
  - name: tor-a1
    address: 192.0.2.300
    asn: 64513
    nodeselector: {matchLabels: {rack: a}}
announce:
  services: {cidrs: [0.0.0.0/0]}
"""
RACKS = """\
bgp:
  asn: 64512
peers:
  - name: tor-a1
    address: 192.0.2.1
    asn: 64513
    nodeSelector: {matchLabels: {example.com/rack: a}}
  - name: tor-b1
    address: 192.0.2.3
    asn: 64513
    nodeSelector: {matchLabels: {example.com/rack: b}}
announce:
  services: {cidrs: [10.96.0.0/16]}
"""
SHORT = 32
"""Lines, where each says much the same as the one before."""
NODE = ["--node-ip", "192.0.2.11", "--label", "example.com/rack=a"]


def sections() -> Iterator[outputs.Section]:
    """Yield what ``config`` says of the example of the DaemonSet, and of the mistakes."""
    with _folder({"settings.yaml": repository.read("daemonset/settings.yaml")}):
        yield outputs.Section(
            title="The settings",
            text="Before they reach a node: is there a mistake, what do the defaults make of "
            "them, and what does ExaBGP get on a node with this address and label? "
            "The file is [`daemonset/settings.yaml`](../../daemonset/settings.yaml).",
            said=[
                outputs.said(["config", "validate", "settings.yaml"]),
                outputs.said(["config", "show", "settings.yaml"], longest=SHORT),
                outputs.said(["config", "render", "settings.yaml", *NODE], longest=SHORT),
                outputs.said(["config", "schema"], longest=SHORT),
            ],
        )
    with _folder({"settings.yaml": MISTAKES}):
        yield outputs.Section(
            title="Settings with mistakes",
            text="All of them at once, each with its line and with what to write instead.",
            said=[outputs.said(["config", "validate", "settings.yaml"])],
        )
    with _folder({"settings.yaml": RACKS, "nodes.json": json.dumps(_nodes())}):
        yield outputs.Section(
            title="Settings that do not fit the nodes",
            text="`nodes.json` is what `kubectl get nodes -o json` prints: `n1` stands in rack a, "
            "`n2` in rack c, of which no peer speaks.",
            said=[outputs.said(["config", "validate", "settings.yaml", "--nodes", "nodes.json"])],
        )


def _nodes() -> Mapping[str, object]:
    """Return the list of Nodes that kubectl prints, of a node in each of two racks."""
    racks = {"n1": "a", "n2": "c"}
    return {
        "kind": "List",
        "items": [
            apiserver.node_object(
                name, (f"192.0.2.1{name[1:]}", ""), (f"10.244.{name[1:]}.0/24", "")
            )
            | {"metadata": {"name": name, "labels": {"example.com/rack": rack}}}
            for name, rack in racks.items()
        ],
    }


@contextlib.contextmanager
def _folder(files: Mapping[str, str]) -> Iterator[None]:
    """Stand in a folder with these files: their names are in the outputs."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)
