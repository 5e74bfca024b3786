"""Many routers in a small document: what they have in common once, and several in one entry."""

from __future__ import annotations

import ipaddress
import itertools
from typing import Any

import pytest

from exabgp_k8s.core.facts import config
from exabgp_k8s.settings import load, notes, schema, selection, volume
from tests.architecture import repository
from tests.settings import samples
from tests.support import builders

EXAMPLE = "docs/examples/fifty-racks.yaml"
PEER = {"name": "tor", "address": "192.0.2.1", "asn": 64513}
SEVERAL = {"name": "tor", "addresses": ["192.0.2.1", "2001:db8::1"], "asn": 64513}


def document(*peers: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    shared = {"peerDefaults": defaults} if defaults else {}
    return {**samples.SMALLEST, **shared, "peers": list(peers)}


def read(*peers: dict[str, Any], **defaults: Any) -> tuple[config.Peer, ...]:
    return samples.parse(document(*peers, **defaults)).peers


def med(peer: config.Peer) -> int | None:
    assert peer.services is not None
    return peer.services.attributes.med


class TestFiftyRacks:
    """The example, as it stands in the documentation."""

    def settings(self) -> config.Config:
        return load.parse(repository.read(EXAMPLE), EXAMPLE)

    def test_are_under_120_lines(self) -> None:
        assert len(repository.read(EXAMPLE).splitlines()) < 120

    def test_have_two_routers_each(self) -> None:
        settings = self.settings()

        assert len(settings.peers) == 100
        for rack in range(1, 51):
            labels = {"example.com/rack": f"{rack:02}"}
            mine = [peer for peer in settings.peers if peer.selector.matches(labels)]
            assert [peer.name for peer in mine] == [
                f"rack-{rack:02}/10.1.{rack}.2",
                f"rack-{rack:02}/10.1.{rack}.3",
            ]
            assert {(peer.hold_time, peer.password_from) for peer in mine} == {(3, "fabric")}


def test_several_routers_are_peers_of_their_own_names() -> None:
    first, second = read(SEVERAL)

    assert (first.name, str(first.address)) == ("tor/192.0.2.1", "192.0.2.1")
    assert (second.name, str(second.address)) == ("tor/2001:db8::1", "2001:db8::1")
    assert {first.asn, second.asn} == {64513}


def test_a_peer_that_becomes_one_of_several_keeps_its_session() -> None:
    """A peer that is renamed is known by its address."""
    alone, others = builders.a_peer(), read(SEVERAL)
    world = builders.a_serving_world(settings=builders.a_config(peers=(alone,)))
    (before,) = world.neighbors or ()

    same = builders.a_peer(others[0].name)
    world = builders.a_world(settings=builders.a_config(peers=(same,)))
    (after,) = builders.decided(world).neighbors or ()

    assert not after.is_reset_from(before)


def test_a_default_is_for_each_peer_that_does_not_say_it_itself() -> None:
    other = {"name": "other", "address": "192.0.2.2", "asn": 64514, "holdTime": "30s"}
    defaults = {"holdTime": "3s", "asn": 64599, "attributes": {"med": 7}}

    first, second = read({"name": "tor", "address": "192.0.2.1"}, other, **defaults)

    assert (first.asn, first.hold_time, med(first)) == (64599, 3, 7)
    assert (second.asn, second.hold_time, med(second)) == (64514, 30, 7)


def test_what_a_peer_writes_counts_whole() -> None:
    written = {"communities": ["64512:1"]}
    (found,) = read({**PEER, "attributes": written}, attributes={"med": 7, "localPref": 9})

    assert found.services is not None
    assert found.services.attributes.communities == ((64512, 1),)
    assert med(found) is None


def test_a_key_without_a_value_takes_the_default_away() -> None:
    (found,) = read(
        {**PEER, "multihop": None, "ttlSecurity": True, "passwordFrom": None},
        multihop=2,
        passwordFrom="fabric",
    )

    assert (found.multihop, found.ttl_security, found.password_from) == (None, True, None)


def test_what_is_shown_says_it_at_each_peer() -> None:
    written = document(
        {**SEVERAL, "multihop": None}, {**PEER, "name": "x", "address": "2001:db8::9"}
    )
    written |= {"peerDefaults": {"multihop": 2, "holdTime": "3s"}}

    shown = schema.effective(load.document(str(written).replace("None", "null"), "test"))

    assert "peerDefaults" not in shown
    assert [each["holdTime"] for each in shown["peers"]] == ["3s", "3s"]
    assert samples.parse(shown) == samples.parse(written)


@pytest.mark.parametrize(
    ("peer", "defaults", "path", "says"),
    [
        ({"name": "a", "asn": 1}, {}, "peers[0].address", "is missing (IPv4 or IPv6 address"),
        ({**SEVERAL, "address": "192.0.2.9"}, {}, "peers[0].addresses", "stands beside address"),
        ({**PEER, "asn": None}, {}, "peers[0].asn", "write it here, or in peerDefaults for all"),
        ({**SEVERAL, "addresses": []}, {}, "peers[0].addresses", "write at least one entry"),
        ({**SEVERAL, "addresses": "192.0.2.1"}, {}, "peers[0].addresses", "write a list"),
        ({**SEVERAL, "addresses": ["x"]}, {}, "peers[0].addresses[0]", "is not an IPv4 or IPv6"),
        ({**SEVERAL, "addresses": ["2001:db8::9"] * 2}, {}, "peers[0].addresses", "written twice"),
        (PEER, {"name": "x"}, "peerDefaults.name", "unknown key"),
        (PEER, {"holdTime": "1s"}, "peerDefaults.holdTime", "a hold time is at least 3s"),
        (PEER, {"holdtime": "3s"}, "peerDefaults.holdtime", "did you mean holdTime?"),
    ],
)
def test_a_mistake_says_what_to_write(
    peer: dict[str, Any], defaults: dict[str, Any], path: str, says: str
) -> None:
    found = samples.problems(document(peer, **defaults))

    assert any(path in problem and says in problem for problem in found), found


def test_a_mistake_of_the_defaults_is_told_once_and_where_it_stands() -> None:
    other = {**PEER, "name": "other", "address": "192.0.2.2"}

    (problem,) = samples.problems(document(PEER, other, multihop=2, ttlSecurity=True))

    assert "peerDefaults.ttlSecurity: excludes multihop" in problem


def test_a_default_and_a_key_of_the_peer_that_exclude_each_other_are_refused() -> None:
    (problem,) = samples.problems(document({**PEER, "ttlSecurity": True}, multihop=2))

    assert "peers[0].ttlSecurity: excludes multihop" in problem


def test_one_of_several_may_not_be_another_peers_router() -> None:
    (problem,) = samples.problems(document({**PEER, "name": "a"}, SEVERAL))

    assert "peers[1].addresses[0]: 192.0.2.1 is the address of a at peers[0].address" in problem


def test_none_of_several_may_lie_in_the_service_range() -> None:
    written = {**SEVERAL, "addresses": ["192.0.2.1", "10.96.0.1"]}

    (problem,) = samples.problems(document(written))

    assert "contains the router 10.96.0.1" in problem


def test_routers_have_a_limit_whatever_the_lists_are_made_of() -> None:
    numbers = itertools.count(int(ipaddress.ip_address("11.0.0.0")))
    peers = [
        {
            "name": f"p{n}",
            "addresses": [str(ipaddress.ip_address(next(numbers))) for _ in range(16)],
        }
        for n in range(volume.MOST_ROUTERS // 16 + 1)
    ]

    assert samples.problems(document(*peers, asn=64513)) == [
        "peers: 10016 routers are too many; write at most 10000"
    ]


def test_defaults_have_a_limit_once_they_are_written_out() -> None:
    """Each agent holds what its peers have, whatever the document's length."""
    values = [f"v{number}" for number in range(300)]
    asked = {"key": "rack", "operator": "In", "values": values}
    peers = [
        {"name": f"p{n}", "addresses": [f"11.0.{n}.{host}" for host in range(1, 17)]}
        for n in range(30)
    ]
    selector = {"matchExpressions": [asked]}

    found = samples.problems(document(*peers, asn=64513, nodeSelector=selector))
    own = [{**peer, "nodeSelector": {}} for peer in peers]

    assert len(found) == 1
    assert "written out these are 145920 values, and at most 100000 can be used" in found[0]
    assert samples.problems(document(*own, asn=64513, nodeSelector=selector)) == []


def test_what_is_said_of_an_entry_is_said_once() -> None:
    written = {
        **SEVERAL,
        "attributes": {"localPref": 7},
        "nodeSelector": {"matchLabels": {"x": ""}},
    }
    settings = samples.parse(document({**PEER, "address": "192.0.2.9", "name": "a"}, written))

    assert [each.path for each in notes.find(settings)] == ["peers[1].attributes.localPref"]
    nodes = [builders.a_node()]
    (problem,) = selection.find(settings, nodes)
    assert str(problem).startswith("peers[1].nodeSelector: peer tor is meant for none")
