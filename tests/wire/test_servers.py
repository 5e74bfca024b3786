"""The API servers' addresses, as they come from the API and from our own file."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import hypothesis
import pytest

from exabgp_k8s import errors
from exabgp_k8s.wire import servers
from tests.wire.test_hostile_objects import ANYTHING, mutated

SLICE = {
    "metadata": {"name": "kubernetes"},
    "addressType": "IPv4",
    "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
    "endpoints": [
        {"addresses": ["192.0.2.1"], "conditions": {"ready": True}},
        {"addresses": ["192.0.2.2"], "conditions": {}},
        {"addresses": ["192.0.2.3"], "conditions": {"ready": False}},
    ],
}


def parsed(document: object) -> tuple[str, ...]:
    return servers.parse(json.dumps(document).encode())


def test_every_endpoint_that_is_not_unready_is_a_server() -> None:
    assert parsed(SLICE) == ("192.0.2.1:6443", "192.0.2.2:6443")


def test_an_ipv6_address_is_bracketed() -> None:
    found = {"ports": [{"name": "https", "port": 6443}], "endpoints": [{"addresses": ["fd00::1"]}]}
    assert parsed(found) == ("[fd00::1]:6443",)


@pytest.mark.parametrize("document", [None, [], {}, {"endpoints": 1, "ports": []}, "x"])
def test_what_is_no_slice_is_an_error_of_the_api(document: object) -> None:
    with pytest.raises(errors.KubeError):
        parsed(document)


@hypothesis.given(document=mutated(SLICE))
def test_any_slice_is_addresses_or_an_error_of_the_api(document: Any) -> None:
    with contextlib.suppress(errors.KubeError):
        found = parsed(document)
        assert len(found) <= servers.MOST
        assert servers.usable(found) == found == servers.load(servers.dump(found))


@hypothesis.given(document=ANYTHING)
def test_any_memory_is_addresses_or_nothing(document: Any) -> None:
    assert servers.usable(servers.load(json.dumps({"servers": document}))) is not None


@pytest.mark.parametrize(
    "text",
    ["192.0.2.1", "192.0.2.1:0", "192.0.2.1:70000", "0.0.0.0:1", "224.0.0.1:1", "[fe80::1]:1",
     "[fe80::1%eth0]:1", "evil.example:443", "192.0.2.1:443/path", "u@192.0.2.1:443", ":443"],
)  # fmt: skip
def test_what_names_no_host_that_can_be_asked_is_left_out(text: str) -> None:
    assert servers.usable([text]) == ()


@pytest.mark.parametrize(
    ("host", "port", "is_chosen"),
    [
        ("10.96.0.1", "tcp://10.96.0.1:443", False),
        ("fd00::1", "tcp://[fd00::1]:443", False),
        ("192.0.2.9", "tcp://10.96.0.1:443", True),
        ("api.example", "tcp://10.96.0.1:443", True),
        ("10.96.0.1", "", True),
        ("", "", True),
    ],
)
def test_a_server_is_chosen_where_the_environment_is_not_kubelets(
    host: str, port: str, is_chosen: bool
) -> None:
    environment = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_PORT": port}
    assert servers.is_chosen(environment) is is_chosen


@pytest.mark.parametrize(("port", "is_chosen"), [("443", False), ("6443", True)])
def test_another_port_at_the_same_address_is_a_choice_too(port: str, is_chosen: bool) -> None:
    environment = {
        "KUBERNETES_SERVICE_HOST": "10.96.0.1",
        "KUBERNETES_SERVICE_PORT": port,
        "KUBERNETES_PORT": "tcp://10.96.0.1:443",
    }
    assert servers.is_chosen(environment) is is_chosen
