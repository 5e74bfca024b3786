"""A node's Lease of the outage budget, as the API server has it.

One small object per node in the agents' namespace, which only that node writes. What others need
of it to judge their claims stands in labels, so that a large cluster's list can be asked for in
part, and so that ``kubectl get leases -L exabgp-k8s.io/standing`` shows it. The Node owns it:
with the Node it goes.

Reading another node's Lease never fails, and what it says is believed only as far as an agent of
ours could have said it: one token that was stolen writes what it likes into all of them. A number
has an end, no Lease lasts longer than ours do, none comes from the far future, and its name is
that of its node. One that nobody can understand is nobody's claim.

Source: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exabgp_k8s import errors
from exabgp_k8s.core.facts import budget
from exabgp_k8s.core.judge.budget import SHARDS

COLLECTION = "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"

APP, OURS = "app.kubernetes.io/name", "exabgp-k8s"
STANDING = "exabgp-k8s.io/standing"
SHARD = "exabgp-k8s.io/shard"
CLAIM = "exabgp-k8s.io/claim"
"""The annotation that keeps a claim's key when a renewal gives the object a new version."""

LONGEST_NAME = 253
DIGEST = 16

LONGEST_KEY = 20
"""Digits: a version is a number of 64 bits, and int() refuses more than 4,300 of them."""
LONGEST_LIFE = 3600
"""Seconds that any Lease counts without being renewed, whatever it says; ours say 1,800."""
MOST_NODES = 100_000
"""More than any cluster has."""
END_OF_TIME = 253_370_764_800.0
"""The first second of the year 9999: what lies beyond cannot be written as a time again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """What one Lease says; times are seconds since 1970."""

    node: str
    standing: budget.Standing
    version: str = ""
    """Empty: not stored yet."""
    claim: int | None = None
    """The key of a claim that has been written before; None: the version is the key."""
    since: float = 0
    """When ``standing`` last changed."""
    renewed: float = 0
    lasts: int = 1
    """Seconds after which a Lease that is not renewed is worth nothing."""
    uid: str = ""
    """Of the Node."""

    @property
    def key(self) -> int:
        """What claims are ordered by."""
        if self.claim is not None:
            return self.claim
        return _number(self.version) or 0

    def is_live(self, now: float, skew: float) -> bool:
        """Return whether it was renewed in time, by clocks that may differ by ``skew`` seconds.

        One that was renewed in the far future would be live for ever.
        """
        return abs(now - self.renewed) <= self.lasts + skew

    def holding(self, now: float, skew: float) -> budget.Holding:
        """Return what others look at."""
        is_live = self.is_live(now, skew)
        return budget.Holding(
            node=self.node, standing=self.standing, key=self.key, is_live=is_live
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list."""

    leases: tuple[Lease, ...]
    rest: str = ""
    """What to ask with for the next part; empty: this was the last."""
    size: int = 0
    """How many objects the whole list has, as far as the server says."""


def name_of(node: str) -> str:
    """Return the name of a node's Lease; a node's own name may be almost too long for it."""
    name = f"{OURS}-{node}"
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(node.encode()).hexdigest()[:DIGEST]
    return f"{name[: LONGEST_NAME - DIGEST - 1].rstrip('-.')}-{digest}"


def shard_of(node: str) -> int:
    """Return a node's shard, the same in every process for ever."""
    return zlib.crc32(node.encode()) % SHARDS


def of_everybody() -> str:
    """Return the selector of all Leases of the budget."""
    return f"{APP}={OURS}"


def of_claims(shard: int, among: int) -> str:
    """Return the selector of the claims in one of so many shards."""
    mine = ",".join(str(each) for each in range(SHARDS) if each % among == shard % among)
    claims = ",".join(each for each in budget.Standing if each.is_claim)
    return f"{of_everybody()},{SHARD} in ({mine}),{STANDING} in ({claims})"


def render(lease: Lease) -> Mapping[str, Any]:
    """Return the object to create, or to replace the one of this version with."""
    metadata: dict[str, Any] = {
        "name": name_of(lease.node),
        "labels": {
            APP: OURS,
            SHARD: str(shard_of(lease.node)),
            STANDING: str(lease.standing),
        },
        "ownerReferences": [
            {"apiVersion": "v1", "kind": "Node", "name": lease.node, "uid": lease.uid}
        ],
    }
    if lease.claim is not None:
        metadata["annotations"] = {CLAIM: str(lease.claim)}
    if lease.version:
        metadata["resourceVersion"] = lease.version
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": {
            "holderIdentity": lease.node,
            "leaseDurationSeconds": lease.lasts,
            "acquireTime": _time(lease.since),
            "renewTime": _time(lease.renewed),
        },
    }


def parse(body: bytes, node: str) -> Lease:
    """Read our own Lease as the API server answers it; whatever else it holds, it is ours.

    Somebody may have written there what we cannot understand. That is replaced, as everything in
    it is, by our next write; so it only has to have a version.

    Raises:
        errors.KubeError: it is no object with a version.
    """
    document = _document(body)
    match document:
        case {"metadata": {"resourceVersion": str() as version}} if version:
            blank = Lease(node=node, standing=budget.Standing.IN, version=version)
            return dataclasses.replace(_lease(document) or blank, node=node)
        case _:
            raise errors.KubeError("the answer is not a Lease with a version")


def parse_page(body: bytes) -> Page:
    """Read a list of Leases.

    Raises:
        errors.KubeError: the body is no list.
    """
    match _document(body):
        case {"items": list() | None as items, "metadata": dict() as metadata}:
            found = items or []
        case _:
            raise errors.KubeError("the answer is not a list of Leases")
    remaining = metadata.get("remainingItemCount")
    return Page(
        leases=tuple(
            lease for item in found if (lease := _lease(item)) is not None and _is_named(item)
        ),
        rest=_text(metadata.get("continue")),
        size=min(MOST_NODES, len(found) + max(0, remaining if type(remaining) is int else 0)),
    )


def _document(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise errors.KubeError("the API server sent what is no JSON") from None


def _lease(item: object) -> Lease | None:
    match item:
        case {
            "metadata": {"labels": {"exabgp-k8s.io/standing": str() as standing}} as metadata,
            "spec": {"holderIdentity": str() as node} as spec,
        } if standing in list(budget.Standing):
            pass
        case _:
            return None
    annotations = metadata.get("annotations")
    claim = annotations.get(CLAIM) if isinstance(annotations, dict) else None
    lasts = spec.get("leaseDurationSeconds")
    return Lease(
        node=node,
        standing=budget.Standing(standing),
        version=_text(metadata.get("resourceVersion")),
        claim=_number(_text(claim)),
        since=_moment(spec.get("acquireTime")),
        renewed=_moment(spec.get("renewTime")),
        lasts=max(0, min(lasts, LONGEST_LIFE)) if type(lasts) is int else 0,
        uid=_owner(metadata.get("ownerReferences")),
    )


def _is_named(item: Mapping[str, Any]) -> bool:
    """Return whether the object's name is the one that its node's agent gives it."""
    node: str = item["spec"]["holderIdentity"]
    return node.isascii() and item["metadata"].get("name") == name_of(node)


def _number(text: str) -> int | None:
    """Return what is written in digits; None: it is not, or no version is as large."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= LONGEST_KEY
    return int(text) if is_number else None


def _owner(references: object) -> str:
    match references:
        case [{"uid": str() as uid}, *_]:
            return uid
        case _:
            return ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _time(at: float) -> str:
    """Return a MicroTime: the API server wants exactly six digits."""
    return dt.datetime.fromtimestamp(at, tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(value: object) -> float:
    """Return seconds since 1970; what is no time, or none that can be written, was long ago."""
    try:
        at = dt.datetime.fromisoformat(_text(value)).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0
    return at if 0 <= at < END_OF_TIME else 0
