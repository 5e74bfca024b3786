"""``config validate --nodes``: a selector that finds nobody is seen before a rollout."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from exabgp_k8s.cli import config
from exabgp_k8s.tryout.kubeapi import apiserver, nodes
from tests.support import kubeapi

SETTINGS: dict[str, Any] = {
    "bgp": {"asn": 64512},
    "peers": [
        {
            "name": "tor-a",
            "address": "192.0.2.1",
            "asn": 64513,
            "nodeSelector": {"matchLabels": {"rack": "a"}},
        },
        {
            "name": "tor-b",
            "address": "192.0.2.2",
            "asn": 64513,
            "nodeSelector": {"matchLabels": {"rack": "b"}},
        },
    ],
    "announce": {"services": {"cidrs": ["10.96.0.0/16"]}},
}


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "settings.yaml"
    path.write_text(yaml.safe_dump(SETTINGS))
    return path


def node(name: str, **labels: str) -> dict[str, Any]:
    return {"kind": "Node", "metadata": {"name": name, "labels": labels}}


def validate(settings: Path, source: Path) -> Result:
    return CliRunner().invoke(config.group, ["validate", str(settings), "--nodes", str(source)])


def given(tmp_path: Path, *found: dict[str, Any], kind: str = "List") -> Path:
    path = tmp_path / "nodes.json"
    path.write_text(json.dumps({"kind": kind, "items": found}))
    return path


def test_nodes_that_all_have_a_peer_are_counted(settings: Path, tmp_path: Path) -> None:
    source = given(tmp_path, node("n1", rack="a"), node("n2", rack="b"))

    result = validate(settings, source)

    assert result.exit_code == 0
    assert "warning" not in result.stderr
    assert result.stdout.endswith(", nodes: 2\n")


def test_a_node_without_a_peer_is_named(settings: Path, tmp_path: Path) -> None:
    source = given(tmp_path, node("n1", rack="a"), node("n2", rack="b"), node("n3", rack="B"))

    result = validate(settings, source)

    assert result.exit_code == 0
    assert "no peer is meant for 1 of the 3 nodes" in result.stderr
    assert result.stderr.endswith(": n3\n")


def test_a_peer_that_finds_no_node_is_named_with_what_there_is(
    settings: Path, tmp_path: Path
) -> None:
    result = validate(settings, given(tmp_path, node("n1", rack="a"), node("n2", rack="c")))

    assert (
        "peers[1].nodeSelector: peer tor-b is meant for none of the 2 nodes: "
        "no node is rack: b; there is rack: a, c"
    ) in result.stderr


def test_a_label_with_a_typo_is_recognised(settings: Path, tmp_path: Path) -> None:
    result = validate(settings, given(tmp_path, node("n1", racks="a")))

    assert "no node has the label rack; did you mean racks?" in result.stderr


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_what_kubectl_prints_is_read_in_both_forms(
    settings: Path, tmp_path: Path, form: str
) -> None:
    document = {"apiVersion": "v1", "kind": "NodeList", "items": [{"metadata": {"name": "n1"}}]}
    source = tmp_path / "nodes"
    source.write_text(json.dumps(document) if form == "json" else yaml.safe_dump(document))

    assert "no peer is meant for 1 of the 1 nodes" in validate(settings, source).stderr


@pytest.mark.parametrize("text", ["", "[]", '{"kind": "PodList", "items": []}', "{", "\x00"])
def test_what_holds_no_nodes_is_refused_with_what_to_give(
    settings: Path, tmp_path: Path, text: str
) -> None:
    source = tmp_path / "nodes"
    source.write_text(text)

    result = validate(settings, source)

    assert result.exit_code == 2
    assert result.stderr.startswith(f"--nodes: {source} ")
    assert "Traceback" not in result.output


def test_the_api_server_of_a_kubeconfig_is_asked(settings: Path, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    with kubeapi.KubeApi() as api:
        for name in ("n1", "n2"):
            api.put_node(nodes.node_object(name, internal_ips=["192.0.2.11"], pod_cidrs=[]))
        kubeconfig.write_text(apiserver.kubeconfig(api))

        result = validate(settings, kubeconfig)

    assert "no peer is meant for 2 of the 2 nodes" in result.stderr


def test_an_api_server_that_does_not_answer_is_a_sentence(settings: Path, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    with kubeapi.KubeApi() as api:
        kubeconfig.write_text(apiserver.kubeconfig(api))

    result = validate(settings, kubeconfig)

    assert result.exit_code == 2
    assert "does not show its nodes" in result.stderr


def test_a_family_that_no_peer_of_a_node_speaks_is_named(settings: Path, tmp_path: Path) -> None:
    """The pod range of n2 is IPv6, and its only router speaks IPv4; n1 has none of IPv6."""
    document = copy.deepcopy(SETTINGS)
    document["announce"]["pods"] = {"within": ["fd00:244::/56"]}
    document["peers"][1]["families"] = ["ipv4"]
    settings.write_text(yaml.safe_dump(document))
    found = [node("n1", rack="b"), node("n2", rack="b"), node("n3", rack="a")]
    for each in found[1:]:
        each["spec"] = {"podCIDRs": ["fd00:244:0:1::/64"]}

    warnings = validate(settings, given(tmp_path, *found)).stderr

    assert "no peer with ipv6 among its families is meant for 1 of the 3 nodes" in warnings
    assert warnings.endswith("(no-peer:ipv6): n2\n")


def test_a_class_that_no_peer_of_a_node_is_announced_is_named(
    settings: Path, tmp_path: Path
) -> None:
    """The one router of rack b is announced the service ranges only."""
    document = copy.deepcopy(SETTINGS)
    document["announce"]["pods"] = {"within": ["10.244.0.0/16"]}
    document["peers"][1]["announce"] = ["services"]
    settings.write_text(yaml.safe_dump(document))
    found = [node("n1", rack="a"), node("n2", rack="b")]
    for each in found:
        each["spec"] = {"podCIDRs": ["10.244.1.0/24"]}

    (warning,) = validate(settings, given(tmp_path, *found)).stderr.splitlines()

    assert "of the pods ranges some or all would be announced to no peer by 1 of the 2" in warning
    assert warning.endswith("(no-peer:pods): n2")
