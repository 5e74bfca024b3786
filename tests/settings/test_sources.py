"""Where a session starts, and the next hop: what is written, meant and refused."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from exabgp_k8s.core.facts import config, places
from exabgp_k8s.settings import schema
from tests.settings import samples

PEER = ("peers", 0)
BOND = {"interface": "bond0"}
STORAGE = {"subnet": "198.51.100.0/24"}


def refused(**written: Any) -> list[str]:
    document = samples.changed((*PEER, "port"), 179)
    document["peers"][0].update(written)
    return samples.problems(document)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (BOND, places.OnInterface(interface="bond0")),
        (STORAGE, places.InSubnet(subnet=ipaddress.ip_network("198.51.100.0/24"))),
        ("node", config.LocalAddress.NODE),
        ("198.51.100.9", ipaddress.ip_address("198.51.100.9")),
    ],
)
@pytest.mark.parametrize("key", ["localAddress", "nextHop"])
def test_what_is_written_is_read_and_shown_alike(key: str, written: Any, meant: Any) -> None:
    document = samples.changed((*PEER, key), written)
    (peer,) = samples.parse(document).peers

    assert {"localAddress": peer.local_address, "nextHop": peer.next_hop}[key] == meant
    assert schema.effective(schema.Settings(**document))["peers"][0][key] == written


def test_nothing_written_is_the_node_and_the_next_hop_of_the_session() -> None:
    (peer,) = samples.parse(samples.SMALLEST).peers

    assert (peer.local_address, peer.next_hop) == (config.LocalAddress.NODE, None)


def test_a_next_hop_of_a_family_that_the_peer_does_not_speak_is_refused() -> None:
    (message,) = refused(nextHop={"subnet": "2001:db8::/64"}, families=["ipv4"])

    assert message.startswith("peers[0].nextHop: is of ipv6, which is not among the families")


def test_a_subnet_of_the_other_family_is_no_end_of_the_session() -> None:
    (message,) = refused(localAddress={"subnet": "2001:db8::/64"})

    assert "2001:db8::/64 cannot be our end of a session to 192.0.2.1" in message


def test_an_interface_is_of_both_families() -> None:
    assert refused(localAddress=BOND, nextHop={**BOND}, families=["ipv6"]) == []


@pytest.mark.parametrize("key", ["localAddress", "nextHop"])
def test_two_places_at_once_are_refused(key: str) -> None:
    (message,) = refused(**{key: BOND | STORAGE})

    assert message.endswith("write one of {interface: bond0} and {subnet: 10.1.0.0/16}")
