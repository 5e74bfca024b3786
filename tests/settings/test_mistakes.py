"""Mistakes: all of them at once, each with its path and what to write instead."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.settings import samples

PEER = ("peers", 0)
CHECK = {"name": "x", "tcp": "127.0.0.1:1"}
TWO_PEERS = [
    {"name": "tor", "address": "192.0.2.1", "asn": 64513},
    {"name": "tor", "address": "192.0.2.1", "asn": "no"},
]

SLOTS = ("outageBudget",)
WRONG_SHARES: tuple[Any, ...] = (-1, "101%", "50", "half", "%", 0.5, True, None, [])
MISTAKES: list[tuple[tuple[str | int, ...], Any, str, str]] = [
    (("bgp", "asn"), 23456, "bgp.asn", "AS 23456 is reserved"),
    (("bgp", "asn"), 0, "bgp.asn", "write at least 1"),
    (("bgp", "asn"), 4294967295, "bgp.asn", "write at most 4294967294"),
    (("bgp", "asn"), "64512", "bgp.asn", "write the number without quotes: 64512"),
    (("bgp", "asn"), 1e-5, "bgp.asn", "write a whole number"),
    (("bgp", "asn"), True, "bgp.asn", "write a whole number"),
    (("bgp", "routerID"), "10.0.0.300", "bgp.routerID", "write auto or an IPv4 address"),
    ((*PEER, "passive"), True, "peers[0].passive", "let the router be passive"),
    (("bgp", "routerId"), "auto", "bgp.routerId", "did you mean routerID?"),
    (("bgp",), None, "bgp", "write a mapping of asn, routerID"),
    *[
        ((*SLOTS, "maxUnavailable"), wrong, "outageBudget.maxUnavailable", "write a number")
        for wrong in WRONG_SHARES
    ],
    (("outageBudget", "covers"), [], "outageBudget.covers", "write at least one entry"),
    (
        ("outageBudget", "covers"),
        ["draining"],
        "outageBudget.covers[0]",
        "write unhealthy or cordoned",
    ),
    (("outageBudget", "withoutAPI"), "stay", "outageBudget.withoutAPI", "write withdraw or keep"),
    (("peers",), [], "peers", "write at least one entry"),
    (("peers",), {}, "peers", "write a list"),
    (("peers",), ["tor"], "peers[0]", "write a mapping of name, description"),
    ((*PEER, "hold_time"), "9s", "peers[0].hold_time", "did you mean holdTime?"),
    ((*PEER, "holdTime"), 9, "peers[0].holdTime", "write 9s"),
    ((*PEER, "holdTime"), "2s", "peers[0].holdTime", "at least 3s"),
    ((*PEER, "holdTime"), "3500ms", "peers[0].holdTime", "write 4s"),
    ((*PEER, "keepalive"), "0s", "peers[0].keepalive", "write at least 1s"),
    ((*PEER, "keepalive"), "4s", "peers[0].keepalive", "write at most 3s"),
    ((*PEER, "keepalive"), "1500ms", "peers[0].keepalive", "write 2s"),
    ((*PEER, "keepAlive"), "1s", "peers[0].keepAlive", "did you mean keepalive?"),
    ((*PEER, "connectRetry"), "0s", "peers[0].connectRetry", "at least 1s and at most 5m"),
    ((*PEER, "connectRetry"), "6m", "peers[0].connectRetry", "at least 1s and at most 5m"),
    ((*PEER, "gracefulRestart"), "2h", "peers[0].gracefulRestart", "at most 4095s"),
    ((*PEER, "gracefulRestart"), "0s", "peers[0].gracefulRestart", "leave it out"),
    ((*PEER, "bfd"), True, "peers[0].bfd", "write a mapping of interval, multiplier, multihop"),
    ((*PEER, "bfd", "interval"), "49ms", "peers[0].bfd.interval", "at least 50ms"),
    ((*PEER, "bfd", "interval"), "61s", "peers[0].bfd.interval", "at most 1m"),
    ((*PEER, "bfd", "interval"), 300, "peers[0].bfd.interval", "write 300ms"),
    ((*PEER, "bfd", "multiplier"), 1, "peers[0].bfd.multiplier", "write at least 2"),
    ((*PEER, "bfd", "multiplier"), 51, "peers[0].bfd.multiplier", "write at most 50"),
    ((*PEER, "bfd", "minTTL"), 254, "peers[0].bfd.minTTL", "unknown"),
    ((*PEER, "multihop"), 256, "peers[0].multihop", "write at most 255"),
    ((*PEER, "port"), 0, "peers[0].port", "write at least 1"),
    ((*PEER, "ttlSecurity"), "yes", "peers[0].ttlSecurity", "write true or false"),
    ((*PEER, "families"), ["ipv4", "ipv5"], "peers[0].families[1]", "write ipv4 or ipv6"),
    ((*PEER, "families"), ["ipv4", "ipv4"], "peers[0].families", "written twice"),
    ((*PEER, "families"), [], "peers[0].families", "leave the key out"),
    ((*PEER, "localAddress"), "eth0", "peers[0].localAddress", "write node, route, {interface"),
    ((*PEER, "localAddress"), {"device": "a"}, "peers[0].localAddress", "{interface: bond0} and"),
    ((*PEER, "localAddress"), {"interface": "a b"}, "peers[0].localAddress", "interface name"),
    ((*PEER, "localAddress"), {"subnet": "10.1.2.3"}, "peers[0].localAddress", "has no length"),
    ((*PEER, "localAddress"), {"subnet": "fd00::/64"}, "peers[0].localAddress", "same family"),
    ((*PEER, "nextHop"), "route", "peers[0].nextHop", "write node, {interface"),
    ((*PEER, "nextHop"), "192.0.2.1", "peers[0].nextHop", "the router's own"),
    ((*PEER, "localAddress"), "fd00::1", "peers[0].localAddress", "of the same family"),
    ((*PEER, "localAddress"), "192.0.2.1", "peers[0].localAddress", "our own of"),
    ((*PEER, "asn"), None, "peers[0].asn", "is missing (AS number of the router)"),
    (
        (*PEER, "nodeSelector"),
        {"matchLabels": {"a.b/c": 1}},
        'peers[0].nodeSelector.matchLabels["a.b/c"]',
        "put it in quotes",
    ),
    (
        (*PEER, "nodeSelector"),
        {"matchLabels": {"a b": "c"}},
        'peers[0].nodeSelector.matchLabels["a b"]',
        "is not a label key",
    ),
    (
        (*PEER, "nodeSelector"),
        {"matchExpressions": [{"key": "a", "operator": "In"}]},
        "peers[0].nodeSelector.matchExpressions[0].values",
        "write at least one",
    ),
    (
        (*PEER, "nodeSelector"),
        {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]},
        "peers[0].nodeSelector.matchExpressions[0].values",
        "remove values",
    ),
    (
        (*PEER, "attributes"),
        {"communities": ["1:1"] * 65},
        "peers[0].attributes.communities",
        "write at most 64",
    ),
    (
        (*PEER, "attributes"),
        {"communities": ["1:2:3"]},
        "peers[0].attributes.communities[0]",
        "write it under largeCommunities",
    ),
    ((*PEER, "attributes"), {"prepend": 11}, "peers[0].attributes.prepend", "write at most 10"),
    (("announce",), {}, "announce", "write services, pods or both"),
    (("announce", "pods"), {}, "announce.pods.within", "is missing (The cluster's pod ranges"),
    (("announce", "services", "cidrs"), "10.0.0.0/8", "announce.services.cidrs", "write auto"),
    (
        ("announce", "services", "cidrs"),
        ["10.96.0.1/16"],
        "announce.services.cidrs[0]",
        "write 10.96.0.0/16",
    ),
    (
        ("announce", "services", "cidrs"),
        ["10.96.0.0/16", "10.96.0.0/16"],
        "announce.services.cidrs[1]",
        "overlaps 10.96.0.0/16 at announce.services.cidrs[0]",
    ),
    (
        ("announce", "services", "cidrs"),
        ["192.0.0.0/16"],
        "announce.services.cidrs[0]",
        "contains the router 192.0.2.1",
    ),
    (
        ("announce", "services", "within"),
        ["172.16.0.0/12"],
        "announce.services.within",
        "goes with cidrs: auto only",
    ),
    (
        ("announce", "holdDown"),
        {"initial": "2m"},
        "announce.holdDown.max",
        "write at least 2m",
    ),
    (("withdraw", "cordon"), "keep", "withdraw.cordon", "did you mean cordoned?"),
    (
        ("withdraw", "cordoned"),
        "deprioritize",
        "withdraw.cordoned",
        "did you mean deprioritise? write keep, deprioritise or withdraw, or a mapping",
    ),
    (
        ("withdraw", "cordoned"),
        {"pods": {"action": "Deprioritize"}},
        "withdraw.cordoned.pods.action",
        "did you mean deprioritise? write keep, deprioritise or withdraw",
    ),
    (("withdraw", "cordoned"), "never", "withdraw.cordoned", "write keep, deprioritise"),
    (
        ("withdraw", "cordoned"),
        {"pods": {"action": "keep", "after": "3s"}},
        "withdraw.cordoned.pods.after",
        "remove after",
    ),
    (
        ("withdraw", "cordoned"),
        {"pods": {"after": "3s"}},
        "withdraw.cordoned.pods.action",
        "is missing",
    ),
    (("health", "checks"), [{"name": "x"}], "health.checks[0]", "write one of http, tcp"),
    (
        ("health", "checks"),
        [{"name": "x", "tcp": "a:1", "process": "b"}],
        "health.checks[0]",
        "are 2 checks",
    ),
    (("health", "checks"), [{"tcp": "a:1"}], "health.checks[0].name", "is missing"),
    (("health", "checks"), [CHECK, {**CHECK}], "health.checks[1].name", "a name of its own"),
    (
        ("health", "checks"),
        [{"preset": "kubelet"}, {"preset": "kubelet"}],
        "health.checks[1].preset",
        "a name of its own",
    ),
    (
        ("health", "checks"),
        [{**CHECK, "timeout": "2s"}],
        "health.checks[0].timeout",
        "write at most 1s",
    ),
    (
        ("health", "checks"),
        [{**CHECK, "interval": "10ms"}],
        "health.checks[0].interval",
        "write at least 100ms",
    ),
    (
        ("health", "checks"),
        [{**CHECK, "timeout": "0s"}],
        "health.checks[0].timeout",
        "write for example 500ms",
    ),
    (
        ("health", "checks"),
        [{**CHECK, "minSpeed": 1000}],
        "health.checks[0].minSpeed",
        "goes with interface only",
    ),
    (
        ("health", "checks"),
        [{"name": "x", "http": "http://a/", "insecureSkipVerify": True}],
        "health.checks[0].insecureSkipVerify",
        "goes with an https URL only",
    ),
    (("drain", "settle"), 1, "drain.settle", "write 1s"),
    (("drain", "taints"), ["a:Never"], "drain.taints[0]", "write one of NoSchedule"),
]


@pytest.mark.parametrize(("path", "value", "place", "advice"), MISTAKES)
def test_one_mistake_is_one_message_that_says_what_to_write(
    path: tuple[str | int, ...], value: Any, place: str, advice: str
) -> None:
    found = samples.problems(samples.changed(path, value))

    assert len(found) == 1
    assert found[0].startswith(f"{place}: ")
    assert advice in found[0]


def test_eight_independent_mistakes_are_eight_messages() -> None:
    found = samples.problems("""
bgp: {asn: 65535, routerId: auto}
peers:
  - {name: a, address: 192.0.2.1, asn: 64513, holdTime: 9, multihop: 2, ttlSecurity: true}
  - {name: a, address: 192.0.2.2}
announce:
  services: {cidrs: [10.96.0.1/16]}
withdraw: {cordoned: never}
""")

    assert sorted(problem.partition(": ")[0] for problem in found) == [
        "announce.services.cidrs[0]",
        "bgp.asn",
        "bgp.routerId",
        "peers[0].holdTime",
        "peers[0].ttlSecurity",
        "peers[1].asn",
        "peers[1].name",
        "withdraw.cordoned",
    ]


def test_what_is_needed_is_not_said_to_be_left_out() -> None:
    found = samples.problems(samples.changed(("peers",), []))

    assert found == ["peers: write at least one entry"]


def test_only_a_word_that_may_have_been_meant_is_suggested() -> None:
    found = samples.problems(samples.changed((*PEER, "families"), ["ipv5"]))

    assert found == ["peers[0].families[0]: write ipv4 or ipv6"]


def test_a_mistake_does_not_hide_a_contradiction_beside_it() -> None:
    found = samples.problems(samples.changed(("peers",), TWO_PEERS))

    assert [problem.partition(": ")[0] for problem in found] == [
        "peers[1].name",
        "peers[1].address",
        "peers[1].asn",
    ]


@pytest.mark.parametrize("local", [{}, {"localASN": 64513}])
def test_prepending_is_refused_where_the_peer_is_internal(local: dict[str, int]) -> None:
    peer = {"name": "tor", "address": "192.0.2.1", "asn": 64513, "attributes": {"prepend": 1}}
    document = samples.changed(("peers",), [peer | local])
    if not local:
        document["bgp"]["asn"] = 64513

    assert [problem.partition(": ")[0] for problem in samples.problems(document)] == [
        "peers[0].attributes.prepend"
    ]


def test_what_is_missing_is_explained_in_plain_text() -> None:
    document = samples.changed(("health",), {"checks": [{}]})
    document["peers"] = [{}]

    found = samples.problems(document)

    assert any("name: is missing (" in problem for problem in found)
    assert not any("`" in problem for problem in found)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PLACES = [row[0] for row in MISTAKES]


@given(st.sampled_from(PLACES), JUNK)
def test_junk_anywhere_is_refused_in_words_of_ours(path: tuple[str | int, ...], junk: Any) -> None:
    """Whatever stands in the document, it ends as settings or as sentences, never otherwise."""
    for problem in samples.problems(samples.changed(path, junk)):
        assert "cannot be used here" not in problem
        assert not any(word in problem for word in ("pydantic", "Input should", "Value error"))


def test_a_keepalive_without_a_hold_time_is_refused() -> None:
    peer = {**samples.SMALLEST["peers"][0], "holdTime": "0s", "keepalive": "1s"}

    (problem,) = samples.problems(samples.changed(("peers",), [peer]))

    assert problem.startswith("peers[0].keepalive: a hold time of 0s turns keepalives off")


@pytest.mark.parametrize(
    ("fast", "words"),
    [("2s", "write at most 1s, or remove it"), ("50ms", "write at least 100ms")],
)
def test_a_fast_interval_is_no_slower_than_the_interval(fast: str, words: str) -> None:
    check = {**CHECK, "fastInterval": fast}

    (problem,) = samples.problems(samples.changed(("health",), {"checks": [check]}))

    assert problem.startswith("health.checks[0].fastInterval: ")
    assert words in problem
