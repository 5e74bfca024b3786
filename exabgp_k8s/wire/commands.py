"""A command as the one line that ExaBGP 5.0 understands.

ExaBGP finds a command by searching its words anywhere in the line, so free text in a line is a
second command waiting to happen. Every line is therefore built here, from addresses, networks
and integers only: whatever their values, the result is one line of ASCII.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from exabgp_k8s.core.facts import commands, model


def encode(command: commands.Command) -> bytes:
    """Return the line for a command, newline included."""
    return f"{_line(command)}\n".encode("ascii")


def _line(command: commands.Command) -> str:
    match command:
        case commands.Announce():
            return f"neighbor {command.route.peer} announce route {_route(command.route)}"
        case commands.Withdraw():
            # With the attributes of the announcement: ExaBGP files changes by attribute set.
            return f"neighbor {command.route.peer} withdraw route {_route(command.route)}"
        case commands.Together():
            return _together(command.changes)
        case commands.Flush():
            return f"neighbor {command.peer} flush adj-rib out"
        case commands.EndOfRib():
            return f"neighbor {command.peer} announce eor {command.family} unicast"
        case commands.ShowNeighbors():
            return "show neighbor json"
        case commands.ShowRib():
            return "show adj-rib out json"
        case _:
            assert_never(command)


def _together(changes: Sequence[commands.Change]) -> str:
    first = changes[0]
    peers = dict.fromkeys(f"neighbor {change.route.peer}" for change in changes)
    prefixes = dict.fromkeys(str(change.route.prefix) for change in changes)
    verb = "announce" if isinstance(first, commands.Announce) else "withdraw"
    next_hop = f"next-hop {first.route.next_hop}"
    shared = (next_hop, *_attributes(first.route.attributes))
    return f"{', '.join(peers)} {verb} attributes {' '.join(shared)} nlri {' '.join(prefixes)}"


def _route(route: model.Route) -> str:
    return " ".join(
        (str(route.prefix), "next-hop", str(route.next_hop), *_attributes(route.attributes))
    )


def _attributes(attributes: model.Attributes) -> Iterator[str]:
    if attributes.as_path:
        yield f"as-path [ {' '.join(str(asn) for asn in attributes.as_path)} ]"
    if attributes.med is not None:
        yield f"med {attributes.med}"
    if attributes.local_pref is not None:
        yield f"local-preference {attributes.local_pref}"
    if attributes.communities:
        # Always numbers: the word "graceful-shutdown" would shut ExaBGP down.
        yield f"community [ {' '.join(_joined(each) for each in attributes.communities)} ]"
    if attributes.large_communities:
        large = " ".join(_joined(each) for each in attributes.large_communities)
        yield f"large-community [ {large} ]"
    if attributes.extended_communities:
        # As bytes: of "target:4200000000:1" ExaBGP makes one of the type for IPv4 addresses.
        extended = " ".join(f"0x{each:016X}" for each in attributes.extended_communities)
        yield f"extended-community [ {extended} ]"


def _joined(numbers: tuple[int, ...]) -> str:
    return ":".join(str(number) for number in numbers)
