"""One node in three yes-or-no answers: the conditions of its BGPSpeaker object.

A reboot script waits for ``Announcing`` to be False, so it is False only once no router may have
a route of this node any more. What is on its way, out or in, counts as announced, and so does what
a lost session has left with a router, for as long as a drain would wait for it. Nothing known is
Unknown, never False.

Source: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import remnants
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import announced, rows, whose

_Found = Sequence[announced.Standing]

_MAY_BE_HAD = (
    announced.SENT | announced.LEAVING | {announced.State.SENDING, announced.State.UNACKNOWLEDGED}
)
"""The states of a prefix in which its router has it, may have it, or is about to."""

LOST = "SessionLost"
"""The reason for ``Announcing`` that ends by the time alone."""


class Type(enum.StrEnum):
    """What a condition answers."""

    ANNOUNCING = "Announcing"
    """Whether at least one router has a route of this node, or may have one."""
    SESSIONS = "SessionsEstablished"
    """Whether every session meant for this node is up."""
    SETTINGS = "SettingsCurrent"
    """Whether what is in force is what the ConfigMap says."""


class Status(enum.StrEnum):
    """The answer."""

    YES = "True"
    NO = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One answer, in one word for programs and one sentence for people."""

    type: Type
    status: Status
    reason: str
    """CamelCase, as the API wants it; a word of ``model.Reason`` where there is one."""
    message: str


def find(turn: Turn, found: _Found, now: float) -> tuple[Condition, ...]:
    """Return the conditions, in a stable order.

    Args:
        turn: the latest turn.
        found: every prefix of it, with the routers that have it.
        now: the time of asking.
    """
    return _announcing(turn, found, now), _sessions(turn), _settings(turn)


def word(reason: str) -> str:
    """Return a reason, or a cause with what it is about, in CamelCase: ``NoPodCidr``."""
    return "".join(part.capitalize() for part in reason.partition(":")[0].split("-"))


def _announcing(turn: Turn, found: _Found, now: float) -> Condition:
    why = _causes(found)
    if held := [each for each in found if _may_be_had(each)]:
        return _announcing_is(Status.YES, _extent(found), _listed(held) + _because(why))
    if lost := _lost(turn.world, now):
        return _announcing_is(
            Status.YES,
            LOST,
            f"{', '.join(lost)} may still have routes of a session that was lost" + _because(why),
        )
    if not turn.world.is_rib_current:
        return _announcing_is(
            Status.UNKNOWN, "NotKnownYet", "What ExaBGP announces has not been read yet"
        )
    return _announcing_is(
        Status.NO,
        word(why[0]) if why else "Waiting",
        "No router has a route of this node" + _because(why),
    )


def _announcing_is(status: Status, reason: str, message: str) -> Condition:
    return Condition(type=Type.ANNOUNCING, status=status, reason=reason, message=message)


def _may_be_had(standing: announced.Standing) -> bool:
    return any(each.state in _MAY_BE_HAD for each in standing.hearings)


def _lost(world: World, now: float) -> list[str]:
    """Return the routers that may have routes of a session that is gone."""
    # Also while the pod is replaced: a drain does not wait then, but whoever asks is told.
    left = {**remnants.awaited(world, now), **world.remnants}
    addresses = dict.fromkeys(each.peer for each, until in left.items() if now < until)
    found = ((whose.at(world, address), address) for address in addresses)
    return [str(address) if peer is None else peer.name for peer, address in found]


def _extent(found: _Found) -> str:
    """Return how much of what is to be announced is, in one word."""
    states = {hearing.state for each in found for hearing in each.hearings}
    if any(each.is_announced for each in found):
        asked = [each for each in found if each.prefix_class is not None]
        return "Announced" if all(each.is_announced for each in asked) else "PartlyAnnounced"
    return "Withdrawing" if states & announced.LEAVING else "Sending"


def _causes(found: _Found) -> tuple[str, ...]:
    """Return why prefixes are withheld from all routers; if none is, why from some."""
    common = dict.fromkeys(str(cause) for each in found for cause in each.causes)
    own = (each for standing in found for each in standing.hearings if each.is_meant)
    return tuple(common or dict.fromkeys(str(cause) for each in own for cause in each.causes))


def _listed(found: _Found) -> str:
    return f"Routers have {', '.join(str(each.prefix) for each in found)}"


def _because(causes: Sequence[str]) -> str:
    return f"; because of {', '.join(causes)}" if causes else ""


def _unknown(message: str) -> Condition:
    return Condition(
        type=Type.SESSIONS, status=Status.UNKNOWN, reason="NotKnownYet", message=message
    )


def _sessions(turn: Turn) -> Condition:
    held = rows.peers_held(turn)
    neighbors = turn.decision.neighbors
    if neighbors is None:
        return _unknown("The Node object has not been seen, so its routers are not known")
    if not turn.world.neighbors_read_at and not turn.world.sessions:
        return _unknown("ExaBGP has not said yet how its sessions are")
    known = {each.name: turn.world.session_of(each.name, each.address) for each in neighbors}
    down = [name for name, session in known.items() if session is None or not session.is_up]
    of = len(neighbors) + len(held)
    if not of:
        return Condition(
            type=Type.SESSIONS,
            status=Status.NO,
            reason=word(model.Reason.NO_PEER),
            message="No peer of the settings is meant for this node",
        )
    away = [*down, *(f"{each.name} ({each.cause})" for each in held)]
    if not away:
        return Condition(
            type=Type.SESSIONS,
            status=Status.YES,
            reason="AllEstablished",
            message=f"All {of} sessions are established",
        )
    return Condition(
        type=Type.SESSIONS,
        status=Status.NO,
        reason="NoneEstablished" if len(away) == of else "SomeDown",
        message=f"{len(away)} of {of} sessions are not established: {', '.join(away)}",
    )


def _settings(turn: Turn) -> Condition:
    problems = turn.world.config_problems
    if problems:
        return Condition(
            type=Type.SETTINGS,
            status=Status.NO,
            reason="Refused",
            message=f"The edited settings are refused, the last good ones are in force: "
            f"{problems[0]}",
        )
    if turn.world.config is None:
        return Condition(
            type=Type.SETTINGS,
            status=Status.UNKNOWN,
            reason="NotReadYet",
            message="The settings have not been read yet",
        )
    return Condition(
        type=Type.SETTINGS,
        status=Status.YES,
        reason="Current",
        message="The settings of the ConfigMap are in force",
    )
