"""What is in use is read back as it was, or not at all."""

from __future__ import annotations

import dataclasses
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exabgp_k8s.core.facts import asns, model
from exabgp_k8s.core.facts import in_use as using
from exabgp_k8s.wire import in_use

WORDS = st.text(max_size=20)
PASSWORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=80)
PEERS = st.builds(
    using.PeerInUse,
    address=st.ip_addresses(),
    rule=WORDS,
    local_address=st.none() | st.ip_addresses(),
    is_proven=st.booleans(),
    next_hop=st.none() | st.ip_addresses(),
    own_next_hop=st.none() | st.ip_addresses(),
    password=st.none() | st.builds(model.Secret, PASSWORDS),
)
USED = st.builds(
    using.InUse,
    uid=WORDS,
    pod_cidrs=st.lists(st.ip_addresses().map(ipaddress.ip_network), max_size=2).map(tuple),
    labels=st.dictionaries(WORDS, WORDS, max_size=4),
    asns=st.dictionaries(
        WORDS, st.sampled_from([64600, asns.Dotted(65000 << 16 | 10)]), max_size=2
    ),
    routers=st.dictionaries(
        WORDS, st.builds(using.RouterInUse, address=st.ip_addresses()), max_size=2
    ),
    router_id=st.none() | st.ip_addresses(v=4),
    peers=st.dictionaries(WORDS, PEERS, max_size=3),
)


@given(USED)
def test_what_is_kept_is_read_back(used: using.InUse) -> None:
    assert in_use.load(in_use.dump(used)) == used


@given(USED)
def test_since_when_a_label_is_away_is_of_one_process_only(used: using.InUse) -> None:
    """Its clock means nothing to the next one."""
    away = dataclasses.replace(used, away={"rack": 1000.0})

    assert in_use.load(in_use.dump(away)) == used


@given(USED, st.integers(0, 400))
def test_what_a_crash_cut_off_is_not_read(used: using.InUse, length: int) -> None:
    text = in_use.dump(used)

    assert in_use.load(text[: min(length, len(text) - 1)]) is None


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "[]",
        "{}",
        "[" * 100_000,
        '{"uid": "", "podCIDRs": [], "labels": [], "routerID": null, "peers": {}}',
        '{"uid": "", "podCIDRs": ["x"], "labels": {}, "routerID": null, "peers": {}}',
        '{"uid": "", "podCIDRs": [], "labels": {}, "routerID": "fd00::1", "peers": {}}',
        '{"uid": "", "podCIDRs": [], "labels": {}, "routerID": null, "peers": {"192.0.2.1": 3}}',
    ],
)
def test_what_another_version_may_have_written_is_not_read(text: str) -> None:
    assert in_use.load(text) is None
