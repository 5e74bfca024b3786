"""BFD in the settings: what is meant, what excludes what, and what is worth a note."""

from __future__ import annotations

from typing import Any

import pytest

from exabgp_k8s.core.facts import bfd
from exabgp_k8s.settings import notes
from tests.settings import samples


def peer(name: str = "tor", address: Any = "192.0.2.1", **more: Any) -> dict[str, Any]:
    return {"name": name, "address": address, "asn": 64513, **more}


def document(*peers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return samples.changed(("peers",), list(peers)) | more


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (peer(), None),
        (peer(bfd=None), None),
        (peer(bfd={}), bfd.Timing(interval=300, multiplier=3)),
        (peer(bfd={"interval": "1s"}), bfd.Timing(interval=1000)),
        (peer(bfd={"interval": "50ms", "multiplier": 50}), bfd.Timing(interval=50, multiplier=50)),
        (peer(bfd={}, multihop=3), bfd.Timing(is_multihop=True)),
        (peer(bfd={"multihop": True}), bfd.Timing(is_multihop=True)),
        (peer(bfd={"multihop": False}, multihop=3), bfd.Timing()),
    ],
)
def test_what_is_written_is_what_is_meant(
    written: dict[str, Any], meant: bfd.Timing | None
) -> None:
    assert samples.parse(document(written)).peers[0].bfd == meant


def test_a_default_is_for_all_but_those_that_say_otherwise() -> None:
    found = samples.parse(
        document(
            peer("a", "192.0.2.1"),
            peer("b", "192.0.2.2", bfd=None),
            peer("c", "192.0.2.3", bfd={"interval": "1s"}),
            peerDefaults={"bfd": {"multiplier": 5}},
        )
    )

    assert [each.bfd for each in found.peers] == [
        bfd.Timing(multiplier=5),
        None,
        bfd.Timing(interval=1000),
    ]


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (peer(address="fe80::1%eth1", bfd={"multihop": True}), "on the node's own link"),
        (peer(address={"interface": "eth1"}, bfd={"multihop": True}), "on the node's own link"),
        (peer(ttlSecurity=True, bfd={"multihop": True}), "excludes ttlSecurity"),
    ],
)
def test_a_router_is_beyond_another_one_or_it_is_not(written: dict[str, Any], why: str) -> None:
    (problem,) = samples.problems(document(written))

    assert problem.startswith("peers[0].bfd.multihop: ")
    assert why in problem


@pytest.mark.parametrize(
    ("peers", "paths"),
    [
        ([peer(bfd={})], []),
        ([peer(bfd={"interval": "50ms"})], ["peers[0].bfd"]),
        ([peer("a", bfd={}), peer("b", "192.0.2.2", bfd={"interval": "1s"})], ["peers[1].bfd"]),
        ([peer("a", bfd={}), peer("b", "192.0.2.2", bfd={"interval": "1s"}, multihop=2)], []),
        ([peer("a", bfd={}), peer("b", "192.0.2.2")], []),
    ],
    ids=["usual", "hasty", "two at once", "one of each kind", "one without"],
)
def test_what_may_surprise_is_noted(peers: list[dict[str, Any]], paths: list[str]) -> None:
    found = notes.find(samples.parse(document(*peers)))

    assert [each.path for each in found] == paths
