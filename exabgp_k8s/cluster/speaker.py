"""One BGPSpeaker object as values of ours, whatever it holds.

Its agent writes it, and an admin with the right to can write anything. What is missing is empty
or None here, and reading never fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exabgp_k8s.cluster import reading

ESTABLISHED = "Established"
"""The one state of a session in which it is up (RFC 4271 section 8.2.2)."""
CLASSES = ("services", "pods")
LONGEST_MESSAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One row of ``status.sessions``."""

    peer: str
    address: str
    local_address: str
    local_asn: int | None
    peer_asn: int | None
    state: str
    since: str | None
    last_error: str
    families: tuple[str, ...]
    is_restartable: bool
    prefixes_sent: int
    bfd: str
    """The state of BFD where the session has it."""

    @property
    def is_up(self) -> bool:
        """Whether the session was up when the object was written."""
        return self.state == ESTABLISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """One reason of a prefix."""

    reason: str
    since: str | None
    peers: tuple[str, ...]
    """Empty: it keeps the prefix from all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """One row of ``status.prefixes``."""

    prefix: str
    """Empty where there is none to name yet."""
    prefix_class: str
    state: str
    sent: int
    meant: int
    sent_to: tuple[str, ...]
    since: str | None
    reasons: tuple[Why, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One of the three answers."""

    type: str
    status: str
    reason: str
    message: str
    since: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """What the agent of one node says of itself."""

    node: str
    phase: str
    classes: Mapping[str, str]
    """The word for each class."""
    reason: str
    """The foremost one; empty: there is none."""
    since: str | None
    """Since when there is that reason."""
    sessions: tuple[Session, ...]
    sessions_up: int
    sessions_of: int
    """More than ``sessions`` has where the object had to leave some out."""
    prefixes: tuple[Prefix, ...]
    conditions: tuple[Condition, ...]
    digest: str
    is_stale: bool
    """The edited settings are refused, and the last good ones are in force."""
    problems: tuple[str, ...]
    version: str
    last_contact: str | None

    def condition(self, name: str) -> Condition | None:
        """Return one of the conditions; None where the object has it not."""
        return next((each for each in self.conditions if each.type == name), None)


def parse(document: object) -> Speaker | None:
    """Read a BGPSpeaker; None for what has no name."""
    found = reading.mapping(document)
    name = reading.text(reading.mapping(found.get("metadata")).get("name"), reading.LONGEST_NAME)
    if not name:
        return None
    status = reading.mapping(found.get("status"))
    summary = reading.mapping(status.get("summary"))
    settings = reading.mapping(status.get("settings"))
    sessions = tuple(_session(each) for each in reading.objects(status.get("sessions")))
    up, of = _counted(summary.get("sessions"), sessions)
    return Speaker(
        node=name,
        phase=reading.text(status.get("phase")),
        classes={each: reading.text(summary.get(each)) for each in CLASSES},
        reason=reading.text(summary.get("reason")),
        since=reading.moment(summary.get("since")),
        sessions=sessions,
        sessions_up=up,
        sessions_of=of,
        prefixes=tuple(_prefix(each) for each in reading.objects(status.get("prefixes"))),
        conditions=tuple(_condition(each) for each in reading.objects(status.get("conditions"))),
        digest=reading.text(settings.get("digest")),
        is_stale=reading.flag(settings.get("stale")),
        problems=reading.texts(settings.get("problems")),
        version=reading.text(status.get("version")),
        last_contact=reading.moment(status.get("lastContact")),
    )


def _counted(written: object, sessions: tuple[Session, ...]) -> tuple[int, int]:
    """Return how many sessions are up, of how many: as written, or counted."""
    up, _, of = reading.text(written, 20).partition("/")
    if up.isascii() and of.isascii() and up.isdigit() and of.isdigit() and int(up) <= int(of):
        return int(up), int(of)
    return sum(each.is_up for each in sessions), len(sessions)


def _session(row: Mapping[str, Any]) -> Session:
    bfd = row.get("bfd")
    return Session(
        peer=reading.text(row.get("peer")),
        address=reading.text(row.get("address")),
        local_address=reading.text(row.get("localAddress")),
        local_asn=reading.number(row.get("localASN")),
        peer_asn=reading.number(row.get("peerASN")),
        state=reading.text(row.get("state")),
        since=reading.moment(row.get("since")),
        last_error=reading.text(row.get("lastError")),
        families=reading.texts(row.get("families")),
        is_restartable=reading.flag(row.get("gracefulRestart")),
        prefixes_sent=reading.number(row.get("prefixesSent")) or 0,
        bfd=reading.text(bfd.get("state") if isinstance(bfd, dict) else bfd),
    )


def _prefix(row: Mapping[str, Any]) -> Prefix:
    return Prefix(
        prefix=reading.text(row.get("prefix")),
        prefix_class=reading.text(row.get("class")),
        state=reading.text(row.get("state")),
        sent=reading.number(row.get("sent")) or 0,
        meant=reading.number(row.get("meant")) or 0,
        sent_to=reading.texts(row.get("sentTo")),
        since=reading.moment(row.get("since")),
        reasons=tuple(
            Why(
                reason=reading.text(each.get("reason")),
                since=reading.moment(each.get("since")),
                peers=reading.texts(each.get("peers")),
            )
            for each in reading.objects(row.get("reasons"))
        ),
    )


def _condition(row: Mapping[str, Any]) -> Condition:
    return Condition(
        type=reading.text(row.get("type")),
        status=reading.text(row.get("status")),
        reason=reading.text(row.get("reason")),
        message=reading.text(row.get("message"), LONGEST_MESSAGE),
        since=reading.moment(row.get("lastTransitionTime")),
    )
