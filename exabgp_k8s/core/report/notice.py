"""One thing that happened, as a Kubernetes Event on the Node says it."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Kind(enum.StrEnum):
    """The types that a Kubernetes Event can have."""

    NORMAL = "Normal"
    WARNING = "Warning"


class Word(enum.StrEnum):
    """What happened: the ``reason`` of the Event, for people and for filters."""

    SETTINGS_REFUSED = "SettingsRefused"
    SETTINGS_ACCEPTED = "SettingsAccepted"
    EXABGP_REFUSED = "ExabgpRefused"
    EXABGP_ACCEPTED = "ExabgpAccepted"
    PEER_HELD = "PeerHeld"
    PEER_RELEASED = "PeerReleased"
    IN_USE_MISSING = "InUseMissing"
    IN_USE_FOUND = "InUseFound"
    SESSION_LOST = "SessionLost"
    SESSION_ESTABLISHED = "SessionEstablished"
    BFD_LOST = "BfdLost"
    BFD_UP = "BfdUp"
    ROUTES_WITHDRAWN = "RoutesWithdrawn"
    ROUTES_WITHHELD = "RoutesWithheld"
    ROUTES_DEPRIORITISED = "RoutesDeprioritised"
    ROUTES_ANNOUNCED = "RoutesAnnounced"
    PODS_ELSEWHERE = "PodsElsewhere"
    PODS_COVERED = "PodsCovered"
    WITHDRAWAL_REFUSED = "WithdrawalRefused"
    WITHDRAWAL_SETTLED = "WithdrawalSettled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that happened, in a sentence for ``kubectl describe node``."""

    kind: Kind
    word: Word
    message: str
