"""A model of ExaBGP 5.0.15 as its helper sees it: text lines in, text lines out, no sockets.

It keeps the faults that the agent has to live with: ``done`` says stored and not sent; changes
are queued by attribute set, so that two changes of one prefix may leave in the wrong order; the
first batch of a session carries no withdrawals; a failed connection empties the queue. They are
copied from ``exabgp/rib/outgoing.py`` and ``exabgp/reactor/peer.py``.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from exabgp_k8s.core.facts import model

RESTART_TIME = 120
"""Seconds, of every peer with graceful restart."""

Key = tuple[model.Attributes, model.Address]
"""What ExaBGP files a change under."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one prefix on its way to a peer."""

    route: model.Route
    is_withdrawal: bool

    @property
    def key(self) -> Key:
        return self.route.attributes, self.route.next_hop


@dataclass(slots=True)
class Router:
    """The other end: what a peer has heard, and what it keeps over a restart."""

    is_preserving: bool = False
    routes: dict[model.Network, model.Route] = field(default_factory=dict)
    stale: set[model.Network] = field(default_factory=set)
    lost_at: float = 0

    def lost(self, now: float) -> None:
        """The session ended (RFC 4724 section 4.2)."""
        self.lost_at = now
        if self.is_preserving:
            self.stale = set(self.routes)
        else:
            self.routes.clear()

    def waits(self, now: float) -> None:
        """Time passed without a session: nobody is waited for longer than the restart time."""
        if now >= self.lost_at + RESTART_TIME:
            for prefix in self.stale:
                del self.routes[prefix]
            self.stale.clear()

    def heard(self, change: Change) -> None:
        """An UPDATE came."""
        prefix = change.route.prefix
        self.stale.discard(prefix)
        if change.is_withdrawal:
            self.routes.pop(prefix, None)
        else:
            self.routes[prefix] = change.route

    def ended(self, family: model.Family) -> None:
        """End-of-RIB came: what was not heard again is purged."""
        for prefix in [each for each in self.stale if model.family_of(each) is family]:
            self.stale.discard(prefix)
            del self.routes[prefix]


class Peer:
    """One neighbor with its adj-rib-out, and the router behind it."""

    def __init__(self, neighbor: model.Neighbor, router: Router) -> None:
        self.neighbor = neighbor
        self.router = router
        router.is_preserving = neighbor.graceful_restart is not None
        self.is_up = False
        self.stored: dict[model.Network, model.Route] = {}
        self._buckets: dict[Key, dict[model.Network, Change]] = {}
        self._latest: dict[model.Network, Change] = {}
        self._resent: list[model.Route] = []
        self._ends: deque[model.Family] = deque()
        self._sends_withdrawals = False

    def reconfigure(self, neighbor: model.Neighbor) -> None:
        """Go on with other parameters and the same table; the session is down."""
        self.neighbor = neighbor
        self.router.is_preserving = neighbor.graceful_restart is not None

    @property
    def is_busy(self) -> bool:
        """Whether something waits to be sent."""
        return self.is_up and bool(self._latest or self._resent or self._ends)

    def change(self, change: Change) -> bool:
        """Store a change; False: the table says so already, and nothing will be sent."""
        prefix = change.route.prefix
        if not change.is_withdrawal and self.stored.get(prefix) == change.route:
            return False
        earlier = self._latest.get(prefix)
        if change.is_withdrawal and earlier is not None:
            self._buckets[earlier.key].pop(prefix, None)
        self._queue(change)
        return True

    def _queue(self, change: Change) -> None:
        prefix = change.route.prefix
        # The older change of the prefix stays where it is, under another attribute set.
        self._buckets.setdefault(change.key, {})[prefix] = change
        self._latest[prefix] = change
        if change.is_withdrawal:
            self.stored.pop(prefix, None)
        else:
            self.stored[prefix] = change.route

    def flush(self) -> None:
        """Send everything again that the table holds."""
        self._resent.extend(self.stored.values())

    def end(self, family: model.Family) -> None:
        """Send End-of-RIB after what waits."""
        self._ends.append(family)

    def open(self) -> None:
        """The session comes up: the whole table is queued once more."""
        self.is_up, self._sends_withdrawals = True, False
        for route in list(self.stored.values()):
            self._queue(Change(route, is_withdrawal=False))

    def close(self, now: float) -> None:
        """The session goes down, or an attempt fails: the queue is forgotten."""
        if self.is_up:
            self.router.lost(now)
        self.is_up = False
        self._buckets, self._latest, self._resent = {}, {}, []
        self._ends.clear()

    def send(self) -> Iterator[Change | model.Family]:
        """Yield what goes out now, in ExaBGP's order; the router hears it."""
        buckets, latest = self._buckets, self._latest
        resent = {route.prefix: Change(route, is_withdrawal=False) for route in self._resent}
        self._buckets, self._latest, self._resent = {}, {}, []
        _fold(resent, latest, buckets)
        outgoing = list(resent.values())
        for changes in buckets.values():
            outgoing += sorted(changes.values(), key=lambda change: not change.is_withdrawal)
        for change in outgoing:
            if change.is_withdrawal and not self._sends_withdrawals:
                continue
            if model.family_of(change.route.prefix) in self.neighbor.families:
                self.router.heard(change)
                yield change
        if outgoing:
            self._sends_withdrawals = True
        while self._ends:
            family = self._ends.popleft()
            self.router.ended(family)
            yield family


def _fold(
    resent: dict[model.Network, Change],
    latest: dict[model.Network, Change],
    buckets: dict[Key, dict[model.Network, Change]],
) -> None:
    """Do what ``OutgoingRIB._prepare_refresh`` does to a resend that meets queued changes."""
    withdrawn = {
        prefix
        for changes in buckets.values()
        for prefix, change in changes.items()
        if prefix in resent and change.is_withdrawal
    }
    consumed = set(resent)
    for prefix in withdrawn:
        del resent[prefix]
        if not latest[prefix].is_withdrawal:
            consumed.remove(prefix)
    for prefix, change in resent.items():
        resent[prefix] = latest.get(prefix, change)
    for changes in buckets.values():
        for prefix in list(consumed & changes.keys()):
            if not changes[prefix].is_withdrawal:
                del changes[prefix]


class Daemon:
    """ExaBGP: a configuration, peers, and the two pipes of its helper."""

    def __init__(self) -> None:
        self.peers: dict[model.Address, Peer] = {}
        self.routers: dict[tuple[model.Address, model.Address], Router] = {}
        """By the peer's address and ours: a session from another one is another neighbor."""
        self.now = 0.0
        self.output: deque[str] = deque()
        self.refuses_next = False
        self._asked: str | None = None
        self._configured: tuple[model.Neighbor, ...] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether anything is still to be answered, sent or read."""
        return bool(
            self._asked
            or self.output
            or self._configured is not None
            or any(peer.is_busy for peer in self.peers.values())
        )

    def neighbors(self) -> tuple[model.Neighbor, ...]:
        """Return the configuration that runs."""
        return tuple(peer.neighbor for peer in self.peers.values())

    def ask(self, line: bytes) -> None:
        """Take one command from the helper."""
        assert self._asked is None, f"{line!r} came before {self._asked!r} was answered"
        assert line.endswith(b"\n")
        self._asked = line.decode("ascii").rstrip("\n")

    def reload(self, neighbors: tuple[model.Neighbor, ...]) -> None:
        """Be told to read a new configuration; that it is run is another matter."""
        self._configured = neighbors

    def take_configuration(self) -> None:
        """Run the configuration that was read; sessions that did not change are untouched.

        Its own name of a peer has the addresses, the AS numbers and the router id in it: where
        one of these changes the peer goes with its table. Otherwise the session is made anew.
        """
        if self._configured is None:
            return
        wanted = {neighbor.address: neighbor for neighbor in self._configured}
        self._configured = None
        for address, peer in list(self.peers.items()):
            after = wanted.get(address)
            if after is None or _name(after) != _name(peer.neighbor):
                self.lose(address, "stop, message [removed]")
                del self.peers[address]
            elif after.is_reset_from(peer.neighbor):
                self.lose(address, "notification sent (6,3)")
                self.peers[address].reconfigure(after)
        for address, neighbor in wanted.items():
            if address not in self.peers:
                router = self.routers.setdefault((address, neighbor.local_address), Router())
                self.peers[address] = Peer(neighbor, router)

    def die(self) -> None:
        """End, and be started again with the same configuration and nothing else."""
        neighbors = self.neighbors()
        for peer in self.peers.values():
            peer.close(self.now)
        self.peers.clear()
        self._configured = self._configured or neighbors
        self.take_configuration()
        self.respawn_helper()

    def respawn_helper(self) -> None:
        """The helper ended: what was on its way to it is lost, what it asked for is done."""
        self.execute()
        for peer in self.peers.values():
            list(self.send(peer))
        self.output.clear()

    def establish(self, address: model.Address) -> None:
        """A session comes up."""
        peer = self.peers[address]
        if peer.is_up:
            return
        families = [f"{family} unicast" for family in peer.neighbor.families]
        self._say(peer, "negotiated", negotiated={"hold_time": 9, "families": families})
        self._say(peer, "state", state="up")
        peer.open()

    def lose(self, address: model.Address, reason: str = "lost FIN in ESTABLISHED") -> None:
        """A session goes down, or a connection cannot be made."""
        peer = self.peers[address]
        peer.close(self.now)
        self._say(peer, "state", state="down", reason=reason)

    def send(self, peer: Peer) -> Iterator[Change | model.Family]:
        """Let one peer's UPDATEs go, with their echoes; yields what went."""
        if not peer.is_busy:
            return
        for sent in peer.send():
            if isinstance(sent, Change):
                self._say(peer, "update", direction="send", message={"update": _update(sent)})
            else:
                eor = {"afi": str(sent), "safi": "unicast"}
                self._say(peer, "update", direction="send", message={"eor": eor})
            yield sent

    def execute(self) -> list[tuple[Peer, Change]]:
        """Carry out and answer the command under way; return the changes that will be sent."""
        line, self._asked = self._asked, None
        if line is None:
            return []
        match line.split():
            case ["show", "neighbor", "json"]:
                self.output.append(json.dumps([_row(peer) for peer in self.peers.values()]))
            case ["show", "adj-rib", "out", "json"]:
                self.output.extend(
                    json.dumps(_rib_row(route))
                    for peer in self.peers.values()
                    for route in peer.stored.values()
                )
            case ["neighbor", *_]:
                return self._for_peers(line)
            case _:
                raise AssertionError(f"not a command: {line!r}")
        self.output.append("done")
        return []

    def _for_peers(self, line: str) -> list[tuple[Peer, Change]]:
        """Carry out a command for the neighbors it names, those of them that there are."""
        *others, last = line.split(", ")
        name, *words = last.removeprefix("neighbor ").split()
        names = [each.removeprefix("neighbor ") for each in others] + [name]
        found = (self.peers.get(ipaddress.ip_address(each)) for each in names)
        peers = [peer for peer in found if peer is not None]
        is_change = words[1] in ("route", "attributes")
        if not any(is_change or peer.is_up for peer in peers) or self.refuses_next:
            self.refuses_next = False
            self.output.append("error")
            return []
        self.output.append("done")
        return [sent for peer in peers for sent in self._for_peer(peer, words)]

    def _for_peer(self, peer: Peer, words: list[str]) -> Iterator[tuple[Peer, Change]]:
        match words:
            case ["announce" | "withdraw" as verb, "route" | "attributes" as form, *rest]:
                text, prefixes = " ".join(rest[1:]), rest[:1]
                if form == "attributes":
                    text, _, nlris = " ".join(rest).partition(" nlri ")
                    prefixes = nlris.split()
                for prefix in prefixes:
                    route = _route(peer.neighbor.address, prefix, text)
                    change = Change(route, is_withdrawal=verb == "withdraw")
                    if peer.change(change):
                        yield peer, change
            case ["flush", "adj-rib", "out"]:
                peer.flush()
            case ["announce", "eor", family, "unicast"]:
                peer.end(model.Family(family))
            case _:
                raise AssertionError(f"not a command: {words}")

    def _say(self, peer: Peer, kind: str, **said: Any) -> None:
        neighbor = peer.neighbor
        frame: dict[str, Any] = {
            "address": {"local": str(neighbor.local_address), "peer": str(neighbor.address)},
            "asn": {"local": neighbor.local_asn, "peer": neighbor.peer_asn},
            "router-id": str(neighbor.router_id),
        }
        self.output.append(json.dumps({"exabgp": "5.0.0", "type": kind, "neighbor": frame | said}))


def _name(neighbor: model.Neighbor) -> tuple[object, ...]:
    return (
        neighbor.local_address,
        neighbor.local_asn,
        neighbor.peer_asn,
        neighbor.router_id,
    )


def _update(change: Change) -> dict[str, Any]:
    route = change.route
    family = f"{model.family_of(route.prefix)} unicast"
    nlris = [{"nlri": str(route.prefix)}]
    if change.is_withdrawal:
        return {"withdraw": {family: nlris}}
    return {"announce": {family: {str(route.next_hop): nlris}}}


def _row(peer: Peer) -> dict[str, Any]:
    neighbor, is_up = peer.neighbor, peer.is_up
    count = {"update": 0, "total": 0}
    return {
        "state": "down",  # whatever the session does, for its first second
        "duration": 0,
        "fsm": "ESTABLISHED" if is_up else "ACTIVE",
        "local": {
            "capabilities": {"graceful-restart": neighbor.graceful_restart is not None},
            "address": str(neighbor.local_address),
            "as": neighbor.local_asn,
            "id": str(neighbor.router_id),
            "hold": neighbor.hold_time,
        },
        "peer": {
            "capabilities": {"graceful-restart": True if is_up else None},
            "address": str(neighbor.address),
            "as": neighbor.peer_asn,
            "id": str(neighbor.address) if is_up else None,
            "hold": neighbor.hold_time if is_up else None,
        },
        "messages": {"sent": count, "received": count},
        "families": [f"{family} unicast" for family in neighbor.families] if is_up else [],
    }


def _rib_row(route: model.Route) -> dict[str, Any]:
    found: dict[str, Any] = {}
    attributes = route.attributes
    if attributes.communities:
        found["community"] = [_joined(each) for each in attributes.communities]
    if attributes.large_communities:
        found["large-community"] = [_joined(each) for each in attributes.large_communities]
    if attributes.med is not None:
        found["med"] = attributes.med
    if attributes.as_path:
        found["as-path"] = {"0": {"element": "as-sequence", "value": list(attributes.as_path)}}
    family = {"afi": str(model.family_of(route.prefix)), "safi": "unicast"}
    nlri = {"prefix": str(route.prefix), "nexthop": str(route.next_hop), "family": family}
    peer = {"address": str(route.peer)}
    return {"peer": peer, "route": {"nlri": nlri, "attributes": found}}


def _joined(numbers: Iterable[int]) -> str:
    return ":".join(str(number) for number in numbers)


_ATTRIBUTES = re.compile(
    r"next-hop (?P<next_hop>\S+)"
    r"(?: as-path \[ (?P<path>[\d ]+) \])?"
    r"(?: med (?P<med>\d+))?"
    r"(?: local-preference (?P<preference>\d+))?"
    r"(?: community \[ (?P<communities>[\d: ]+) \])?"
    r"(?: large-community \[ (?P<large>[\d: ]+) \])?"
    r"(?: extended-community \[ (?P<extended>[\dA-Fx ]+) \])?"
)


def _route(peer: model.Address, prefix: str, text: str) -> model.Route:
    found = _ATTRIBUTES.fullmatch(text)
    assert found, f"not the attributes of a route: {text!r}"
    communities = (each.split(":") for each in (found["communities"] or "").split())
    large = (each.split(":") for each in (found["large"] or "").split())
    return model.Route(
        peer=peer,
        prefix=ipaddress.ip_network(prefix),
        next_hop=ipaddress.ip_address(found["next_hop"]),
        attributes=model.Attributes(
            communities=tuple((int(a), int(b)) for a, b in communities),
            large_communities=tuple((int(a), int(b), int(c)) for a, b, c in large),
            extended_communities=tuple(
                int(each, 16) for each in (found["extended"] or "").split()
            ),
            med=None if found["med"] is None else int(found["med"]),
            local_pref=None if found["preference"] is None else int(found["preference"]),
            as_path=tuple(int(each) for each in (found["path"] or "").split()),
        ),
    )
