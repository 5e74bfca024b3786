"""How BFD is beside the sessions: the same words in tables, JSON, metrics, the log and Events.

A session without a word of it has no BFD and no row. ``bfd-down`` beside a session that is
Established is a fact and no fault of this node: the router draws the conclusion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from exabgp_k8s.core.facts import bfd, config, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.report import routes

Row = Mapping[str, Any]

UNKNOWN = "unknown"
SETTLED = 10.0
"""Seconds after which a state is no passing one: a session needs about 3 to come up."""
NOT_YET = "the BFD engine was not heard yet"
NOT_THERE = "the BFD engine has no session with this router yet"
UNLISTED = (
    "BIRD has no session: the router is on no network of this node that is up; "
    "does it need `bfd: {multihop: true}`?"
)
NEVER_UP = "not up since this agent started; has the router BFD for this node?"


def row(world: World, peer: config.Entry, address: model.Address | None, now: float) -> Row | None:
    """Return how BFD is beside one session; None where its peer does not ask for it."""
    if peer.bfd is None:
        return None
    found = _session(world, address)
    return {
        "state": UNKNOWN if found is None else str(found.state),
        "up": found is not None and found.state is bfd.State.UP,
        "seconds": None if found is None else routes.age(found.since, now),
        "problem": problem(world, address),
        "diagnostic": None if found is None else found.diagnostic,
        "downs": None if found is None else found.downs,
        "multihop": peer.bfd.is_multihop,
        "interval_ms": peer.bfd.interval,
        "multiplier": peer.bfd.multiplier,
        "agreed_interval_ms": None if found is None else found.interval,
        "detection_ms": None if found is None else found.detect,
    }


def problem(world: World, address: model.Address | None) -> str:
    """Return why BFD with a router is not up, beginning with a word for filters."""
    found = _session(world, address)
    if found is None:
        return f"bfd-unknown: {_why_unknown(world)}"
    if found.state is bfd.State.UP:
        return ""
    why = bfd.in_words(found.diagnostic) or ("" if found.downs else NEVER_UP)
    if not found.is_listed:
        why = UNLISTED
    word = f"bfd-{str(found.state).lower()}"
    return f"{word}: {why}" if why else word


def engine_problem(world: World) -> str:
    """Return what is wrong with the engine itself; nothing where nobody asks for BFD."""
    return world.bfd.problem if world.bfd is not None and asking(world) else ""


def down(world: World) -> Iterator[config.Peer]:
    """Yield the peers whose BFD was up and is not, or does not come up at all."""
    for peer, session in _known(world):
        if session.state is not bfd.State.UP and (session.downs or _is_settled(world, session)):
            yield peer


def steady(world: World) -> Iterator[config.Peer]:
    """Yield the peers whose BFD is up, and not since a moment ago only."""
    for peer, session in _known(world):
        if session.state is bfd.State.UP and _is_settled(world, session):
            yield peer


def _is_settled(world: World, session: bfd.Session) -> bool:
    # The sessions are read every few seconds: that is the time of this, a few seconds late.
    return world.neighbors_read_at >= session.since + SETTLED


def _known(world: World) -> Iterator[tuple[config.Peer, bfd.Session]]:
    for peer in asking(world):
        session = _session(world, peer.address)
        if session is not None:
            yield peer, session


def asking(world: World) -> list[config.Peer]:
    """Return the peers with BFD that this node has a session with."""
    names = {address: each.name for address, each in world.running.items()}
    asking = (peer for peer in world.peers if peer.bfd is not None)
    return [peer for peer in asking if names.get(peer.address) == peer.name]


def _session(world: World, address: model.Address | None) -> bfd.Session | None:
    return world.bfd.sessions.get(address) if world.bfd and address else None


def _why_unknown(world: World) -> str:
    if world.bfd is None:
        return NOT_YET
    return world.bfd.problem or NOT_THERE


def summary(rows: Iterable[Row], world: World) -> Row | None:
    """Return BFD of the whole node, from the rows of its sessions; None where there is none."""
    asking = {row["peer"]: row["bfd"] for row in rows if row["bfd"] is not None}
    if not asking:
        return None
    return {
        "up": sum(each["up"] for each in asking.values()),
        "wanted": len(asking),
        "problem": engine_problem(world),
        "down": {peer: each["problem"] for peer, each in asking.items() if not each["up"]},
    }
