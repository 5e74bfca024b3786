"""What people are told of a node that announces nothing: why, wherever they may look."""

from __future__ import annotations

import json

import pytest

from exabgp_k8s.tryout.kubeapi import nodes
from tests.support import asking
from tests.support.lab import Lab, until

pytestmark = pytest.mark.functional


def get(lab: Lab, path: str) -> tuple[int, str]:
    return asking.http(lab.http_port, path)


def selecting_nobody(lab: Lab) -> None:
    document = lab.document()
    document["peers"][0]["nodeSelector"] = {"matchLabels": {"rcak": "a"}}
    lab.write(document)


def test_a_node_that_no_peer_is_meant_for_says_so_everywhere(lab: Lab) -> None:
    """A typo in a label would otherwise look healthy on a whole cluster."""
    selecting_nobody(lab)
    lab.start()
    until(lambda: "no-peer" in get(lab, "/metrics")[1], lab.state)

    assert 'exabgp_k8s_withheld{class="services",reason="no-peer"} 1.0' in get(lab, "/metrics")[1]
    assert "exabgp_k8s_peers_selected 0.0" in get(lab, "/metrics")[1]
    # What ExaBGP has is read meanwhile, and stands before it until then.
    until(lambda: "no-peer" in json.loads(get(lab, "/readyz")[1])["missing"][0], lab.state)
    assert get(lab, "/readyz")[0] == 503
    for command in ("status", "why"):
        shown = lab.cli(command)
        assert shown.returncode == 1
        assert "no-peer" in shown.stdout
    assert "no-peer" in lab.log()
    until(
        lambda: any("no-peer" in each["message"] for each in lab.api.events()),
        lambda: str(lab.api.events()),
    )


def test_a_node_whose_label_is_mended_is_announced_and_ready(lab: Lab) -> None:
    selecting_nobody(lab)
    lab.start()
    until(lambda: get(lab, "/readyz")[0] == 503 and "no-peer" in get(lab, "/readyz")[1], lab.state)

    lab.api.patch_node(lab.name, {"metadata": {"labels": {"rcak": "a"}}})

    lab.expect(lab.services, lab.pods)
    until(lambda: get(lab, "/readyz")[0] == 200, lab.state)


def test_a_node_that_is_not_there_is_named(lab: Lab) -> None:
    """The machine's name and the Node's may differ, or kubelet has not registered it yet."""
    lab.name = "n1.example.org"
    lab.start()
    until(lambda: "no Node object named" in lab.cli("status").stdout, lab.state)

    shown = lab.cli("status")

    assert "no Node object named n1.example.org" in shown.stdout
    assert "node-deleted" not in shown.stdout
    assert "not in the settings" not in shown.stdout
    assert shown.returncode == 1
    assert "there is no Node object named n1.example.org" in get(lab, "/readyz")[1]
    assert "node.missing" in lab.log()


def test_a_node_that_is_registered_late_is_announced(lab: Lab) -> None:
    lab.name = "n2"
    lab.start()
    until(lambda: "no Node object named n2" in lab.cli("status").stdout, lab.state)

    lab.api.put_node(
        nodes.node_object("n2", internal_ips=[lab.address], pod_cidrs=["10.244.2.0/24"])
    )

    lab.expect(lab.services, "10.244.2.0/24")


def test_one_held_peer_does_not_keep_the_pod_from_being_ready(lab: Lab) -> None:
    document = lab.document()
    document["peers"].append(
        {"name": "secret", "address": "127.0.0.99", "asn": 64513, "passwordFrom": "secret-key"}
    )
    lab.write(document)

    lab.up()

    until(lambda: get(lab, "/readyz")[0] == 200, lab.state)
    shown = lab.cli("status")
    assert "announced to 1 of 2; not to secret (held, password-missing:secret-key)" in " ".join(
        shown.stdout.split()
    )
    assert shown.returncode == 1


def test_undrain_says_what_the_return_waits_for(lab: Lab) -> None:
    document = lab.document()
    document["announce"]["holdDown"] = {"initial": "50s"}
    lab.write(document)
    lab.up()
    assert lab.cli("drain", "--wait").returncode == 0

    returned = lab.cli("undrain")

    assert returned.stdout.splitlines()[0] == "serving"
    assert "services: announce again (hold-down)" in returned.stdout
    (wait, *_) = lab.json("status")["waits"]
    assert wait["what"] == "hold-down"
    assert 0 < wait["remaining_seconds"] <= 50


def test_undrain_names_what_it_does_not_end(lab: Lab) -> None:
    lab.up()
    assert lab.cli("drain", "--wait").returncode == 0
    lab.api.cordon(lab.name, True)
    until(lambda: "cordoned" in lab.cli("status").stdout, lab.state)

    assert "not ended by undrain: cordoned" in lab.cli("undrain").stdout


def test_one_session_is_shown_in_depth_by_name_and_by_address(lab: Lab) -> None:
    document = lab.document()
    document["peers"][0]["attributes"] = {"communities": ["65535:65281"]}
    lab.write(document)
    lab.up()
    # The table of neighbors is read a moment after the session came up.
    until(lambda: lab.json("session?name=tor")["remote_port"] is not None, lab.state)

    for name in ("tor", lab.router.address):
        shown = lab.cli("sessions", name)
        assert shown.returncode == 0
        assert f"router {lab.router.address} port 1790, AS 64513" in " ".join(shown.stdout.split())
        assert f"{lab.services}, announced, next hop {lab.address}, no-export" in shown.stdout
    unknown = lab.cli("sessions", "tro")
    assert unknown.returncode == 1
    assert "There are: tor" in unknown.stderr


def test_a_refused_edit_of_the_settings_is_a_no(lab: Lab) -> None:
    lab.up()
    assert lab.cli("status").returncode == 0

    lab.write("bgp: nonsense")
    until(lambda: lab.json("status")["settings"]["stale"], lab.state)

    assert lab.cli("status").returncode == 1


def test_what_people_read_fits_eighty_columns(lab: Lab) -> None:
    lab.up()
    lab.api.cordon(lab.name, True)
    lab.expect()

    for command in ("status", "sessions", "routes", "checks", "why"):
        for line in lab.cli(command).stdout.splitlines():
            assert len(line) <= 80, line


@pytest.mark.parametrize("prefix", ["x" * 7000, "::1%25" + "z" * 7000])
def test_a_question_for_no_prefix_is_answered_in_a_few_words(lab: Lab, prefix: str) -> None:
    lab.up()

    code, said = get(lab, f"/v1/why?prefix={prefix}")

    assert code in {400, 404}
    assert len(said) < 300
