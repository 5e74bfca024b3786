"""Each of these networks can be written here, and its nodes get the configuration beside it."""

from __future__ import annotations

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from exabgp_k8s.cli import config
from exabgp_k8s.core.facts import config as core
from exabgp_k8s.settings import load, schema
from exabgp_k8s.wire import bird_conf
from tests.configurations import kinds

BY_HAND = {
    # Only the router's own address is known to nobody but its admin.
    "metallb-unnumbered": "spec.interface: write address: fe80::…%INTERFACE by hand",
}
CONVERTED = [
    name
    for name in kinds.NODES
    if (kinds.HERE / name / "theirs.yaml").exists() and name not in BY_HAND
]


def origin(name: str) -> str:
    return next(each for each in ("metallb", "calico", "cilium", "kube-router") if each in name)


def routers(settings: core.Config) -> list[str]:
    known = [str(peer.address) for peer in settings.peers]
    return sorted([*known, *(str(peer.where) for peer in settings.sought)])


def test_every_folder_is_looked_at() -> None:
    folders = {each.parent.name for each in kinds.HERE.glob("*/settings.yaml")}

    assert folders == set(kinds.NODES)


@pytest.mark.parametrize("name", kinds.NODES)
def test_a_node_of_this_network_gets_this_configuration(name: str) -> None:
    assert kinds.rendered(name) == (kinds.HERE / name / "exabgp.conf").read_text()


@pytest.mark.parametrize("name", kinds.NODES)
def test_its_bfd_engine_gets_this_one_or_nothing(name: str) -> None:
    found = kinds.rendered(name, "--bfd")

    if name in kinds.WITH_BFD:
        assert found == (kinds.HERE / name / "bird.conf").read_text()
    else:
        assert found == bird_conf.render(())


@pytest.mark.parametrize("name", kinds.NODES)
def test_no_editor_marks_these_settings(name: str) -> None:
    document = yaml.safe_load((kinds.HERE / name / "settings.yaml").read_text())
    found = jsonschema.Draft202012Validator(schema.json_schema()).iter_errors(document)

    assert [error.message for error in found] == []


@pytest.mark.parametrize("name", CONVERTED)
def test_theirs_is_converted_to_settings_with_the_same_routers(name: str) -> None:
    theirs = kinds.HERE / name / "theirs.yaml"
    result = CliRunner().invoke(config.group, ["convert", str(theirs), "--from", origin(name)])

    assert result.exit_code == 0, result.stderr
    found = load.parse(result.stdout, "converted")
    assert routers(found) == routers(load.load(kinds.HERE / name / "settings.yaml"))


@pytest.mark.parametrize(("name", "words"), BY_HAND.items())
def test_what_cannot_be_converted_is_told_what_to_write(name: str, words: str) -> None:
    theirs = kinds.HERE / name / "theirs.yaml"
    result = CliRunner().invoke(config.group, ["convert", str(theirs), "--from", origin(name)])

    assert result.exit_code == 2
    assert words in result.stderr
