"""Five nodes before two routers: one is well, and each of the others has one fault.

=====  ==========================================================================
``n1``  is well
``n2``  is cordoned
``n3``  fails its check: what answered for kube-proxy is killed
``n4``  says another AS number than the routers expect: they answer NOTIFICATION 2/2
``n5``  refuses an edit of its settings
=====  ==========================================================================

One router runs BIRD and the other FRR. The API server is ours, or a real one where there is one;
then each agent has the token of a pod on its node, and people have the role that is for them.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import yaml

from exabgp_k8s.tryout.kubeapi import api, apiserver, store
from exabgp_k8s.wire import bgpspeaker
from tests.architecture import repository
from tests.fabric import (
    addresses,
    agents,
    bird,
    cluster,
    frr,
    relay,
    routers,
    topology,
    volume,
    waiting,
)
from tests.support import controlplane

CORDONED, FAILING, REFUSED, STALE = "n2", "n3", "n4", "n5"
LABEL = "example.com/asn"
WRONG_ASN = 64599
LIMIT = 240.0
"""Seconds until everything is as it is to be: five nodes start together on a busy machine."""
URL = f"{addresses.API_SERVER}:{cluster.API_PORT}"

ADMIN = "router-admin"
PEOPLE: tuple[dict[str, Any], ...] = (
    {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": ADMIN, "namespace": controlplane.NAMESPACE},
    },
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": ADMIN},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "exabgp-k8s-view",
        },
        "subjects": [
            {"kind": "ServiceAccount", "name": ADMIN, "namespace": controlplane.NAMESPACE}
        ],
    },
)
"""An account with the role that is for people, and no other right."""


class Server(Protocol):
    """What the bed wants of an API server of either kind."""

    def kubeconfig_of(self, node: str) -> str:
        """Return how the agent of a node reaches it."""

    def kubeconfig_of_people(self) -> str:
        """Return how a router's admin reaches it."""

    def speakers(self) -> dict[str, dict[str, Any]]:
        """Return the BGPSpeakers as they are stored."""

    def cordon(self, name: str) -> None:
        """Cordon a node."""

    def close(self) -> None:
        """End it."""


class Own:
    """The API server of ``try``."""

    def __init__(self, fabric: topology.Fabric, nodes: Sequence[Mapping[str, Any]]) -> None:
        self._api = apiserver.ApiServer(nodes=nodes)
        self._api.start(fabric.control.listen(addresses.API_SERVER, cluster.API_PORT))
        self.cordon = self._api.cordon
        self.close = self._api.stop

    def kubeconfig_of(self, _: str) -> str:
        """Return a kubeconfig; everybody may do everything."""
        return apiserver.kubeconfig(self._api)

    def kubeconfig_of_people(self) -> str:
        """Return the same."""
        return apiserver.kubeconfig(self._api)

    def speakers(self) -> dict[str, dict[str, Any]]:
        """Return the BGPSpeakers as they are stored."""
        found, _ = self._api.store.find(api.BGP_SPEAKERS, store.Scope())
        return {each["metadata"]["name"]: each for each in found}


class Real:
    """A kube-apiserver with its etcd, on loopback of the machine."""

    def __init__(self, fabric: topology.Fabric, nodes: Sequence[Mapping[str, Any]]) -> None:
        folder = fabric.directory / "control-plane"
        folder.mkdir()
        self._stack = contextlib.ExitStack()
        self._api = self._stack.enter_context(controlplane.ControlPlane(folder))
        listener = fabric.control.listen(addresses.API_SERVER, cluster.API_PORT)
        self._stack.callback(relay.Relay(listener, self._api.port).close)
        for node in nodes:
            self._api.put_node(node)
            self._api.patch_node(node["metadata"]["name"], {"status": node["status"]})
        self.cordon = self._api.cordon
        self.close = self._stack.close

    def kubeconfig_of(self, node: str) -> str:
        """Return a kubeconfig with a token that was made for a pod on the node."""
        return self._kubeconfig(self._api.token_of(node))

    def kubeconfig_of_people(self) -> str:
        """Return a kubeconfig of an account with the role for people, and no other right."""
        for document in (*yaml.safe_load_all(repository.read("daemonset/view.yaml")), *PEOPLE):
            self._api.apply(document)
        path = f"/api/v1/namespaces/{controlplane.NAMESPACE}/serviceaccounts/{ADMIN}/token"
        answer = self._api.ask("POST", path, {"spec": {"expirationSeconds": 86400}})
        return self._kubeconfig(answer["status"]["token"])

    def speakers(self) -> dict[str, dict[str, Any]]:
        """Return the BGPSpeakers as they are stored."""
        found = self._api.ask("GET", bgpspeaker.COLLECTION)["items"]
        return {each["metadata"]["name"]: each for each in found}

    def _kubeconfig(self, token: str) -> str:
        reached = controlplane.Admin(f"https://{URL}", self._api.ca, token)
        document = json.loads(apiserver.kubeconfig(reached))
        # The certificate is for the loopback address that it listens on.
        document["clusters"][0]["cluster"]["tls-server-name"] = "localhost"
        return json.dumps(document)


SERVERS: Mapping[str, Callable[..., Server]] = {"own": Own, "real": Real}


class Five:
    """The bed with its agents, as it is once every fault has come to be known."""

    def __init__(self, kind: str) -> None:
        self.has_kubectl = kind == "real" and controlplane.kubectl() is not None
        self.fabric = topology.Fabric([bird.Bird, frr.Frr], nodes_wanted=5)
        self._close: list[Callable[[], None]] = [self.fabric.delete]
        self.agents: dict[str, agents.NodeAgent] = {}
        try:
            self._build(kind)
            self._start()
            self._break()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove everything."""
        while self._close:
            self._close.pop()()

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ours, or kubectl, as a router's admin at the API server's host."""
        return subprocess.run(
            ["ip", "netns", "exec", self.fabric.control.name, *argv],
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                "KUBECONFIG": str(self.kubeconfig),
                "COLUMNS": "100",
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            },
        )

    def cluster(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """``exabgp-k8s cluster``."""
        return self.run(sys.executable, "-m", "exabgp_k8s", "cluster", *arguments)

    def kubectl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """``kubectl``, the one beside the real API server; it finds our plugin on the PATH."""
        return self.run(str(controlplane.kubectl()), *arguments)

    def speakers(self) -> dict[str, dict[str, Any]]:
        """Return the status of each BGPSpeaker as it is stored."""
        return {name: each.get("status", {}) for name, each in self.api.speakers().items()}

    # -- how it comes to be -----------------------------------------------------------------------

    def _build(self, kind: str) -> None:
        objects = [cluster.node_object(node) for node in self.fabric.nodes]
        for each in objects:
            is_wrong = each["metadata"]["name"] == REFUSED
            asn = WRONG_ASN if is_wrong else addresses.NODE_ASN
            each["metadata"]["labels"][LABEL] = str(asn)
        self.api = SERVERS[kind](self.fabric, objects)
        self._close.append(self.api.close)
        self._settings = _settings(self.fabric.routers)
        common = self._volume("settings")
        self._own = self._volume("own-settings")
        self.kubeconfig = self._file("kubeconfig", self.api.kubeconfig_of_people())
        for node in self.fabric.nodes:
            mounted = self._own if node.name == STALE else common
            self.agents[node.name] = agents.NodeAgent(
                node,
                settings=mounted.path / cluster.SETTINGS,
                kubeconfig=self._file(
                    f"kubeconfig-{node.name}", self.api.kubeconfig_of(node.name)
                ),
                passwords={},
            )

    def _volume(self, name: str) -> volume.Volume:
        found = {cluster.SETTINGS: json.dumps(self._settings)}
        return volume.Volume(self.fabric.directory / name, found)

    def _file(self, name: str, text: str) -> Path:
        path = self.fabric.directory / name
        path.write_text(text)
        return path

    def _start(self) -> None:
        for agent in self.agents.values():
            agent.start()
        self._until(
            lambda found: all(
                each["summary"]["services"] == each["summary"]["pods"] == "announced"
                for name, each in found.items()
                if name != REFUSED
            ),
            "all but one announce everything",
        )

    def _break(self) -> None:
        self.api.cordon(CORDONED)
        self.fabric.node(FAILING).kill_kube_proxy()
        wrong = json.loads(json.dumps(self._settings))
        wrong["peers"][0]["asn"] = "64513 or so"
        self._own.write({cluster.SETTINGS: json.dumps(wrong)})
        self._until(lambda found: all(_is_known(found).values()), "every fault is known")

    def _until(self, condition: Callable[[Mapping[str, Any]], bool], what: str) -> None:
        def holds() -> bool:
            found = self.speakers()
            return len(found) == len(self.agents) and all(found.values()) and condition(found)

        waiting.until(holds, what, limit=LIMIT, interval=0.2)


def _is_known(found: Mapping[str, Any]) -> dict[str, bool]:
    """Return for each node with a fault whether its object says so."""
    return {
        CORDONED: found[CORDONED]["summary"].get("reason") == "cordoned"
        and found[CORDONED]["summary"]["services"] == "withheld",
        FAILING: found[FAILING]["summary"].get("reason") == "unhealthy:kube-proxy"
        and found[FAILING]["summary"]["services"] == "withheld",
        REFUSED: all(
            "bad peer AS" in each.get("lastError", "") for each in found[REFUSED]["sessions"]
        ),
        STALE: found[STALE]["settings"]["stale"],
    }


def _settings(peers: Sequence[routers.Router]) -> dict[str, Any]:
    document = cluster.settings(peers, {}, {})
    document["bgp"]["asn"] = {"fromLabel": LABEL}
    for peer, name in zip(document["peers"], ("tor-a1", "tor-a2"), strict=True):
        peer["name"] = name
    return document
