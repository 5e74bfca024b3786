"""``exabgp-k8s config``: what an admin sees before a node does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from exabgp_k8s.cli import config
from exabgp_k8s.settings import load, schema
from tests.settings import samples


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "settings.yaml"
    path.write_text(samples.SAMPLE)
    return path


def call(*arguments: object) -> Result:
    return CliRunner().invoke(config.group, [str(each) for each in arguments])


def test_valid_settings_are_summed_up_in_one_line(settings: Path, tmp_path: Path) -> None:
    (tmp_path / "tor-a1").write_text("s3cret")
    result = call("validate", "--settings", settings, "--password-dir", tmp_path)

    assert result.exit_code == 0
    assert result.stdout == (
        f"{settings}: valid; peers: 1, announced: services and pods, checks: 3\n"
    )
    assert "warning" not in result.stderr


def test_the_file_may_be_named_as_everybody_tries_first(settings: Path, tmp_path: Path) -> None:
    (tmp_path / "tor-a1").write_text("s3cret")

    result = call("validate", settings, "--password-dir", tmp_path)

    assert result.exit_code == 0
    assert result.stdout.startswith(f"{settings}: valid")


def test_two_files_at_once_are_one_too_many(settings: Path) -> None:
    result = call("show", settings, "--settings", "other.yaml")

    assert result.exit_code == 2
    assert f"write either {settings} or --settings other.yaml" in result.stderr


def test_what_is_valid_and_has_no_effect_is_noted(settings: Path, tmp_path: Path) -> None:
    """The sample sets localPref for a router of another AS."""
    (tmp_path / "tor-a1").write_text("s3cret")
    result = call("validate", "--settings", settings, "--password-dir", tmp_path)

    (note,) = result.stderr.splitlines()
    assert note.startswith(f"{settings}: note: peers[0].attributes.localPref: is not sent")


def test_a_missing_password_is_a_warning_that_names_it(settings: Path, tmp_path: Path) -> None:
    result = call("validate", "--settings", settings, "--password-dir", tmp_path)

    assert result.exit_code == 0
    assert "warning: peers[0].passwordFrom: peer tor-a1 stays down" in result.stderr
    assert str(tmp_path / "tor-a1") in result.stderr


def test_every_mistake_has_a_line_and_the_exit_code_is_2(settings: Path) -> None:
    settings.write_text(samples.SAMPLE.replace("asn: 64512", "asn: 0").replace("9s", "9"))
    result = call("validate", "--settings", settings)

    lines = result.stderr.splitlines()
    assert result.exit_code == 2
    assert result.stdout == ""
    assert [line.partition(": ")[2].partition(": ")[0] for line in lines[:-1]] == [
        "bgp.asn",
        "peers[0].holdTime",
    ]
    assert all(re.match(rf"{settings}:\d+:\d+: ", line) for line in lines[:-1])
    assert lines[-1] == "2 mistakes; a node would refuse all of it"


@pytest.mark.parametrize("command", ["validate", "show", "render"])
def test_an_absent_file_is_named(command: str, tmp_path: Path) -> None:
    result = call(command, "--settings", tmp_path / "absent.yaml")

    assert result.exit_code == 2
    assert "absent.yaml: cannot be read" in result.stderr
    assert "would refuse" not in result.stderr


@pytest.mark.parametrize("command", ["validate", "show", "render"])
def test_a_dash_is_standard_input(command: str) -> None:
    arguments = [command, "-"]
    good = CliRunner().invoke(config.group, arguments, input=samples.SAMPLE)
    bad = CliRunner().invoke(config.group, arguments, input="bgp: {asn: 0}\n")

    assert good.exit_code == 0
    assert bad.exit_code == 2
    assert "-:1:12: bgp.asn: " in bad.stderr


def test_standard_input_cannot_be_two_things() -> None:
    assert "cannot both be standard input" in call("validate", "-", "--nodes", "-").stderr


def test_text_that_is_no_yaml_has_its_place_in_the_same_form(settings: Path) -> None:
    settings.write_text("bgp:\n  asn: 1\n asn: 2\n")

    assert call("validate", settings).stderr.startswith(f"{settings}:3:2: not YAML")


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_what_is_shown_is_whole_and_reads_back_the_same(settings: Path, form: str) -> None:
    result = call("show", "--settings", settings, "-o", form)

    assert "deprioritise" in result.stdout
    assert load.parse(result.stdout, "shown") == load.load(settings)


def test_the_schema_is_printed_as_json() -> None:
    assert json.loads(call("schema").stdout) == schema.json_schema()


@pytest.mark.parametrize(("rack", "asn"), [("a", 64513), ("b", 64514)])
def test_a_node_s_configuration_has_the_gateway_of_its_rack(
    tmp_path: Path, rack: str, asn: int
) -> None:
    gateways = [
        {
            "name": f"gw-{each}",
            "address": "192.0.2.1",
            "asn": number,
            "nodeSelector": {"matchLabels": {"rack": each}},
        }
        for each, number in (("a", 64513), ("b", 64514))
    ]
    settings = tmp_path / "settings.yaml"
    settings.write_text(json.dumps({**samples.SMALLEST, "peers": gateways}))
    node = ("--node-ip", "192.0.2.9", "--label", f"rack={rack}")

    result = call("render", "--settings", settings, *node)

    assert result.stdout.count("neighbor 192.0.2.1 {") == 1
    assert f"peer-as {asn};" in result.stdout
    assert "no session: not-selected" in result.stderr


@pytest.mark.parametrize(
    ("node", "asn"),
    [
        (("--label", "example.com/asn=64601"), "64601"),
        (("--annotation", "example.com/asn=65000.1"), "4259840001"),
    ],
)
def test_a_node_s_configuration_has_the_as_number_that_the_node_says(
    tmp_path: Path, node: tuple[str, str], asn: str
) -> None:
    source = {"--label": "fromLabel", "--annotation": "fromAnnotation"}[node[0]]
    settings = tmp_path / "settings.yaml"
    ours = {"asn": {source: "example.com/asn"}}
    settings.write_text(json.dumps({**samples.SMALLEST, "bgp": ours}))

    result = call("render", "--settings", settings, "--node-ip", "192.0.2.9", *node)

    assert f"local-as {asn};" in result.stdout
    assert "asn-missing" in call("render", "--settings", settings).stderr


@pytest.mark.parametrize(
    ("address", "node"),
    [
        ("default-gateway-ipv4", ("--gateway", "192.0.2.7")),
        ({"fromAnnotation": "example.com/tor"}, ("--annotation", "example.com/tor=192.0.2.7")),
    ],
)
def test_a_node_s_configuration_has_the_router_that_the_node_finds(
    tmp_path: Path, address: Any, node: tuple[str, str]
) -> None:
    settings = tmp_path / "settings.yaml"
    (peer,) = samples.SMALLEST["peers"]
    settings.write_text(json.dumps({**samples.SMALLEST, "peers": [{**peer, "address": address}]}))

    result = call("render", "--settings", settings, "--node-ip", "192.0.2.9", *node)

    assert "neighbor 192.0.2.7 {" in result.stdout
    without = call("render", "--settings", settings, "--node-ip", "192.0.2.9").stderr
    assert without.startswith("tor (no address): no session: router-missing:")


@pytest.mark.parametrize("place", [{"interface": "bond0"}, {"subnet": "198.51.100.0/24"}])
def test_a_node_s_configuration_starts_where_the_settings_say(
    tmp_path: Path, place: dict[str, str]
) -> None:
    settings = tmp_path / "settings.yaml"
    (peer,) = samples.SMALLEST["peers"]
    peers = [{**peer, "localAddress": place}]
    settings.write_text(json.dumps({**samples.SMALLEST, "peers": peers}))

    result = call("render", "--settings", settings, "--interface", "bond0=198.51.100.9/24")

    assert "local-address 198.51.100.9;" in result.stdout
    assert "no-local-address:" in call("render", "--settings", settings).stderr


def test_a_node_s_configuration_is_rendered_without_the_password(settings: Path) -> None:
    result = call("render", "--settings", settings, "--node-ip", "192.0.2.9", "--label", "rack=a")

    assert result.exit_code == 0
    assert "neighbor 192.0.2.1 {" in result.stdout
    assert "local-address 192.0.2.9;" in result.stdout
    assert '"***"' in result.stdout


def test_a_peer_without_a_session_on_the_node_is_named_with_the_reason(settings: Path) -> None:
    result = call("render", "--settings", settings, "--node-ip", "192.0.2.9")

    assert "neighbor" not in result.stdout
    assert result.stderr == "tor-a1 (192.0.2.1): no session: not-selected\n"


@pytest.mark.parametrize(
    "bad",
    [
        ("--node-ip", "x"),
        ("--label", "rack"),
        ("--annotation", "rack"),
        ("--gateway", "x"),
        ("--interface", "192.0.2.9/24"),
    ],
)
def test_a_node_that_cannot_be_described_is_wrong_usage(
    settings: Path, bad: tuple[str, str]
) -> None:
    result = call("render", "--settings", settings, *bad)

    assert result.exit_code == 2
    assert bad[0] in result.stderr
