"""What a Node's Events say of its agent, and that nothing depends on them.

On our own API server, and on a real one where there is (see test_control_plane.py): there with
the rights that daemonset/rbac.yaml gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import asking, controlplane, kubeapi
from tests.support.lab import Document, Lab, until

pytestmark = pytest.mark.functional


@pytest.fixture(params=controlplane.KINDS)
def server(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[kubeapi.KubeApi | controlplane.ControlPlane]:
    """An API server of either kind."""
    if request.param == "own":
        with kubeapi.KubeApi() as own:
            yield own
        return
    folder = tmp_path / "control-plane"
    folder.mkdir()
    with controlplane.ControlPlane(folder) as real:
        yield real


def events(lab: Lab, reason: str) -> list[dict[str, Any]]:
    """Return the Events of a reason that the Node has, by its real uid."""
    uid = lab.api.node(lab.name)["metadata"]["uid"]
    return [
        each
        for each in lab.api.events()
        if each["reason"] == reason
        and (each["involvedObject"]["kind"], each["involvedObject"]["uid"]) == ("Node", uid)
    ]


def badly_edited(lab: Lab) -> Document:
    document = lab.document()
    document["announce"]["services"]["cidrs"] = ["10.98.0.0/16"]
    document["peers"][0]["holdTime"] = "soon"
    return document


@pytest.mark.fault(
    area="settings",
    what="an edit with a mistake",
    sees="nothing: all of it is refused; `status`, a metric, the log and an Event say so",
    within="0 s",
)
def test_a_bad_edit_is_seen_everywhere_but_at_the_router_until_it_is_mended(
    server: kubeapi.KubeApi | controlplane.ControlPlane, tmp_path: Path
) -> None:
    with Lab(tmp_path, api=server) as lab:
        lab.up()
        before = lab.router.routes()

        lab.write(badly_edited(lab))
        until(lambda: bool(events(lab, "SettingsRefused")), lab.state)

        assert "peers[0].holdTime" in events(lab, "SettingsRefused")[0]["message"]
        assert lab.json("status")["settings"]["stale"]
        assert "exabgp_k8s_settings_stale 1.0" in metrics(lab)
        assert "settings.refused" in lab.log()

        lab.write(lab.document())
        until(lambda: bool(events(lab, "SettingsAccepted")), lab.state)

        assert not lab.json("status")["settings"]["stale"]
        assert "exabgp_k8s_settings_stale 0.0" in metrics(lab)
        assert lab.router.routes() == before

        lab.write(badly_edited(lab))
        until(lambda: [each["count"] for each in events(lab, "SettingsRefused")] == [2], lab.state)
        # One for each change of the settings and one for the start.
        assert len(lab.api.events()) == 3


def metrics(lab: Lab) -> str:
    return asking.http(lab.http_port, "/metrics")[1]


@pytest.mark.fault(
    area="control plane",
    what="the API server refuses or never answers to Events",
    sees="nothing: cordons and all else take effect as ever",
    within="0 s",
)
@pytest.mark.parametrize("fault", ["refused", "unanswered"])
def test_events_that_cannot_be_written_change_nothing_else(fault: str, tmp_path: Path) -> None:
    with kubeapi.KubeApi() as server, Lab(tmp_path, api=server) as lab:
        answers = {"refused": kubeapi.status(403), "unanswered": server.deafness}
        server.inject_always(answers[fault], on=kubeapi.EVENTS)
        lab.up()
        agent = lab.agent.pid
        until(lambda: server.count(kubeapi.EVENTS) > 0, lab.state)

        lab.api.cordon(lab.name, True)
        lab.expect()
        lab.api.cordon(lab.name, False)
        lab.expect(lab.services, lab.pods)

        assert lab.agent.pid == agent
        assert lab.json("status")["kubernetes"]["problem"] == ""
        assert not lab.api.events()
        assert "event.lost" not in lab.log()
