"""Settings that are checked where they lie: in the manifest of a ConfigMap, among others."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from exabgp_k8s.cli import config
from tests.settings import samples

TEXT = """\
bgp: {asn: 64512}
peers:
  - {name: tor, address: 192.0.2.1, asn: 64513}
announce:
  services: {cidrs: [10.96.0.0/16]}
"""
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: exabgp-k8s}\n"
SERVICE_ACCOUNT = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: exabgp-k8s}\n"


def manifest(text: str = TEXT) -> str:
    indented = "".join(f"    {line}\n" for line in text.splitlines())
    return f"{HEAD}data:\n  settings.yaml: |\n{indented}"


def as_object(text: str = TEXT) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(manifest(text))
    return found


def validate(written: str) -> Result:
    return CliRunner().invoke(config.group, ["validate", "-"], input=written)


@pytest.mark.parametrize(
    "written",
    [
        manifest(),
        f"---\n{SERVICE_ACCOUNT}---\n{manifest()}---\n",
        json.dumps({"apiVersion": "v1", "kind": "List", "items": [as_object()]}),
        yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMapList", "items": [as_object()]}),
        f"{SERVICE_ACCOUNT}extra: &a [1]\nmore: *a\n---\n{manifest()}",
    ],
    ids=["alone", "among others", "list in json", "list in yaml", "beside anchors"],
)
def test_settings_are_found_in_the_manifest_of_their_config_map(written: str) -> None:
    result = validate(written)

    assert result.exit_code == 0, result.stderr
    assert result.stdout == "-: valid; peers: 1, announced: services, checks: 0\n"


def test_a_mistake_is_placed_in_the_file_and_not_in_the_text_inside() -> None:
    written = f"{SERVICE_ACCOUNT}---\n{manifest(TEXT.replace('64512', '0'))}"
    (line, column) = next(
        (number, text.index("asn: 0") + 6)
        for number, text in enumerate(written.splitlines(), 1)
        if "asn: 0" in text
    )

    assert validate(written).stderr.startswith(f"-:{line}:{column}: bgp.asn: ")


def test_of_text_that_is_no_line_of_the_file_the_place_is_where_it_begins() -> None:
    written = json.dumps(as_object(TEXT.replace("64512", "0")), indent=1)
    line = next(n for n, text in enumerate(written.splitlines(), 1) if "settings.yaml" in text)

    assert validate(written).stderr.startswith(f"-:{line}:")
    assert "bgp.asn: 0 is too small" in validate(written).stderr


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (SERVICE_ACCOUNT, "holds no ConfigMap, but: ServiceAccount; name the file with"),
        (manifest().replace("settings.yaml", "setting.yml"), "is it settings.yaml? name it"),
        (manifest().replace("settings.yaml", "config"), "but: config; name it settings.yaml"),
        (HEAD, "has no data; write `data:`, `  settings.yaml: |`"),
        (f"{HEAD}data: {{settings.yaml: {{bgp: 1}}}}", "has to be text; write `settings.yaml: |`"),
        (f"{HEAD}binaryData: {{settings.yaml: YQ==}}", "write it as text, under data"),
        (f"{manifest()}---\n{manifest()}", "holds 2 settings documents, in lines 5 and 16"),
    ],
    ids=["another kind", "a typo", "another key", "no data", "a mapping", "binary", "two"],
)
def test_a_file_that_holds_no_settings_is_told_what_to_write(written: str, words: str) -> None:
    result = validate(written)

    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""


def test_a_manifest_may_be_larger_than_the_settings_in_it_may_be() -> None:
    filler = f"{SERVICE_ACCOUNT}annotations: {{a: {'x' * 300_000}}}\n"
    too_much = TEXT + "# " + "x" * 300_000 + "\n"

    assert validate(f"{filler}---\n{manifest()}").exit_code == 0
    assert "is larger than 262144 bytes" in validate(manifest(too_much)).stderr


@pytest.mark.parametrize("command", ["show", "render"])
def test_the_other_commands_read_manifests_too(command: str) -> None:
    assert CliRunner().invoke(config.group, [command, "-"], input=manifest()).exit_code == 0


def test_settings_that_are_several_documents_are_refused_as_before() -> None:
    assert "but found another document" in validate(f"{TEXT}---\n{TEXT}").stderr
    assert samples.problems(f"{TEXT}---\n{TEXT}") != []
