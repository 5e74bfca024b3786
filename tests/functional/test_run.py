"""The whole program against a real router and API server: what the router sees of everything."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support import asking
from tests.support.lab import PORT, Lab, until
from tests.support.processes import is_gone

pytestmark = pytest.mark.functional


def test_a_node_object_becomes_routes_at_the_router(lab: Lab) -> None:
    lab.up()

    assert lab.json("sessions")[0]["state"] == "Established"
    assert {row["state"] for row in lab.json("routes")} == {"announced"}
    assert lab.cli("status").returncode == 0


def test_a_cordon_withdraws_both_and_an_uncordon_brings_them_back(lab: Lab) -> None:
    lab.up()

    lab.api.cordon(lab.name, True)
    lab.expect()
    assert [row["reason"] for row in lab.json("why", lab.pods)[0]["withheld"]] == ["cordoned"]
    assert lab.cli("status").returncode == 1
    for cause in ("session", "node"):
        line = f'exabgp_k8s_reaction_seconds_count{{cause="{cause}"}} 1.0'
        until(lambda line=line: line in _get(lab, "/metrics")[1], lab.state)  # type: ignore[misc]
    lab.api.cordon(lab.name, False)
    lab.expect(lab.services, lab.pods)


def test_a_drain_that_is_waited_for_has_left_the_router_when_it_returns(lab: Lab) -> None:
    lab.up()

    drained = lab.cli("drain", "--wait")

    assert (drained.returncode, drained.stdout) == (0, "drained\n")
    assert lab.router.routes() == {}
    assert lab.router.is_up
    assert lab.cli("undrain").returncode == 0
    lab.expect(lab.services, lab.pods)


def test_sigterm_withdraws_before_the_session_closes(lab: Lab) -> None:
    """With graceful restart a router keeps the routes of a session that merely closes."""
    document = lab.document()
    document["peers"][0]["gracefulRestart"] = "120s"
    lab.write(document)
    lab.up()
    assert lab.process is not None

    lab.process.send_signal(signal.SIGTERM)

    assert lab.process.wait(120) == 0
    assert lab.router.routes() == {}
    assert lab.processes() == ()


def test_a_drain_outlives_the_agent_it_was_asked_of(lab: Lab) -> None:
    lab.up()
    lab.cli("drain", "--wait")
    crashed = lab.agent

    crashed.send_signal(signal.SIGKILL)
    until(lambda: is_gone(crashed) and lab.cli("status").returncode == 1, lab.state)

    until(lambda: lab.json("status")["phase"] == "drained", lab.state)
    assert lab.router.routes() == {}


def test_settings_change_without_touching_the_session(lab: Lab) -> None:
    lab.up()
    since = lab.json("sessions")[0]["times_up"]
    document = lab.document()
    document["announce"]["services"]["cidrs"].append("10.97.0.0/16")
    document["peers"][0]["attributes"] = {"communities": ["64512:10"], "med": 7}

    lab.write(document)

    lab.expect(lab.services, lab.pods, "10.97.0.0/16")
    until(lambda: "(64512,10)" in lab.router.show(f"route {lab.services} all"), lab.state)
    assert lab.json("sessions")[0]["times_up"] == since


def test_bad_settings_are_refused_whole_and_change_nothing(lab: Lab) -> None:
    lab.up()
    document = lab.document()
    document["announce"]["services"]["cidrs"] = ["10.98.0.0/16"]
    document["peers"][0]["holdTime"] = "soon"

    lab.write(document)
    until(lambda: lab.json("status")["settings"]["stale"], lab.state)

    assert "peers[0].holdTime" in lab.json("status")["settings"]["problems"][0]
    assert set(lab.router.routes()) == {lab.services, lab.pods}
    assert "exabgp_k8s_settings_stale 1.0" in _get(lab, "/metrics")[1]


@pytest.mark.fault(
    area="two at once",
    what="the settings are bad and the agent is killed",
    sees="nothing: the last good settings stay in force",
    within="0 s",
)
def test_bad_settings_and_a_crash_together_still_change_nothing(lab: Lab) -> None:
    lab.up()
    before = lab.router.routes()
    lab.write("bgp: nonsense")
    until(lambda: lab.json("status")["settings"]["stale"], lab.state)
    crashed = lab.agent

    crashed.send_signal(signal.SIGKILL)
    # The settings are still refused, so "no" is the answer; that there is one counts.
    until(lambda: is_gone(crashed) and bool(lab.cli("status").stdout), lab.state)

    until(lambda: lab.json("status")["settings"]["stale"], lab.state)
    assert lab.router.routes() == before


@pytest.mark.fault(
    area="control plane",
    what="the API server is away",
    sees="nothing",
    within="0 s",
)
def test_an_absent_api_server_changes_nothing(lab: Lab) -> None:
    lab.up()
    before = lab.router.routes()

    lab.api.stop()
    until(lambda: bool(lab.json("status")["kubernetes"]["problem"]), lab.state)

    assert lab.router.routes() == before


@pytest.mark.fault(
    area="two at once",
    what="an edit with a mistake comes while a node boots",
    sees="the node comes with the settings that `run` has checked",
    within="the usual start",
)
def test_an_edit_with_a_mistake_while_the_agent_starts_is_refused(lab: Lab) -> None:
    lab.start()
    until(lambda: "exabgp.started" in lab.log(), lab.state)

    lab.write("bgp: nonsense")

    lab.expect(lab.services, lab.pods)
    until(lambda: lab.json("status")["settings"]["stale"], lab.state)


def test_settings_with_mistakes_start_nothing(lab: Lab) -> None:
    lab.write("bgp: {asn: 0}\npeers: []\nannounce: {services: {cidrs: [10.96.0.1/16]}}\n")

    lab.start()
    assert lab.process is not None

    assert lab.process.wait(120) == 2
    (line,) = lab.log().splitlines()
    said = json.loads(line)
    assert (said["event"], said["level"]) == ("settings.refused", "error")
    assert len(said["problems"]) == 3
    assert said["effect"] == "nothing is announced"
    assert not list(lab.state_dir.glob("settings*"))


@pytest.mark.parametrize(
    ("mode", "owner", "words"),
    [
        (0o777, None, "others may write to"),
        (0o770, None, "others may write to"),
        (0o755, 65531, "belongs to another user, 65531"),
    ],
)
def test_a_state_directory_that_others_can_change_is_not_believed(
    lab: Lab, mode: int, owner: int | None, words: str
) -> None:
    lab.state_dir.mkdir()
    lab.state_dir.chmod(mode)
    if owner is not None and os.geteuid() == 0:
        os.chown(lab.state_dir, owner, -1)
    elif owner is not None:
        lab.state_dir = Path("/usr")
        words = "belongs to another user, 0"

    lab.start()
    assert lab.process is not None

    assert lab.process.wait(120) == 2
    assert words in lab.log()
    assert "is made for this user alone" in lab.log()


def test_two_agents_cannot_share_a_state_directory(lab: Lab) -> None:
    lab.up()
    first = lab.process

    lab.start()
    second, lab.process = lab.process, first
    assert second is not None

    assert second.wait(120) == 2
    assert "belongs to another running exabgp-k8s" in lab.log()
    assert set(lab.router.routes()) == {lab.services, lab.pods}


def test_a_pod_range_outside_of_the_allowed_one_is_withheld_and_the_rest_goes_out(
    lab: Lab,
) -> None:
    lab.up()

    lab.api.patch_node(
        lab.name, {"spec": {"podCIDR": "172.16.0.0/24", "podCIDRs": ["172.16.0.0/24"]}}
    )

    lab.expect(lab.services)
    (row,) = [row for row in lab.json("routes") if row["state"] == "withheld"]
    assert row["prefix"] == "172.16.0.0/24"
    assert row["reasons"] == ["not-allowed:outside of the allowed 10.244.0.0/16"]


def test_a_peer_without_its_password_stays_down_and_the_others_run(lab: Lab) -> None:
    document = lab.document()
    document["peers"].append(
        {"name": "secret", "address": "127.0.0.99", "asn": 64513, "passwordFrom": "secret-key"}
    )
    lab.write(document)

    lab.up()

    sessions = {row["peer"]: row for row in lab.json("sessions")}
    assert sessions["tor"]["state"] == "Established"
    assert sessions["secret"]["state"] == "Held"
    assert sessions["secret"]["problem"] == "password-missing:secret-key"
    assert "peer.held" in lab.log()
    assert "127.0.0.99" not in (lab.state_dir / "exabgp.conf").read_text()


def test_a_session_with_a_password_comes_up_and_the_password_is_nowhere(tmp_path: Path) -> None:
    plain = "s3cret-with-;[]{}#"
    with Lab(tmp_path, router_options=f'password "{plain}";') as lab:
        (lab.passwords / "tor").write_text(plain + "\n")
        document = lab.document()
        document["peers"][0]["passwordFrom"] = "tor"
        lab.write(document)

        lab.up()

        shown = "".join(
            lab.cli(command, "-o", "json").stdout
            for command in ("status", "sessions", "routes", "why")
        )
        assert plain not in shown + lab.log() + _get(lab, "/metrics")[1]
        assert (lab.state_dir / "exabgp.conf").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["n1\nannounce route 0.0.0.0/0 next-hop self", "$(reboot); n"])
def test_a_name_that_no_node_can_have_is_refused(lab: Lab, name: str) -> None:
    lab.name = name

    lab.start()
    assert lab.process is not None

    assert lab.process.wait(120) == 2
    assert "--node" in lab.log()


@pytest.mark.fault(
    area="control plane",
    what="labels and annotations hold newlines and ExaBGP's commands",
    sees="nothing of them",
    within="0 s",
)
def test_hostile_labels_and_annotations_are_never_a_command(lab: Lab) -> None:
    hostile = {"x\nshutdown": "shutdown\nannounce route 0.0.0.0/0 next-hop self\n"}
    lab.api.patch_node(lab.name, {"metadata": {"labels": hostile, "annotations": hostile}})

    lab.up()
    lab.api.cordon(lab.name, True)

    lab.expect()
    lab.all_processes(2)


def test_probes_and_status_are_served_on_tcp_and_the_drain_is_not(lab: Lab) -> None:
    lab.up()

    until(lambda: _get(lab, "/healthz")[0] == 200, lab.state)
    until(lambda: _get(lab, "/readyz")[0] == 200, lab.state)
    assert lab.services in _get(lab, "/v1/routes")[1]
    assert _get(lab, "/v1/drain", method="POST")[0] == 404
    assert set(lab.router.routes()) == {lab.services, lab.pods}


def test_an_address_that_is_taken_does_not_cost_the_routes(lab: Lab) -> None:
    with socket.create_server(("127.0.0.1", lab.http_port)):
        lab.up()

        until(lambda: "http.refused" in lab.log(), lab.state)
    until(lambda: _get(lab, "/healthz")[0] == 200, lab.state)


def test_the_command_line_says_where_to_look_when_nobody_answers(tmp_path: Path) -> None:
    with Lab(tmp_path) as lab:
        asked = lab.cli("status")

        assert asked.returncode == 3
        assert "Is `exabgp-k8s run` up" in asked.stderr


@pytest.mark.fault(
    area="control plane",
    what="the Node is deleted",
    sees="the pod range withdrawn; the service range stays for 30 s",
    within="0.1 s",
)
def test_a_node_that_is_deleted_loses_its_pod_range_at_once(lab: Lab) -> None:
    """Its range may be given to another node; the service range waits for a re-registration."""
    lab.up()

    lab.api.delete_node(lab.name)

    lab.expect(lab.services)


def test_a_peer_is_added_and_removed_without_touching_the_other(lab: Lab) -> None:
    lab.up()
    document = lab.document()
    document["peers"].append({"name": "gone", "address": "127.0.0.98", "port": PORT, "asn": 64514})

    lab.write(document)
    until(lambda: len(lab.json("sessions")) == 2, lab.state)
    until(lambda: "127.0.0.98" in (lab.state_dir / "exabgp.conf").read_text(), lab.state)
    lab.write(lab.document())
    until(lambda: "127.0.0.98" not in (lab.state_dir / "exabgp.conf").read_text(), lab.state)

    (row,) = lab.json("sessions")
    assert (row["state"], row["times_up"]) == ("Established", 1)
    assert set(lab.router.routes()) == {lab.services, lab.pods}


def test_a_peer_that_is_tried_again_and_again_does_not_touch_the_others(lab: Lab) -> None:
    document = lab.document()
    document["peers"].append({"name": "gone", "address": "127.0.0.98", "port": PORT, "asn": 64514})
    lab.write(document)
    lab.up()
    before = lab.router.routes()

    def failed_attempts() -> int:
        rows = lab.json("sessions")
        return next((int(row["failed_attempts"]) for row in rows if row["peer"] == "gone"), 0)

    until(lambda: failed_attempts() > 2, lab.state)
    crashed = lab.agent
    crashed.send_signal(signal.SIGKILL)
    until(lambda: is_gone(crashed), lab.state)
    # Another agent, which counts anew and may have begun before anybody looks.
    first = failed_attempts()
    until(lambda: failed_attempts() > first + 1, lab.state)

    assert lab.router.routes() == before
    assert {row["peer"]: row["up"] for row in lab.json("sessions")} == {"tor": True, "gone": False}


def test_a_dead_router_is_removed_without_touching_the_other(lab: Lab) -> None:
    """ExaBGP forgets to reload while a withdrawal waits for a peer that is down."""
    document = lab.document()
    document["peers"].append({"name": "gone", "address": "127.0.0.98", "port": PORT, "asn": 64514})
    lab.write(document)
    lab.up()
    exabgp = lab.exabgp.pid

    lab.api.cordon(lab.name, True)
    lab.write(lab.document())
    lab.expect()
    until(lambda: len(lab.json("sessions")) == 1, lab.state)
    until(lambda: "127.0.0.98" not in (lab.state_dir / "exabgp.conf").read_text(), lab.state)
    until(lambda: lab.json("status")["exabgp"]["table_known"], lab.state)
    lab.api.cordon(lab.name, False)

    lab.expect(lab.services, lab.pods)
    assert lab.json("sessions")[0]["times_up"] == 1
    assert lab.exabgp.pid == exabgp


@pytest.mark.fault(
    area="settings",
    what="an edit of one peer while changes wait for another one that is down",
    sees="the one session reset that the edit asks for",
    within="2 s",
)
def test_an_edit_that_comes_with_changes_for_a_dead_peer_is_not_forgotten(lab: Lab) -> None:
    """ExaBGP alone forgets a reload while something waits for a peer; this edit shows nowhere."""
    document = lab.document()
    (tor,) = document["peers"]
    document["peers"].append({"name": "gone", "address": "127.0.0.98", "port": PORT, "asn": 64514})
    lab.write(document)
    lab.up()

    for edit in (1, 2):
        tor["families"] = ["ipv4"] if edit % 2 else ["ipv4", "ipv6"]
        document["peers"][1]["attributes"] = {"med": edit}
        lab.write(document)
        until(lambda edit=edit: _times_up(lab) == edit + 1, lab.state)  # type: ignore[misc]
    lab.expect(lab.services, lab.pods)


def _times_up(lab: Lab) -> int:
    (tor,) = (row for row in lab.json("sessions") if row["peer"] == "tor")
    return int(tor["times_up"])


def test_sigterm_ends_it_at_any_moment_of_the_start(lab: Lab) -> None:
    for delay in (0.05, 0.3, 0.6, 0.9, 1.2):
        lab.start()
        assert lab.process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            lab.process.wait(delay)

        lab.process.send_signal(signal.SIGTERM)

        # Before Python handles signals at all, the kernel's default ends it.
        assert lab.process.wait(120) in (0, -signal.SIGTERM)
    lab.expect()


def _get(lab: Lab, path: str, method: str = "GET") -> tuple[int, str]:
    return asking.http(lab.http_port, path, method)
