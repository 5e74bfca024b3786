"""The Leases of other nodes' agents, written as those would write them."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import client
from exabgp_k8s.core.facts import budget
from exabgp_k8s.wire import leases

NAMESPACE = "exabgp-k8s"
PATH = leases.COLLECTION.format(namespace=NAMESPACE)
CONFLICT = 409
PATIENCE = 120.0
"""Seconds for an answer of a server that 200 agents ask, all in one process of a busy machine."""


class Rivals:
    """Other nodes of the cluster, as far as the outage budget sees them."""

    def __init__(self, kubeconfig: Path) -> None:
        self._api = client.Client(
            client.Access(kubeconfig=kubeconfig, connect_timeout=PATIENCE, answer_timeout=PATIENCE)
        )

    def say(self, node: str, standing: budget.Standing, *, lasts: int = 3600) -> None:
        """Have a node's Lease say this, from now on."""
        now = time.time()
        lease = leases.Lease(
            node=node, standing=standing, renewed=now, since=now, lasts=lasts, uid=f"uid-{node}"
        )
        try:
            self._api.request("POST", PATH, body=leases.render(lease))
        except errors.KubeError as error:
            if error.status != CONFLICT:
                raise
            own = f"{PATH}/{leases.name_of(node)}"
            version = leases.parse(self._api.request("GET", own), node).version
            lease = dataclasses.replace(lease, version=version)
            self._api.request("PUT", own, body=leases.render(lease))

    def all(self) -> dict[str, leases.Lease]:
        """Return every Lease of the budget by its node."""
        found = leases.parse_page(self._api.request("GET", PATH))
        return {each.node: each for each in found.leases}
