"""One node of the cluster in one word, and everything that is not as it should be.

The node's own words come first, as it published them. Three things it cannot say itself: that it
died (kubelet's Lease says it, by the Node's condition Ready), that its agent fell silent, and that
it has none. Then what it last said is no longer known to be so, and it never counts as healthy.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from exabgp_k8s.cluster import advice, moments
from exabgp_k8s.cluster.member import Member
from exabgp_k8s.cluster.speaker import Session, Speaker
from exabgp_k8s.core.facts import model

SILENT_AFTER = 12 * 60 + 60
"""Seconds: a heartbeat comes every ten minutes and a fifth at most; a minute for two clocks."""

_ON_PURPOSE = frozenset({*model.PLANNED, model.Reason.EXCLUDED})
"""Reasons that somebody set on purpose: what they withdraw is as it should be."""

ANNOUNCED, DEPRIORITISED, PARTLY, WITHHELD = "announced", "deprioritised", "partly", "withheld"
NOT_ASKED = "not in the settings"
"""A prefix, or a class of them, in one word."""
NO_SESSION, HELD = "waiting for the session", "held"
"""A prefix at one router whose session is down."""


class State(enum.StrEnum):
    """A node in one word; the first that fits, in this order."""

    GONE = "gone"
    """There is an object, and no Node of its name."""
    NO_SPEAKER = "no speaker"
    """There is a Node, and no object: no agent ever published."""
    NOT_READY = "not ready"
    """Kubelet says so, or says nothing."""
    SILENT = "silent"
    """The agent has not written for longer than its heartbeat."""
    WITHHELD = "withheld"
    """Nothing of the node is to be announced."""
    PARTLY = "partly"
    """A part is announced, and a part is not, or not to all routers that are up."""
    SESSIONS_DOWN = "sessions down"
    WAITING = "waiting"
    """To be announced, and no router has been sent it yet."""
    DEPRIORITISED = "deprioritised"
    STALE_SETTINGS = "stale settings"
    """An edit of the settings is refused; the last good ones are in force."""
    ANNOUNCING = "announcing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is not as usual."""

    about: str
    """``node``, ``session`` and its peer, ``prefixes`` or ``settings``."""
    reason: str
    since: str | None
    text: str
    do: str
    """What to do next."""
    is_on_purpose: bool = False
    prefixes: tuple[str, ...] = ()
    """What it keeps from being announced."""
    peers: tuple[str, ...] = ()
    """To whom; empty: to all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One node with what is known of it."""

    node: str
    state: State
    reason: str
    """The foremost one, in the node's own words; empty: there is none."""
    since: str | None
    member: Member | None
    speaker: Speaker | None
    faults: tuple[Fault, ...]

    @property
    def is_current(self) -> bool:
        """Whether what its agent last said counts as true."""
        return self.speaker is not None and self.state not in NOT_KNOWN

    @property
    def is_well(self) -> bool:
        """Whether all is as it should be; what somebody did on purpose is."""
        return all(each.is_on_purpose for each in self.faults)


NOT_KNOWN = frozenset({State.GONE, State.NO_SPEAKER, State.NOT_READY, State.SILENT})
"""The states in which nobody knows what the routers have of a node."""


def is_on_purpose(reason: str) -> bool:
    """Return whether somebody wants what a reason does."""
    return reason.partition(":")[0] in _ON_PURPOSE


def find(node: str, member: Member | None, speaker: Speaker | None, now: float) -> Standing:
    """Return what is to be said of one node; at least one of the two objects is there."""
    apart = _apart(node, member, speaker, now)
    if apart is not None or speaker is None:
        state, fault = apart or (State.NO_SPEAKER, _no_speaker(node, member))
        reason, since = fault.reason, fault.since
        faults = (fault, *(_reasons(speaker) if speaker else ()))
    else:
        state = _state(speaker)
        faults = (*_sessions(speaker), *_reasons(speaker), *_settings(speaker))
        if state is State.WAITING and not faults:
            faults = (_waiting(speaker),)
        faults = tuple(sorted(faults, key=lambda each: each.reason != speaker.reason))
        reason, since = speaker.reason, speaker.since
        if not reason and faults:
            reason, since = faults[0].reason, faults[0].since
    return Standing(
        node=node,
        state=state,
        reason=reason,
        since=since,
        member=member,
        speaker=speaker,
        faults=faults,
    )


def _apart(
    node: str, member: Member | None, speaker: Speaker | None, now: float
) -> tuple[State, Fault] | None:
    """Return why what the agent last said does not count; None: it does, if there is one."""
    if member is None:
        return State.GONE, Fault(
            about="node",
            reason="no-node",
            since=None,
            text="There is no Node of this name any more",
            do=advice.of_node(advice.GONE, node),
        )
    if not member.is_ready:
        return State.NOT_READY, Fault(
            about="node",
            reason=member.ready_reason or "NotReady",
            since=member.ready_since,
            text="The Node is not ready; what the routers have of it is not known",
            do=advice.of_node(advice.NOT_READY, node),
            is_on_purpose=member.is_cordoned,
        )
    heard = moments.seconds(speaker.last_contact) if speaker else None
    # A clock that runs ahead by as much says as little of when it wrote.
    if speaker is not None and (heard is None or abs(now - heard) > SILENT_AFTER):
        return State.SILENT, Fault(
            about="node",
            reason="silent",
            since=speaker.last_contact,
            text="Its agent has not written for longer than it should; what it last said may be "
            "over",
            do=advice.of_node(advice.SILENT, node),
        )
    return None


def _no_speaker(node: str, member: Member | None) -> Fault:
    return Fault(
        about="node",
        reason="no-speaker",
        since=member.created if member else None,
        text="No agent has published anything of this node",
        do=advice.of_node(advice.NO_SPEAKER, node),
    )


def _state(speaker: Speaker) -> State:
    words = {each for each in speaker.classes.values() if each and each != NOT_ASKED}
    is_down = speaker.sessions_up < speaker.sessions_of
    if not words <= {ANNOUNCED, DEPRIORITISED}:
        if words & {ANNOUNCED, DEPRIORITISED, PARTLY}:
            return State.PARTLY
        if WITHHELD in words:
            return State.WITHHELD
        return State.SESSIONS_DOWN if is_down and not speaker.sessions_up else State.WAITING
    if is_down or not speaker.sessions_of:
        return State.SESSIONS_DOWN if words else State.WAITING
    if any(each.sent < each.meant for each in speaker.prefixes):
        return State.PARTLY
    if DEPRIORITISED in words:
        return State.DEPRIORITISED
    if speaker.is_stale:
        return State.STALE_SETTINGS
    return State.ANNOUNCING if words else State.WAITING


def _reasons(speaker: Speaker) -> Iterator[Fault]:
    """Yield each reason once, with the prefixes and the peers that it stands between."""
    found: dict[tuple[str, tuple[str, ...]], dict[str, str | None]] = {}
    for prefix in speaker.prefixes:
        for why in prefix.reasons:
            named = prefix.prefix or prefix.prefix_class
            found.setdefault((why.reason, why.peers), {})[named] = why.since
    down = {each.peer: each.last_error for each in speaker.sessions if not each.is_up}
    for (reason, peers), prefixes in found.items():
        if peers and all(_is_of_session(reason, down.get(each)) for each in peers):
            continue
        is_foremost = reason == speaker.reason and speaker.since
        to = f" to {', '.join(peers)}" if peers else ""
        yield Fault(
            about="prefixes",
            reason=reason,
            since=speaker.since if is_foremost else moments.earliest([*prefixes.values()]),
            text=f"Not announced{to}, because of {reason}: {', '.join(prefixes)}",
            do=advice.of_reason(reason, speaker.node),
            is_on_purpose=is_on_purpose(reason),
            prefixes=tuple(prefixes),
            peers=peers,
        )


def _is_of_session(reason: str, error: str | None) -> bool:
    """Return whether a reason says no more than that the session is down, which is told too."""
    return error is not None and (reason == error or reason in {NO_SESSION, HELD})


def _sessions(speaker: Speaker) -> Iterator[Fault]:
    for each in speaker.sessions:
        if not each.is_up:
            yield _down(speaker, each)


def _down(speaker: Speaker, session: Session) -> Fault:
    error = session.last_error
    return Fault(
        about=f"session {session.peer}",
        reason=error or session.state,
        since=session.since,
        text=f"{session.peer} {session.address}: {session.state}"
        + (f"; {error}" if error else ""),
        do=advice.of_session(error, speaker.node),
        peers=(session.peer,),
    )


def _settings(speaker: Speaker) -> Iterator[Fault]:
    if speaker.is_stale:
        found = speaker.condition("SettingsCurrent")
        problem = speaker.problems[0] if speaker.problems else ""
        yield Fault(
            about="settings",
            reason="settings-refused",
            since=found.since if found else None,
            text="The edited settings are refused, the last good ones are in force"
            + (f": {problem}" if problem else ""),
            do=advice.REFUSED,
        )


def _waiting(speaker: Speaker) -> Fault:
    return Fault(
        about="prefixes",
        reason="waiting",
        since=None,
        text="Nothing has been sent to a router yet",
        do=advice.of_node(advice.WAITING, speaker.node),
    )
