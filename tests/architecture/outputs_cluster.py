"""What ``cluster`` prints, which is ``kubectl bgp``: five nodes, and four have one fault each.

The objects are in a small API server of ours, and the commands ask it. Only the clock is still.
"""

from __future__ import annotations

import contextlib
import tempfile
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest import mock

from exabgp_k8s.cli import cluster_asking
from exabgp_k8s.tryout.kubeapi import api, apiserver
from tests.architecture import outputs
from tests.cluster import samples
from tests.support import kubeapi

COMMANDS = (
    ["nodes"],
    ["nodes", "-o", "wide"],
    ["peers"],
    ["routes", "10.96.0.10"],
    ["sessions"],
    ["why", "n4"],
    ["metrics"],
)
SHORT = 24
"""Lines of the metrics."""


def sections() -> Iterator[outputs.Section]:
    """Yield what the commands say of the five."""
    with _kubeconfig() as path:
        yield outputs.Section(
            title="The whole cluster",
            text="Five nodes and two routers: `n2` is cordoned, on `n3` kube-proxy has failed, "
            "the routers expect another AS of `n4`, and `n5` refuses an edit of its settings. "
            "`exabgp-k8s cluster` prints the same. What `kubectl` alone shows, and more of this, "
            "stands in [Inspect the cluster](../how-to/inspect-cluster.md).",
            said=[_said(words, path) for words in COMMANDS],
        )


def _said(words: Sequence[str], kubeconfig: Path) -> str:
    """Return what the plugin prints, which has no word "cluster" before its commands."""
    longest = SHORT if words == ["metrics"] else outputs.LONGEST
    hidden = ["--kubeconfig", str(kubeconfig)]
    found = outputs.said(["cluster", *words], hidden=hidden, longest=longest)
    return found.replace("$ exabgp-k8s cluster ", "$ kubectl bgp ", 1)


@contextlib.contextmanager
def _kubeconfig() -> Iterator[Path]:
    now = types.SimpleNamespace(time=lambda: samples.NOW)
    with (
        tempfile.TemporaryDirectory() as folder,
        kubeapi.KubeApi() as server,
        mock.patch.object(cluster_asking, "time", now),
    ):
        nodes, speakers = samples.five()
        for node in nodes:
            server.put_node(node)
        for said in speakers:
            server.store.create(api.BGP_SPEAKERS, said)
        path = Path(folder) / "kubeconfig"
        path.write_text(apiserver.kubeconfig(server))
        yield path
