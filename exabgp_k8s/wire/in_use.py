"""What is in use, as text for the next process of this pod.

It holds the passwords, as exabgp.conf beside it does, so only we may read the file. It may have
been cut off by a crash, or written by another version of ours: then there is none.
"""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from exabgp_k8s.core.facts import asns, in_use, model
from exabgp_k8s.core.facts.pod_ranges import PodSource


def dump(used: in_use.InUse) -> str:
    """Return what ``load`` reads back; since when a label is away is not part of it."""
    return json.dumps(
        {
            "uid": used.uid,
            "podCIDRs": [str(each) for each in used.pod_cidrs],
            "podsFrom": str(used.pods_from),
            "labels": dict(used.labels),
            "asns": {where: str(number) for where, number in used.asns.items()},
            "routers": {where: str(each.address) for where, each in used.routers.items()},
            "routerID": _text(used.router_id),
            "peers": {name: _peer(each) for name, each in used.peers.items()},
        }
    )


def _peer(used: in_use.PeerInUse) -> dict[str, Any]:
    return {
        "address": str(used.address),
        "rule": used.rule,
        "localAddress": _text(used.local_address),
        "isProven": used.is_proven,
        "nextHop": _text(used.next_hop),
        "ownNextHop": _text(used.own_next_hop),
        "password": used.password and used.password.reveal(),
    }


def _text(address: model.Address | None) -> str | None:
    return None if address is None else str(address)


def load(text: str) -> in_use.InUse | None:
    """Return what was kept; None if it cannot be read."""
    try:
        document = json.loads(text)
        router_id = document["routerID"]
        return in_use.InUse(
            uid=str(document["uid"]),
            pod_cidrs=tuple(ipaddress.ip_network(each) for each in document["podCIDRs"]),
            pods_from=PodSource(document["podsFrom"]),
            labels={str(key): str(value) for key, value in document["labels"].items()},
            asns={str(where): _asn(each) for where, each in document["asns"].items()},
            routers={
                str(where): in_use.RouterInUse(address=ipaddress.ip_address(each))
                for where, each in document["routers"].items()
            },
            router_id=None if router_id is None else ipaddress.IPv4Address(router_id),
            peers={str(name): _load_peer(each) for name, each in document["peers"].items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _asn(text: str) -> int:
    found = asns.read(text)
    if found is None:
        raise ValueError(text)
    return found


def _load_peer(document: dict[str, Any]) -> in_use.PeerInUse:
    password = document["password"]
    return in_use.PeerInUse(
        address=ipaddress.ip_address(document["address"]),
        rule=str(document["rule"]),
        local_address=_address(document["localAddress"]),
        is_proven=bool(document["isProven"]),
        next_hop=_address(document["nextHop"]),
        own_next_hop=_address(document["ownNextHop"]),
        password=None if password is None else model.Secret(str(password)),
    )


def _address(text: str | None) -> model.Address | None:
    return None if text is None else ipaddress.ip_address(text)
