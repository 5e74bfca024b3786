"""Our document while it is written from theirs, and the list of what could not be carried over."""

from __future__ import annotations

import collections
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from exabgp_k8s.core.facts import durations
from exabgp_k8s.settings import addresses, located, peers, values
from exabgp_k8s.translate.source import Source

CLUSTER_IPS = (
    "addresses of LoadBalancers and externalIPs are not announced; ClusterIPs are, as a whole "
    "range"
)
NOTHING_LIKE_IT = "not carried over; there is nothing like it here"
LONGEST_RETRY, TERSEST = 300, 3
NOT_SETTINGS = ("metadata", "apiVersion", "kind", "status")


KEYS = tuple(field.alias or name for name, field in peers.Peer.model_fields.items())


class Draft:
    """The document so far."""

    def __init__(self, *, services: Sequence[str] = (), pods: Sequence[str] = ()) -> None:
        self.peers: list[dict[str, Any]] = []
        self.services, self.pods = list(services), list(pods)
        self.pods_from = ""
        self.are_services_wanted = True
        self.asn: int | str | None = None
        self._given = bool(services), bool(pods)
        self._lost: list[str] = []
        self._sources: list[Source] = []
        self._ours: list[int | str] = []

    def read(self, source: Source) -> Source:
        """Return a source whose leftovers are listed at the end."""
        self._sources.append(source)
        return source

    def lose(self, source: Source, path: str, why: str) -> None:
        """Note what is not carried over, and what to do about it."""
        self._lost.append(f"{source.place(path)}: {why}")

    def losses(self) -> Iterator[str]:
        """Yield what was not carried over; what nobody took comes last."""
        yield from dict.fromkeys(self._lost)
        if self.pods and self.pods_from:
            yield (
                f"the pods: read from {self.pods_from}, which needs a right: add "
                f"daemonset/components/pods-from-{self.pods_from} to your kustomization"
            )
        for source in self._sources:
            for path in source.left():
                if path.split(".")[0] not in NOT_SETTINGS:
                    yield f"{source.title}: {path}: {NOTHING_LIKE_IT}"

    def add(self, source: Source, name: str, address: str, **keys: Any) -> dict[str, Any] | None:
        """Add a peer; None where its address cannot be used, which is noted."""
        try:
            plain = str(located.read(address))
        except ValueError as error:
            self.lose(source, "", f"left out for want of an address that can be used: {error}")
            return None
        ours = keys.pop("ours", None)
        peer = {"name": self._name(name), "address": plain}
        said = {key: value for key, value in keys.items() if value not in (None, "", {}, [])}
        peer |= said
        if ours is not None:
            self._ours.append(ours)
            peer["localASN"] = peer.get("localASN", ours)
        self.peers.append(peer)
        return peer

    def _name(self, wanted: str) -> str:
        plain = re.sub(r"[^a-z0-9]+", "-", wanted.lower())[:60].strip("-") or "router"
        taken = {peer["name"] for peer in self.peers}
        names = (plain, *(f"{plain[:58]}-{number}" for number in range(2, 10_000)))
        return next(name for name in names if name not in taken)

    def range_of(self, kind: str, ranges: Iterable[Any], source: Source, path: str) -> None:
        """Take ranges for services or pods, unless the caller named them."""
        known, is_given = (
            (self.services, self._given[0]) if kind == "services" else (self.pods, self._given[1])
        )
        for each in ranges:
            try:
                found = str(addresses.network(each))
            except ValueError as error:
                self.lose(source, path, str(error))
                continue
            if not is_given and found not in known:
                known.append(found)

    def document(self) -> dict[str, Any]:
        """Return the document."""
        common = collections.Counter(self._ours).most_common(1)
        asn = self.asn if self.asn is not None else (common[0][0] if common else 64512)
        for peer in self.peers:
            if peer.get("localASN") == asn:
                del peer["localASN"]
        announce: dict[str, Any] = {}
        if self.services or self.are_services_wanted or not self.pods:
            announce["services"] = {"cidrs": self.services or "auto"}
        if self.pods:
            origin = {"from": self.pods_from} if self.pods_from else {}
            announce["pods"] = origin | {"within": self.pods}
        ordered = [*map(_ordered, self.peers)]
        found = {"bgp": {"asn": asn}, "peers": ordered, "announce": announce}
        # What several peers have in common is one object here, and would be an anchor in YAML.
        plain: dict[str, Any] = json.loads(json.dumps(found))
        return plain


def _ordered(peer: dict[str, Any]) -> dict[str, Any]:
    """Return a peer with its keys in the order of the reference page."""
    return {key: peer[key] for key in KEYS if key in peer}


def seconds(value: object, least: int, most: int) -> str:
    """Return a time of theirs as ours: whole seconds between two limits; nothing for none."""
    if value is None or value == "" or isinstance(value, dict | list | bool):
        return ""
    try:
        found = durations.parse(value) if isinstance(value, str) else float(str(value))
    except ValueError:
        return ""
    return durations.write(min(max(-(-int(found * 1000) // 1000), least), most))


def hold_time(value: object) -> str:
    """Return a hold time; zero stays what it is."""
    return seconds(value, 0 if value in (0, "0s") else TERSEST, 0xFFFF)


def as_number(value: object) -> int | str | None:
    """Return an AS number as people write it: a number, or two with a point."""
    text = str(value) if isinstance(value, int | str | float) else ""
    return int(text) if text.isdecimal() and text.isascii() else text or None


def communities(found: Iterable[Any]) -> dict[str, list[str]]:
    """Return communities as attributes; each that is none of ours stays out."""
    plain: list[str] = []
    large: list[str] = []
    for each in found:
        text = str(each).removeprefix("large:")
        for read, kept in ((values.community, plain), (values.large_community, large)):
            try:
                read(text)
            except ValueError:
                continue
            if text not in kept:
                kept.append(text)
    return {
        key: kept for key, kept in (("communities", plain), ("largeCommunities", large)) if kept
    }


def attach(peer: dict[str, Any], found: dict[str, Any]) -> None:
    """Add attributes to a peer's own; lists grow, a number is kept if there is one."""
    own = peer.setdefault("attributes", {})
    for key, value in found.items():
        if isinstance(value, list):
            own[key] = [
                *own.get(key, ()),
                *(each for each in value if each not in own.get(key, ())),
            ]
        else:
            own.setdefault(key, value)
    if not own:
        del peer["attributes"]
