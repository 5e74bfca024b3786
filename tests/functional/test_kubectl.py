"""What a real kubectl shows of a node, and waits for, at a real API server with our rights.

Collected only where there is one: ``KUBEBUILDER_ASSETS``, see tests/support/controlplane.py.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exabgp_k8s.core.facts import model
from exabgp_k8s.tryout.kubeapi import apiserver
from exabgp_k8s.wire import bgpspeaker
from tests.architecture import repository
from tests.support import controlplane
from tests.support.lab import Lab, until
from tests.wire.test_bgpspeaker import long_rows

pytestmark = pytest.mark.functional


class Node:
    """A node in service at a real API server, and the admin's kubectl."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._config = lab.directory / "admin"
        self._config.write_text(apiserver.kubeconfig(lab.api.admin))

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start kubectl."""
        program = controlplane.kubectl()
        assert program is not None
        return subprocess.Popen(
            [program, "--kubeconfig", self._config, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def kubectl(self, *words: str) -> str:
        """Run kubectl to its end and return what it printed."""
        said = controlplane.TOO_BUSY
        while controlplane.TOO_BUSY in said:
            with self.begin(*words) as running:
                said, _ = running.communicate(timeout=120)
        assert running.returncode == 0, said
        return said

    def columns(self, *words: str) -> dict[str, str]:
        """Return the line of the node by its headings; no cell of it may be empty but REASON's."""
        head, line = self.kubectl("get", "bgpspeakers", *words).splitlines()
        begins = [head.index(name) for name in head.split()]
        ends = [*begins[1:], None]
        return {
            name: line[begin:end].strip()
            for name, begin, end in zip(head.split(), begins, ends, strict=True)
        }


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node whose routes are with the router."""
    with (
        controlplane.ControlPlane(tmp_path_factory.mktemp("control-plane")) as server,
        Lab(tmp_path_factory.mktemp("lab"), api=server) as lab,
    ):
        lab.up()
        yield Node(lab)


def is_all_announced(lab: Lab) -> bool:
    """Whether the object says that the router has both classes."""
    summary = lab.api.speaker(lab.name)["status"]["summary"]
    return bool(summary["services"] == summary["pods"] == "announced")


def test_kubectl_waits_until_a_cordoned_node_is_out_and_shows_why(node: Node) -> None:
    wait = ("wait", f"bgpspeaker/{node.lab.name}", "--timeout=120s")
    until(lambda: bool(node.lab.api.speaker(node.lab.name)), node.lab.state)
    node.kubectl(*wait, "--for=condition=Announcing")
    # What is only on its way is announced in that sense, and stays published for up to 5 s.
    until(lambda: is_all_announced(node.lab), node.lab.state)
    shown = node.columns()
    assert (shown["SESSIONS"], shown["SERVICES"], shown["PODS"]) == (
        "1/1",
        "announced",
        "announced",
    )
    assert (shown["REASON"], shown["STALE"]) == ("", "false")

    with node.begin(*wait, "--for=condition=Announcing=false") as waiting:
        node.lab.api.cordon(node.lab.name)
        said, _ = waiting.communicate(timeout=120)

    assert "condition met" in said
    assert not node.lab.router.routes()
    shown = node.columns("-o", "wide")
    assert (shown["SERVICES"], shown["PODS"], shown["REASON"]) == (
        "withheld", "withheld", "cordoned"
    )  # fmt: skip
    assert shown["ANNOUNCING"] == "No router has a route of this node; because of cordoned"
    node.lab.api.cordon(node.lab.name, False)
    node.kubectl(*wait, "--for=condition=Announcing")


def test_a_deleted_object_is_made_anew(node: Node) -> None:
    name, api = node.lab.name, node.lab.api
    until(lambda: bool(api.speaker(name)), node.lab.state)
    node.kubectl("delete", "bgpspeaker", name)

    api.cordon(name)
    until(lambda: bool(api.speaker(name)), node.lab.state)
    api.cordon(name, False)
    node.kubectl("wait", f"bgpspeaker/{name}", "--for=condition=Announcing", "--timeout=120s")


def test_a_node_on_which_all_is_wrong_has_an_object_of_8_kib_that_is_taken(node: Node) -> None:
    """Eight peers and eight prefixes, and at each of them a long text."""
    api, facts = node.lab.api, model.NodeFacts(name="n2", uid="5b0f")
    said = bgpspeaker.status(long_rows(), {}, time.time(), version="1", digest="0" * 64)
    last = {"lastContact": bgpspeaker.moment(time.time())}
    api.ask("POST", bgpspeaker.COLLECTION, bgpspeaker.new(facts))

    api.ask("PATCH", f"{bgpspeaker.COLLECTION}/n2/status", {"status": {**said, **last}})

    found = api.speaker("n2")
    assert found["status"] == {**said, **last}
    notes = found["metadata"].pop("managedFields")
    assert bgpspeaker.size(found) <= 8192
    assert len(json.dumps(notes)) < 4096
    api.ask("DELETE", f"{bgpspeaker.COLLECTION}/n2")


def test_all_of_it_is_applied_in_one_go(node: Node) -> None:
    """The definition, the rights and the policies are among it."""
    said = node.kubectl(
        "apply",
        "-k",
        str(Path(repository.ROOT) / "daemonset"),
        "--dry-run=server",
        "--server-side",
        "--force-conflicts",
    )

    assert "customresourcedefinition.apiextensions.k8s.io/bgpspeakers.exabgp-k8s.io" in said
    assert "validatingadmissionpolicy.admissionregistration.k8s.io/exabgp-k8s-bgpspeakers" in said
