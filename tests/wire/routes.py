"""Strategies for every command that the settings can lead to."""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import Literal

from hypothesis import strategies as st

from exabgp_k8s.core.facts import commands, model

numbers16 = st.integers(min_value=0, max_value=2**16 - 1)
numbers32 = st.integers(min_value=0, max_value=2**32 - 1)
asns = st.integers(min_value=1, max_value=2**32 - 1)
addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


@st.composite
def networks(draw: st.DrawFn, version: Literal[4, 6]) -> model.Network:
    """Draw a prefix of any length."""
    address = draw(st.ip_addresses(v=version))
    length = draw(st.integers(min_value=0, max_value=address.max_prefixlen))
    return ipaddress.ip_network((address, length), strict=False)


attributes = st.builds(
    model.Attributes,
    communities=st.lists(
        st.just(model.GRACEFUL_SHUTDOWN) | st.tuples(numbers16, numbers16), max_size=4
    ).map(tuple),
    large_communities=st.lists(st.tuples(numbers32, numbers32, numbers32), max_size=3).map(tuple),
    extended_communities=st.lists(st.integers(min_value=0, max_value=2**64 - 1), max_size=3).map(
        tuple
    ),
    med=st.none() | numbers32,
    local_pref=st.none() | numbers32,
    as_path=st.lists(asns, max_size=5).map(tuple),
)


@st.composite
def routes(draw: st.DrawFn) -> model.Route:
    """Draw a route whose next hop has the family of its prefix."""
    version: Literal[4, 6] = draw(st.sampled_from((4, 6)))
    return model.Route(
        peer=draw(addresses),
        prefix=draw(networks(version)),
        next_hop=draw(st.ip_addresses(v=version)),
        attributes=draw(attributes),
    )


@st.composite
def together(draw: st.DrawFn) -> commands.Together:
    """Draw changes of one kind with one set of attributes, at some peers."""
    first = draw(routes())
    version: Literal[4, 6] = first.prefix.version
    prefixes = draw(st.lists(networks(version), min_size=2, max_size=4))
    peers = draw(st.lists(addresses, min_size=1, max_size=3))
    every = [
        dataclasses.replace(first, peer=peer, prefix=prefix)
        for peer in peers
        for prefix in prefixes
    ]
    if draw(st.booleans()):
        return commands.Together(changes=tuple(commands.Announce(route=each) for each in every))
    return commands.Together(changes=tuple(commands.Withdraw(route=each) for each in every))


every_command: st.SearchStrategy[commands.Command] = st.one_of(
    st.builds(commands.Announce, route=routes()),
    st.builds(commands.Withdraw, route=routes()),
    together(),
    st.builds(commands.Flush, peer=addresses),
    st.builds(commands.EndOfRib, peer=addresses, family=st.sampled_from(model.Family)),
    st.builds(commands.ShowNeighbors),
    st.builds(commands.ShowRib),
)
