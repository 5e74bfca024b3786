"""What two values of the settings must not be together.

The document is looked at as it was written, piece by piece, so that one mistake does not hide
the next: a piece that cannot be understood is ``schema``'s to report, and is passed over here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from exabgp_k8s import errors
from exabgp_k8s.core.facts import asns, durations, model
from exabgp_k8s.settings import (
    bfd,
    checks,
    convert,
    ends,
    fields,
    linklocal,
    located,
    peers,
    sharing,
    volume,
)
from exabgp_k8s.settings.written import Place, addresses, entries

Problems = Iterator[errors.Problem]

MOST_CIDRS = 64
"""Looked at of each list; more are refused, and to compare them all would take hours."""
MOST_NAMED = 3
"""Routers named in one message."""


def find(document: object) -> Problems:
    """Yield every contradiction in a document, valid otherwise or not."""
    root = Place(document)
    found = (problem for search in SEARCHES for problem in search(root))
    # What stands in peerDefaults is found at every peer.
    return iter(dict.fromkeys(found))


def _repeated(places: Iterator[Place], kind: Any, advice: str) -> Problems:
    """Report values that must be unique and are not."""
    first: dict[Any, str] = {}
    for place in places:
        value = place.read(kind)
        if value is None:
            continue
        if value in first:
            yield place.problem(f"{value} stands at {first[value]} already; {advice}")
        first.setdefault(value, place.path)


def _names(root: Place) -> Problems:
    yield from _repeated((peer["name"] for peer in root["peers"]), fields.Name, "name it anew")
    named = (
        check["name"] if check["name"].is_written else check["preset"]
        for check in root["health"]["checks"]
    )
    yield from _repeated(named, fields.Name, "give each check a name of its own")


def _unsaid(root: Place) -> Problems:
    for peer in entries(root):
        if not isinstance(peer.value, dict):
            continue
        if not peer["asn"].is_written:
            yield peer["asn"].problem(
                "is missing (AS number of the router); write it here, or in peerDefaults for all"
            )
        address, several = peer["address"], peer["addresses"]
        if address.is_written and several.is_written:
            yield several.problem("stands beside address; write all of them here, or keep one")
        if not address.is_written and not several.is_written:
            yield address.problem(
                "is missing (IPv4 or IPv6 address of the router); write it, or addresses with "
                "those of several routers"
            )


def _addresses(root: Place) -> Problems:
    if volume.count(root) > volume.MOST_ROUTERS:
        # To compare them all would take minutes.
        return
    claims = []
    for peer in entries(root):
        selector = peer["nodeSelector"].read(peers.NodeSelector, peers.NodeSelector())
        families = peer["families"].read(peers.Families, tuple(model.Family)) or ()
        for place in addresses(peer) if selector is not None else ():
            address = place.read(fields.RouterAddress)
            claims += [
                sharing.Claim(
                    name=peer["name"].read(fields.Name) or peer.path,
                    path=place.path,
                    address=where,
                    selector=convert.selector(selector),
                )
                for where in (located.places(address, families) if address else ())
            ]
    for claim, message in sharing.find(claims):
        yield errors.Problem(claim.path, message)


def _sessions(root: Place) -> Problems:
    for peer in entries(root):
        if peer["multihop"].is_written and peer["ttlSecurity"].value is True:
            yield peer["ttlSecurity"].problem(
                "excludes multihop: it accepts directly connected routers only; remove one of both"
            )


def _keepalives(root: Place) -> Problems:
    for peer in entries(root):
        hold_time = peer["holdTime"].read(fields.HoldTime, 9)
        keepalive = peer["keepalive"].read(fields.Keepalive)
        if keepalive and hold_time == 0:
            yield peer["keepalive"].problem(
                "a hold time of 0s turns keepalives off; remove it, or write a holdTime"
            )
        elif keepalive and hold_time and keepalive > hold_time // 3:
            yield peer["keepalive"].problem(
                f"with a hold time of {durations.write(hold_time)} one lost KEEPALIVE would end "
                f"the session; write at most {durations.write(hold_time // 3)}"
            )


def _internal_prepend(root: Place) -> Problems:
    ours = root["bgp"]["asn"].read(fields.OwnAsn)
    for peer in entries(root):
        theirs = peer["asn"].read(fields.RouterAsn)
        local = peer["localASN"].read(fields.OwnAsn, ours)
        is_ours = theirs == asns.Relation.INTERNAL or (theirs and theirs == local)
        named = "the AS" if theirs == asns.Relation.INTERNAL else f"AS {theirs}"
        own = peer["attributes"]
        for prepend in (own["prepend"], own["services"]["prepend"], own["pods"]["prepend"]):
            if is_ours and prepend.read(fields.Prepend):
                yield prepend.problem(
                    f"{named} is ours: an iBGP path is not prepended; use med or localPref, "
                    "or remove it"
                )


def _selectors(root: Place) -> Problems:
    for peer in entries(root):
        for requirement in peer["nodeSelector"]["matchExpressions"]:
            values, operator = requirement["values"], requirement["operator"].value
            if operator in ("In", "NotIn") and not values.value:
                yield values.problem(f"{operator} compares with values; write at least one")
            if operator in ("Exists", "DoesNotExist") and values.value:
                yield values.problem(f"{operator} looks at the key only; remove values")


def _overlaps(root: Place) -> Problems:
    seen: list[tuple[Place, model.Network]] = []
    for place in itertools.islice(root["announce"]["services"]["cidrs"], MOST_CIDRS):
        network = place.read(fields.Network)
        if network is None:
            continue
        for other, known in seen:
            if network.version == known.version and network.overlaps(known):
                yield place.problem(
                    f"{network} overlaps {known} at {other.path}; keep one, or write two ranges "
                    "that have nothing in common"
                )
        seen.append((place, network))


def _cut_sessions(root: Place) -> Problems:
    places = [place for peer in root["peers"] for place in addresses(peer)]
    routers = [place.read(fields.OneRouter) for place in places]
    for place in itertools.islice(root["announce"]["services"]["cidrs"], MOST_CIDRS):
        network = place.read(fields.Network)
        inside = [str(item) for item in routers if network and item and item in network]
        if inside:
            yield place.problem(
                f"contains the router {', '.join(inside[:MOST_NAMED])}: "
                "announcing it would cut the session; write the narrower range of the cluster"
            )


def _announced(root: Place) -> Problems:
    announce = root["announce"]
    services, pods = announce["services"], announce["pods"]
    if isinstance(announce.value, dict) and not services.is_written and not pods.is_written:
        yield announce.problem("nothing would be announced; write services, pods or both")
    if services["within"].is_written and isinstance(services["cidrs"].value, list):
        yield services["within"].problem("goes with cidrs: auto only; remove it")
    hold = announce["holdDown"]
    initial = hold["initial"].read(fields.Duration, 1)
    longest = hold["max"].read(fields.Duration, 60)
    if initial is not None and longest is not None and initial > longest:
        yield hold["max"].problem(
            f"{durations.write(longest)} is shorter than initial; write at least "
            f"{durations.write(initial)}"
        )


def _pointless_waits(root: Place) -> Problems:
    rows = root["withdraw"].value
    for reason in rows if isinstance(rows, dict) else ():
        for prefix_class in model.PrefixClass:
            cell = root["withdraw"][reason][prefix_class]
            if cell["action"].value == "keep" and cell["after"].read(fields.Duration):
                yield cell["after"].problem("keep does nothing, now or later; remove after")


def _check_kinds(root: Place) -> Problems:
    for check in root["health"]["checks"]:
        if not isinstance(check.value, dict):
            continue
        kinds = [kind for kind in checks.KINDS if check[kind].is_written]
        if not kinds:
            yield check.problem(f"says not what to check; write one of {', '.join(checks.KINDS)}")
        if len(kinds) > 1:
            yield check.problem(f"{' and '.join(kinds)} are {len(kinds)} checks; write one each")
        if check["minSpeed"].is_written and "interface" not in kinds:
            yield check["minSpeed"].problem("goes with interface only; remove it")
        is_https = str(check["http"].value).startswith("https:")
        if check["insecureSkipVerify"].value is True and not is_https:
            yield check["insecureSkipVerify"].problem("goes with an https URL only; remove it")


def _check_times(root: Place) -> Problems:
    for check in root["health"]["checks"]:
        interval = check["interval"].read(fields.Interval, 1)
        timeout = check["timeout"].read(fields.Timeout, 0.5)
        if interval and timeout and timeout > interval:
            yield check["timeout"].problem(
                f"{durations.write(timeout)} is longer than the interval; "
                f"write at most {durations.write(interval)}"
            )
        fast = check["fastInterval"].read(fields.Interval)
        if interval and fast and fast > interval:
            yield check["fastInterval"].problem(
                f"{durations.write(fast)} is longer than the interval; "
                f"write at most {durations.write(interval)}, or remove it"
            )


SEARCHES: tuple[Callable[[Place], Problems], ...] = (
    _names,
    volume.find,
    _unsaid,
    _addresses,
    _sessions,
    linklocal.find,
    ends.find,
    bfd.find,
    _keepalives,
    _internal_prepend,
    _selectors,
    _overlaps,
    _cut_sessions,
    _announced,
    _pointless_waits,
    _check_kinds,
    _check_times,
)
