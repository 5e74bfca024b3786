"""A node as an object of the cluster: what a real agent says of itself, and when.

The same at a real API server, by a real kubectl: test_kubectl.py.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import kubeapi
from tests.support.lab import Lab, until

pytestmark = pytest.mark.functional


def status(lab: Lab) -> dict[str, Any]:
    """Return what is published of the node."""
    found: dict[str, Any] = lab.api.speaker(lab.name).get("status", {})
    return found


def sent(lab: Lab) -> dict[str, list[str]]:
    """Return which peers have been sent each prefix, as it is published."""
    return {each["prefix"]: each["sentTo"] for each in status(lab).get("prefixes", ())}


def announcing(lab: Lab) -> dict[str, Any]:
    """Return the condition that scripts wait for."""
    found = (each for each in status(lab).get("conditions", ()) if each["type"] == "Announcing")
    return next(found, {"status": "", "reason": ""})


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A node in service; whoever changes anything puts it back."""
    with Lab(tmp_path_factory.mktemp("lab")) as found:
        found.up()
        yield found


def test_the_object_says_what_the_node_says(lab: Lab) -> None:
    until(lambda: sent(lab) == {lab.services: ["tor"], lab.pods: ["tor"]}, lab.state)

    found, (session,) = lab.api.speaker(lab.name), lab.json("sessions")
    assert (
        found["metadata"]["ownerReferences"][0]["uid"]
        == (lab.api.node(lab.name)["metadata"]["uid"])
    )
    (published,) = found["status"]["sessions"]
    assert (published["peer"], published["state"]) == (session["peer"], session["state"])
    digest = subprocess.run(
        ["sha256sum", lab.settings], capture_output=True, text=True, check=True
    ).stdout
    assert digest.startswith(found["status"]["settings"]["digest"])

    lab.write("peers: soon")
    until(lambda: status(lab)["settings"]["stale"], lambda: status(lab))
    lab.write(lab.document())
    until(lambda: not status(lab)["settings"]["stale"], lambda: status(lab))


def test_a_cordon_is_seen_at_the_api_server_when_the_router_has_withdrawn(lab: Lab) -> None:
    until(lambda: announcing(lab)["status"] == "True", lambda: (status(lab), lab.log()))

    lab.api.cordon(lab.name)
    until(lambda: announcing(lab)["status"] == "False", lambda: status(lab))

    assert not lab.router.routes()
    assert announcing(lab)["reason"] == "Cordoned"
    assert status(lab)["summary"]["reason"] == "cordoned"
    (reason, *_) = status(lab)["prefixes"][0]["reasons"]
    assert reason["since"] == status(lab)["summary"]["since"]

    lab.api.cordon(lab.name, False)
    until(lambda: announcing(lab)["status"] == "True", lambda: status(lab))


def test_the_node_says_why_its_object_is_not_written_and_does_all_else(tmp_path: Path) -> None:
    with kubeapi.KubeApi() as server, Lab(tmp_path, api=server) as lab:
        server.inject_always(kubeapi.status(404), on=kubeapi.BGP_SPEAKERS)
        lab.up()
        until(lambda: "404" in lab.json("status")["bgpspeaker"]["problem"], lab.state)

        assert "not written: the API server answered 404" in lab.cli("status").stdout
        assert lab.log().count("bgpspeaker.refused") == 1
        lab.api.cordon(lab.name)
        lab.expect()


@pytest.mark.fault(
    area="control plane",
    what="the API server never answers to what the node says of itself",
    sees="nothing: cordons and all else take effect as ever",
    within="0 s",
)
def test_a_write_that_hangs_delays_no_cordon(tmp_path: Path) -> None:
    with kubeapi.KubeApi() as server, Lab(tmp_path, api=server) as lab:
        server.inject_always(server.deafness, on=kubeapi.BGP_SPEAKERS)
        lab.up()
        agent = lab.agent.pid
        until(lambda: server.count(kubeapi.BGP_SPEAKERS) > 0, lab.state)

        lab.api.cordon(lab.name)
        lab.expect()

        assert lab.agent.pid == agent
        assert lab.json("status")["kubernetes"]["problem"] == ""
