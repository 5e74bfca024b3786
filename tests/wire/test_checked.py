"""Checked settings come back as they were, or not at all."""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
import json
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exabgp_k8s.core.facts import asns, config, model, offer, places, routers
from exabgp_k8s.wire import checked
from tests.settings import samples

WORDS = st.text(max_size=12)
WHOLE = st.integers(0, 2**32)
SECONDS = st.floats(0, 1e6)
NETWORKS = st.lists(st.ip_addresses().map(ipaddress.ip_network), max_size=3).map(tuple)
CLASSES = st.frozensets(st.sampled_from(model.PrefixClass))
PROBES = st.one_of(
    st.builds(config.HttpProbe, url=WORDS, verify=st.booleans(), fallback=WORDS),
    st.builds(config.TcpProbe, host=WORDS, port=WHOLE),
    st.builds(config.ExecProbe, command=st.lists(WORDS).map(tuple)),
    st.builds(config.DnsProbe, server=st.ip_addresses(), name=WORDS, port=WHOLE, record=WORDS),
    st.builds(config.ProcessProbe, name=WORDS),
    st.builds(config.InterfaceProbe, name=WORDS, min_speed=WHOLE),
)
CHECKS = st.builds(
    config.Check, name=WORDS, probe=PROBES, interval=SECONDS, fall=WHOLE, affects=CLASSES
)
ATTRIBUTES = st.builds(
    model.Attributes,
    communities=st.lists(st.tuples(WHOLE, WHOLE), max_size=2).map(tuple),
    large_communities=st.lists(st.tuples(WHOLE, WHOLE, WHOLE), max_size=2).map(tuple),
    extended_communities=st.lists(WHOLE, max_size=2).map(tuple),
    med=st.none() | WHOLE,
)
OFFERS = st.none() | st.builds(
    offer.Offer, within=st.none() | NETWORKS, attributes=ATTRIBUTES, prepend=WHOLE
)
REQUIREMENTS = st.builds(
    config.Requirement,
    key=WORDS,
    operator=st.sampled_from(config.Operator),
    values=st.frozensets(WORDS, max_size=3),
)
ASNS = WHOLE | st.integers(1 << 16, 9 << 16).map(asns.Dotted)
PLACES = st.builds(asns.OfTheNode, source=st.sampled_from(asns.Source), key=WORDS)
AT = (
    st.builds(places.OnInterface, interface=WORDS)
    | st.builds(places.InSubnet, subnet=st.ip_addresses().map(ipaddress.ip_network))
    | st.ip_addresses()
    | st.sampled_from(config.LocalAddress)
)
WHERE = st.builds(routers.Gateway, family=st.sampled_from(model.Family)) | st.builds(
    routers.Annotated, key=WORDS
)
ENTRIES = st.builds(
    config.Entry,
    entry=WHOLE,
    name=WORDS,
    asn=ASNS | st.sampled_from(asns.Relation),
    local_asn=ASNS | PLACES,
    local_address=AT,
    next_hop=st.none() | AT,
    selector=st.builds(config.Selector, requirements=st.lists(REQUIREMENTS).map(tuple)),
    password_from=st.none() | WORDS,
    families=st.lists(st.sampled_from(model.Family)).map(tuple),
    services=OFFERS,
    pods=OFFERS,
)
PEERS = st.builds(config.Entry.at, ENTRIES, st.ip_addresses())
SOUGHT = st.builds(config.Entry.at, ENTRIES, WHERE)
POLICIES = st.dictionaries(
    st.tuples(st.sampled_from(model.Reason), st.sampled_from(model.PrefixClass)),
    st.builds(config.Cell, action=st.sampled_from(model.Action), after=SECONDS),
)
CONFIGS = st.builds(
    config.Config,
    asn=ASNS | PLACES,
    router_id=st.none() | st.ip_addresses(v=4),
    is_named=st.booleans(),
    peers=st.lists(PEERS, max_size=3).map(tuple),
    sought=st.lists(SOUGHT, max_size=2).map(tuple),
    service_cidrs=st.none() | NETWORKS,
    pods_within=NETWORKS,
    policy=POLICIES,
    drain_taints=st.lists(st.builds(model.Taint, key=WORDS, effect=WORDS)).map(tuple),
    checks=st.lists(CHECKS, max_size=3).map(tuple),
    budget=st.none()
    | st.builds(
        config.Budget,
        amount=WHOLE,
        covers=st.frozensets(st.sampled_from(model.Reason)),
        without_api=st.sampled_from(config.WithoutApi),
    ),
)
DUMPED = json.loads(checked.dump(config.Config(asn=64512), "text"))


@given(CONFIGS, WORDS)
def test_what_was_checked_is_read_back(settings: config.Config, text: str) -> None:
    found = checked.load(checked.dump(settings, text))

    assert found == checked.Checked(digest=checked.digest(text), config=settings)


def test_an_as_number_is_still_shown_as_it_was_written() -> None:
    settings = config.Config(asn=asns.Dotted(65000 << 16 | 10))

    found = checked.load(checked.dump(settings, "text"))

    assert found is not None
    assert str(found.config.asn) == "65000.10"


def test_every_type_of_the_settings_has_a_way_through() -> None:
    """A field of a new type must not reach a node without one."""
    known = {*checked.VALUES, *checked.WORDS, *checked.NUMBERS, *checked.AS_THEY_ARE}

    assert set(types_in(config.Config)) - known == set()


def types_in(kind: Any, seen: frozenset[Any] = frozenset()) -> Iterator[type[Any]]:
    """Yield every type that stands somewhere in a value of this one."""
    if kind in seen or kind is Ellipsis:
        return
    if (origin := typing.get_origin(kind)) is not None:
        assert origin in (tuple, frozenset, Mapping, types.UnionType, typing.Union), kind
        for argument in typing.get_args(kind):
            yield from types_in(argument, seen)
        return
    yield kind
    if dataclasses.is_dataclass(kind):
        for hint in typing.get_type_hints(kind).values():
            yield from types_in(hint, seen | {kind})
    else:
        assert not issubclass(kind, enum.Enum) or issubclass(kind, enum.StrEnum)


def test_a_default_is_not_written_out() -> None:
    assert DUMPED["config"] == {"Config": {"asn": 64512}}


def test_the_keys_of_passwords_are_all_that_is_told_of_them() -> None:
    document = samples.changed(("peers", 0, "passwordFrom"), "tor")

    assert '"password_from": "tor"' in checked.dump(samples.parse(document), "text")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"digest": "a"}',
        '{"digest": "a", "config": null}',
        '{"digest": "a", "config": {"Peer": {}}}',
        '{"digest": 1, "config": {"Config": {"asn": 1}}}',
        '{"digest": "a", "config": {"Config": {"asn": 1, "colour": 2}}}',
        '{"digest": "a", "config": {"Config": {"asn": 1, "budget": {"Popen": {}}}}}',
        '{"digest": "a", "config": {"Config": {"asn": 1, "peers": {"set": 1}}}}',
        '{"digest": "a", "config": {"Config": {"asn": 1, "router_id": {"IPv4Address": "x"}}}}',
        '{"digest": "a", "config": {"Config": {"asn": 1}, "Budget": {}}}',
        '{"digest": "a", "config": {"Config": []}}',
        json.dumps(DUMPED)[:-5],
        '{"digest": "a", "config": ' + "[" * 100_000,
    ],
)
def test_what_is_something_else_is_nothing(text: str) -> None:
    assert checked.load(text) is None


def test_a_text_has_another_digest_than_any_other() -> None:
    assert checked.digest("a") != checked.digest("b")


def test_what_another_version_checked_is_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    before = checked.digest("a")
    monkeypatch.setattr("exabgp_k8s.__version__", "another")

    assert checked.digest("a") != before


def test_an_unknown_value_is_not_passed_on() -> None:
    with pytest.raises(TypeError, match="no value of the settings"):
        checked.dump(config.Config(asn=1, policy=types.MappingProxyType({})), "text")
