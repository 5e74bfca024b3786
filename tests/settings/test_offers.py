"""What a peer is announced: attributes of a class, a class only, a range only."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
import yaml

from exabgp_k8s.core.facts import config, extended, model, offer
from exabgp_k8s.settings import load, notes, schema
from tests.settings import samples

PODS = "10.244.0.0/16"
SERVICES = ("10.96.0.0/16", "10.97.0.0/16")
ANNOUNCE: dict[str, Any] = {"services": {"cidrs": list(SERVICES)}, "pods": {"within": [PODS]}}
AUTO: dict[str, Any] = {"services": {"cidrs": "auto"}, "pods": {"within": [PODS]}}
EVERYTHING: dict[str, Any] = {"name": "all", "address": "192.0.2.9", "asn": 64513}


def a_peer(**said: Any) -> dict[str, Any]:
    return {"name": "tor", "address": "192.0.2.1", "asn": 64513, **said}


def a_document(*peers: dict[str, Any], announce: dict[str, Any] | None = None) -> dict[str, Any]:
    document = samples.changed(("peers",), list(peers))
    return document | {"announce": announce or ANNOUNCE}


def read(**said: Any) -> config.Peer:
    found, _ = samples.parse(a_document(a_peer(**said), EVERYTHING)).peers
    return found


def networks(*texts: str) -> tuple[model.Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


class TestAttributesOfAClass:
    """``attributes.services`` and ``attributes.pods``."""

    COMMON = {  # noqa: RUF012 - never changed
        "communities": ["64512:1"],
        "largeCommunities": ["64512:1:1"],
        "extendedCommunities": ["target:64512:1"],
        "med": 100,
        "localPref": 200,
        "prepend": 1,
    }
    OTHER = {  # noqa: RUF012 - never changed
        "communities": ["64512:2"],
        "largeCommunities": ["64512:1:2"],
        "extendedCommunities": ["target:64512:2"],
        "med": 300,
        "localPref": 400,
        "prepend": 2,
    }

    def test_replace_those_of_the_peer(self) -> None:
        found = read(attributes={**self.COMMON, "pods": self.OTHER})

        assert found.services == read(attributes=self.COMMON).services
        assert found.pods == read(attributes=self.OTHER).pods

    @pytest.mark.parametrize("key", COMMON)
    def test_replace_no_more_than_they_say(self, key: str) -> None:
        found = read(attributes={**self.COMMON, "pods": {key: self.OTHER[key]}})

        assert found.pods == read(attributes={**self.COMMON, key: self.OTHER[key]}).pods
        assert found.pods != found.services

    @pytest.mark.parametrize(
        "key", ["communities", "largeCommunities", "extendedCommunities", "med", "prepend"]
    )
    def test_may_be_nothing_where_the_peer_has_something(self, key: str) -> None:
        nothing: Any = [] if key.endswith("ommunities") else 0
        found = read(attributes={**self.COMMON, "pods": {key: nothing}})

        assert found.pods == read(attributes={**self.COMMON, key: nothing}).pods

    def test_are_both_the_peer_s_own_in_an_old_document(self) -> None:
        found = read(attributes=self.COMMON)

        assert found.services == found.pods
        assert found.services == offer.Offer(
            attributes=model.Attributes(
                communities=((64512, 1),),
                large_communities=((64512, 1, 1),),
                extended_communities=(extended.read("target:64512:1") or 0,),
                med=100,
                local_pref=200,
            ),
            prepend=1,
        )

    @pytest.mark.parametrize(
        ("said", "path", "words"),
        [
            ({"community": ["1:1"]}, "services.community", "did you mean communities?"),
            ({"communities": ["1:1", "1:1"]}, "services.communities", "written twice"),
            ({"communities": ["1:2:3"]}, "services.communities[0]", "under largeCommunities"),
            ({"communities": "no-export"}, "services.communities", "write a list"),
            ({"med": -1}, "services.med", "write at least 0"),
            (
                {"extendedCommunities": [f"target:1:{n}" for n in range(17)]},
                "services.extendedCommunities",
                "write at most 16",
            ),
            (
                {"extendedCommunities": ["rt:64512:1"]},
                "services.extendedCommunities[0]",
                "write target instead of rt",
            ),
        ],
    )
    def test_are_refused_as_the_peer_s_own_are(
        self, said: dict[str, Any], path: str, words: str
    ) -> None:
        (problem,) = samples.problems(a_document(a_peer(attributes={"services": said})))

        assert problem.partition(": ")[0] == f"peers[0].attributes.{path}"
        assert words in problem

    def test_prepend_nothing_within_one_as(self) -> None:
        peer = a_peer(asn=64512, attributes={"pods": {"prepend": 1}})

        (problem,) = samples.problems(a_document(peer))

        assert problem.startswith("peers[0].attributes.pods.prepend: AS 64512 is ours")


def test_what_is_shown_reads_back_as_the_same_offers() -> None:
    attributes = {
        "extendedCommunities": ["target:192.0.2.1:1", "origin:64512:1"],
        "services": {"communities": ["no-export"]},
        "pods": {"extendedCommunities": [], "med": 0},
    }
    document = a_document(
        a_peer(announce=["pods", SERVICES[1]], attributes=attributes), EVERYTHING
    )

    shown = schema.effective(load.document(yaml.safe_dump(document), "test"))

    assert samples.parse(shown) == samples.parse(document)


class TestAnnounce:
    """``peers[].announce``: a class, or a range of it."""

    @pytest.mark.parametrize(
        ("said", "services", "pods"),
        [
            (["services", "pods"], None, None),
            (["pods"], "none", None),
            (["services"], None, "none"),
            ([SERVICES[0]], networks(SERVICES[0]), "none"),
            ([*reversed(SERVICES), PODS], networks(*SERVICES), networks(PODS)),
        ],
    )
    def test_says_what_the_peer_is_offered(
        self, said: list[str], services: Any, pods: Any
    ) -> None:
        found = read(announce=said)

        for offered, within in ((found.services, services), (found.pods, pods)):
            assert offered == (None if within == "none" else offer.Offer(within=within))

    def test_is_all_of_it_where_it_is_not_written(self) -> None:
        assert (read().services, read().pods) == (offer.Offer(), offer.Offer())

    def test_may_name_a_range_in_which_the_api_s_own_must_lie(self) -> None:
        announce = {**AUTO, "services": {"cidrs": "auto", "within": ["10.0.0.0/8"]}}
        document = a_document(a_peer(announce=["10.0.0.0/8"]), EVERYTHING, announce=announce)

        found, _ = samples.parse(document).peers

        assert found.services == offer.Offer(within=networks("10.0.0.0/8"))
        assert found.pods is None

    @pytest.mark.parametrize(
        ("said", "announce", "path", "words"),
        [
            ([], ANNOUNCE, "", "leave the key out"),
            (["service"], ANNOUNCE, "[0]", "did you mean services?"),
            (["10.96.0.1/16"], ANNOUNCE, "[0]", "write 10.96.0.0/16"),
            (["services", "services"], ANNOUNCE, "", "written twice"),
            (
                ["10.96.0.0/24"],
                ANNOUNCE,
                "[0]",
                "write one that stands under announce.services or announce.pods, whole, such as",
            ),
            (["services", SERVICES[1]], ANNOUNCE, "[1]", "services has it already; remove one"),
            (["pods"], {"services": ANNOUNCE["services"]}, "[0]", "announce.pods is not written"),
            (["10.96.0.0/16"], {"services": AUTO["services"]}, "[0]", "announce.services.within"),
        ],
    )
    def test_is_refused_where_an_entry_means_nothing(
        self, said: list[str], announce: dict[str, Any], path: str, words: str
    ) -> None:
        document = a_document(a_peer(announce=said), EVERYTHING, announce=announce)

        (problem,) = samples.problems(document)

        assert problem.partition(": ")[0] == f"peers[0].announce{path}"
        assert words in problem

    @pytest.mark.parametrize(
        ("said", "announce", "paths"),
        [
            (["services"], ANNOUNCE, ["announce.pods"]),
            (["pods"], ANNOUNCE, ["announce.services"]),
            (["pods"], AUTO, ["announce.services"]),
            (["pods", SERVICES[1]], ANNOUNCE, ["announce.services.cidrs[0]"]),
        ],
    )
    def test_is_refused_where_something_is_left_to_nobody(
        self, said: list[str], announce: dict[str, Any], paths: list[str]
    ) -> None:
        problems = samples.problems(a_document(a_peer(announce=said), announce=announce))

        assert [problem.partition(": ")[0] for problem in problems] == paths
        assert all("is announced to no peer" in problem for problem in problems)

    def test_of_two_peers_may_share_out_what_there_is(self) -> None:
        edge = a_peer(announce=[SERVICES[0]])
        rack = {**EVERYTHING, "announce": ["pods", SERVICES[1]]}

        assert samples.problems(a_document(edge, rack)) == []


class TestDangerousCommunities:
    """Communities that take traffic away are said, not refused."""

    @pytest.mark.parametrize("name", ["blackhole", "graceful-shutdown", "llgr-stale"])
    def test_are_named_where_they_stand(self, name: str) -> None:
        peer = a_peer(attributes={"services": {"communities": [name]}})
        settings = samples.parse(a_document(peer))

        (note,) = notes.find(settings)

        assert note.path == "peers[0].attributes.services.communities"
        assert note.message.startswith(f"{name}: ")

    def test_are_named_once_where_all_routes_carry_them(self) -> None:
        peer = a_peer(attributes={"communities": ["65535:666"]})

        (note,) = notes.find(samples.parse(a_document(peer)))

        assert note.path == "peers[0].attributes.communities"

    def test_are_nothing_to_a_class_that_the_peer_does_not_hear(self) -> None:
        peer = a_peer(announce=["pods"], attributes={"services": {"communities": ["blackhole"]}})

        assert list(notes.find(samples.parse(a_document(peer, EVERYTHING)))) == []

    @pytest.mark.parametrize("name", ["no-export", "no-advertise", "no-peer", "accept-own"])
    def test_others_are_no_danger(self, name: str) -> None:
        peer = a_peer(attributes={"communities": [name]})

        assert list(notes.find(samples.parse(a_document(peer)))) == []


def test_what_stands_in_the_defaults_is_for_every_peer_and_told_once() -> None:
    document = samples.changed(("peerDefaults",), {"announce": ["10.97.0.0/16"]})
    (peer,) = document["peers"]
    document["peers"] = [peer, {**peer, "name": "other", "address": "192.0.2.2"}]

    found = samples.problems(document)

    assert len([each for each in found if "peerDefaults.announce[0]" in each]) == 1
    assert len(found) == 2, "the ranges that no peer is announced, besides"
