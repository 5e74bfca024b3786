"""One line from ExaBGP, as a value.

Two things share the pipe: bare ``done`` and ``error`` with the rows of a query, and JSON events
that come when they like, also between those rows. A line that cannot be understood is ``Noise``:
ExaBGP's text is not ours to trust, and nothing is concluded from it.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exabgp_k8s.core.facts import events, exchange, extended, model, printable
from exabgp_k8s.wire import opening

FAMILIES: Mapping[str, model.Family] = {
    "ipv4 unicast": model.Family.IPV4,
    "ipv6 unicast": model.Family.IPV6,
}
EXTENDED = "ipv4 unicast ipv6"
"""What may have which next hop (RFC 8950), as ExaBGP writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The command was stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The command was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something happened; not an answer."""

    event: events.Event


@dataclass(frozen=True, slots=True, kw_only=True)
class RibRow:
    """One row of ``show adj-rib out json``."""

    route: model.Route


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighborTable:
    """The one row of ``show neighbor json``."""

    rows: tuple[events.NeighborRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """A line that says nothing we use, or nothing we understand."""

    text: str


Reply = Done | Failed | Happened | RibRow | NeighborTable | Noise


def parse(line: bytes) -> Reply:
    """Return what a line without its newline says; never raises."""
    text = line.decode("utf-8", "replace").strip()
    if text == "done":
        return Done()
    if text == "error":
        return Failed()
    if not text.startswith(("{", "[")):
        return Noise(text=text)
    try:
        return _from_json(json.loads(text)) or Noise(text=text)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return Noise(text=text)


def _from_json(value: Any) -> Reply | None:
    if isinstance(value, list):
        return NeighborTable(rows=tuple(_neighbor_row(row) for row in value))
    if "route" in value:
        return RibRow(route=_rib_route(value))
    if "neighbor" not in value:
        return None
    event = _event(value["type"], value["neighbor"])
    return None if event is None else Happened(event=event)


def _event(kind: str, neighbor: Mapping[str, Any]) -> events.Event | None:
    peer = ipaddress.ip_address(neighbor["address"]["peer"])
    match kind:
        case "state":
            return events.SessionChanged(
                peer=peer,
                state=str(neighbor["state"]),
                local=_address_or_none(neighbor["address"].get("local")),
                problem=printable.one_line(str(neighbor.get("reason", ""))),
            )
        case "negotiated":
            agreed = neighbor["negotiated"]
            return events.Negotiated(
                peer=peer,
                families=_families(agreed["families"]),
                hold_time=int(agreed["hold_time"]),
                is_extended=EXTENDED in agreed.get("nexthop", ()),
            )
        case "notification":
            said = neighbor["notification"]
            return events.NotificationReceived(
                peer=peer,
                code=int(said["code"]),
                subcode=int(said["subcode"]),
                message=_said(str(said.get("message", ""))),
            )
        case "update" if neighbor.get("direction") == "send":
            return _update(peer, neighbor["message"].get("update", {}))
        case _:
            return None


def _said(message: str) -> str:
    """Return the text of a NOTIFICATION, at most a line of it; its data may be no text at all.

    RFC 8654 lets it be 64 KiB, and it would stand in every line, table and Event about its
    session.
    """
    return printable.one_line(message) if message.isprintable() else ""


def _update(peer: model.Address, update: Mapping[str, Any]) -> events.UpdateSent | None:
    announced = {
        ipaddress.ip_network(nlri["nlri"])
        for family, by_next_hop in update.get("announce", {}).items()
        if family in FAMILIES
        for nlris in by_next_hop.values()
        for nlri in nlris
    }
    withdrawn = {
        ipaddress.ip_network(nlri["nlri"])
        for family, nlris in update.get("withdraw", {}).items()
        if family in FAMILIES
        for nlri in nlris
    }
    if not announced and not withdrawn:
        return None
    return events.UpdateSent(
        peer=peer, announced=frozenset(announced), withdrawn=frozenset(withdrawn)
    )


def _rib_route(value: Mapping[str, Any]) -> model.Route:
    nlri, attributes = value["route"]["nlri"], value["route"]["attributes"]
    return model.Route(
        peer=ipaddress.ip_address(value["peer"]["address"]),
        prefix=ipaddress.ip_network(nlri["prefix"]),
        next_hop=ipaddress.ip_address(nlri["nexthop"]),
        attributes=model.Attributes(
            communities=tuple(_pair(each) for each in attributes.get("community", ())),
            large_communities=tuple(
                _triple(each) for each in attributes.get("large-community", ())
            ),
            extended_communities=tuple(
                _extended(each) for each in attributes.get("extended-community", ())
            ),
            med=attributes.get("med"),
            local_pref=attributes.get("local-preference"),
            as_path=tuple(
                asn
                for segment in attributes.get("as-path", {}).values()
                for asn in segment["value"]
            ),
        ).normalised(),
    )


WELL_KNOWN: Mapping[str, tuple[int, int]] = {
    "no-export": (65535, 65281),
    "no-advertise": (65535, 65282),
    "no-export-subconfed": (65535, 65283),
    "no-peer": (65535, 65284),
    "blackhole": (65535, 666),
}
"""The communities that ExaBGP shows by name (IANA, BGP Well-known Communities)."""


def _pair(text: str) -> tuple[int, int]:
    if text in WELL_KNOWN:
        return WELL_KNOWN[text]
    high, low = text.split(":")
    return int(high), int(low)


def _triple(text: str) -> tuple[int, int, int]:
    first, second, third = text.split(":")
    return int(first), int(second), int(third)


def _extended(text: str) -> int:
    if text.startswith("0x"):
        # A kind that ExaBGP has no words for.
        return int(text, 16)
    kind, administrator, number = text.split(":")
    if kind == "origin" and "." in number:
        # The number of a small AS's origin is shown as an address.
        number = str(int(ipaddress.IPv4Address(number)))
    found = extended.read(f"{kind}:{administrator}:{number}")
    if found is None:
        raise ValueError(f"{text} is no extended community of ours")
    return found


def _neighbor_row(row: Mapping[str, Any]) -> events.NeighborRow:
    local, peer, messages = row["local"], row["peer"], row["messages"]
    # "state" is "down" for the first second of a session: it means the age in whole seconds.
    is_up = row["fsm"] == "ESTABLISHED"
    return events.NeighborRow(
        peer=ipaddress.ip_address(peer["address"]),
        local=_address_or_none(local.get("address")),
        is_up=is_up,
        fsm=str(row["fsm"]),
        local_asn=int(local["as"]),
        peer_asn=int(peer["as"]),
        local_router_id=str(local.get("id") or ""),
        local_hold_time=int(local["hold"]),
        families=_families(row["families"]) if is_up else frozenset(),
        hold_time=min(int(local["hold"]), int(peer.get("hold") or 0)) if is_up else 0,
        duration=int(row["duration"]) if is_up is (row["state"] == "up") else 0,
        messages_sent=int(messages["sent"]["total"]),
        messages_received=int(messages["received"]["total"]),
        router_id=str(peer.get("id") or ""),
        # Ours as configured, and the peer's as it came in its OPEN.
        graceful_restart=all(
            side["capabilities"].get("graceful-restart") for side in (local, peer)
        ),
        is_extended=is_up and bool(peer["capabilities"].get("nexthop")),
        exchange=_exchange(row, messages),
    )


def _exchange(row: Mapping[str, Any], messages: Mapping[str, Any]) -> exchange.Exchange:
    """Return what the launcher of ExaBGP adds to a row, and the counters by type."""
    local, remote = row.get("ports") or (None, None)
    return exchange.Exchange(
        local_port=None if local is None else int(local),
        remote_port=None if remote is None else int(remote),
        sent=opening.read(str(row.get("open-sent", ""))),
        received=opening.read(str(row.get("open-received", ""))),
        messages_sent={name: int(count) for name, count in messages["sent"].items()},
        messages_received={name: int(count) for name, count in messages["received"].items()},
    )


def _families(names: list[str]) -> frozenset[model.Family]:
    return frozenset(FAMILIES[name] for name in names if name in FAMILIES)


def _address_or_none(text: Any) -> model.Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        # ExaBGP says "auto" or null where no local address is known yet.
        return None
