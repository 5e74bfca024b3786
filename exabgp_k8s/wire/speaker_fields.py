"""The fields of a BGPSpeaker's status: one table for what is written and for its schema.

Each field says how the rows of ``core.report`` call it, how much of it there may be, and what it
means. The object is made by it, the CustomResourceDefinition and the reference page are generated
from it, so that none of them can say anything else. Words such as a state are described and not
enumerated: an agent that is newer than the definition must be able to say a new one.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator
from dataclasses import dataclass

LONGEST_TEXT = 200
"""Characters of a text that may come from a router or a file."""
LONGEST_NAME = 63
MOST = 32
"""Items of a list."""
LARGEST_ASN = 2**32 - 1


class Kind(enum.Enum):
    """What a field holds."""

    TEXT = enum.auto()
    NUMBER = enum.auto()
    FLAG = enum.auto()
    TEXTS = enum.auto()
    SINCE = enum.auto()
    """A moment; the row has an age in seconds."""
    MADE = enum.auto()
    """A moment that whoever writes the object puts in."""
    ROW = enum.auto()
    """An object with fields of its own."""
    ROWS = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field."""

    name: str
    kind: Kind
    about: str
    """What it means, for ``kubectl explain`` and the reference page."""
    row: str = ""
    """What the row calls it, where that is another name."""
    most: int = LONGEST_TEXT
    """Characters of a text, items of a list, or the largest number."""
    of: tuple[Field, ...] = ()
    """The fields of a row, or of each of the rows."""
    key: tuple[str, ...] = ()
    """What tells one of the rows from the others."""
    is_map: bool = False
    """Whether others may merge the rows by their key."""
    is_needed: bool = False
    while_same: tuple[str, ...] = ()
    """Where the age is not known: the fields beside it that keep the published moment."""
    is_minor: bool = False
    """Whether a change of it alone can wait: it comes and goes while nothing else changes."""
    is_free: bool = False
    """Whether it is somebody's words, which are cut shorter where there is little room."""
    alike: Collection[str] = ()
    """Words that count as one: they follow each other while nothing changes for anybody."""

    @property
    def source(self) -> str:
        """What the row calls it."""
        return self.row or self.name


def walk(fields: tuple[Field, ...], path: str = "") -> Iterator[tuple[str, Field]]:
    """Yield every field below some with its path, in the order of the table."""
    for each in fields:
        here = f"{path}.{each.name}".lstrip(".")
        yield here, each
        yield from walk(each.of, f"{here}[]" if each.kind is Kind.ROWS else here)


def _text(name: str, about: str, most: int = LONGEST_TEXT, *, row: str = "") -> Field:
    return Field(name=name, kind=Kind.TEXT, about=about, most=most, row=row)


def _needed(name: str, about: str, most: int = LONGEST_NAME, *, is_free: bool = False) -> Field:
    return Field(
        name=name, kind=Kind.TEXT, about=about, most=most, is_needed=True, is_free=is_free
    )


def _count(name: str, about: str, most: int = 1_000_000, *, row: str = "") -> Field:
    return Field(name=name, kind=Kind.NUMBER, about=about, most=most, row=row)


def _flag(name: str, about: str, *, row: str = "") -> Field:
    return Field(name=name, kind=Kind.FLAG, about=about, row=row)


def _names(name: str, about: str, *, row: str = "") -> Field:
    return Field(name=name, kind=Kind.TEXTS, about=about, most=MOST, row=row)


def _since(name: str, about: str, *while_same: str, row: str = "seconds") -> Field:
    return Field(name=name, kind=Kind.SINCE, about=about, row=row, while_same=while_same)


_DOWN = ("Idle", "Connect", "Active", "OpenSent", "OpenConfirm")

_SUMMARY = (
    _text("sessions", "How many sessions are up, of how many meant for this node: 1/2."),
    _text("services", "The service ranges in one word: announced, withheld, partly, waiting …"),
    _text("pods", "The node's pod ranges in one word, likewise."),
    _text("reason", "The first of the reasons why a prefix is not announced as usual."),
    _since("since", "Since when that reason stands.", "reason"),
)

_CONDITION = (
    _needed("type", "Announcing, SessionsEstablished or SettingsCurrent."),
    _needed("status", "True, False or Unknown."),
    _needed("reason", "The answer in one word for programs."),
    _needed("message", "The answer in a sentence for people.", 2 * LONGEST_TEXT, is_free=True),
    Field(
        name="lastTransitionTime",
        kind=Kind.SINCE,
        about="Since when the status is this one.",
        row="seconds",
        while_same=("status",),
        is_needed=True,
    ),
)

_BFD = (
    _text("state", "Up, Init, Down or AdminDown (RFC 5880); unknown: its engine is not heard.",
          LONGEST_NAME),
    _since("since", "Since when the state is this one.", "state"),
    Field(
        name="problem",
        kind=Kind.TEXT,
        about="Why it is not up, in words.",
        is_minor=True,
        is_free=True,
    ),
)  # fmt: skip

_SESSION = (
    _needed("peer", "The peer's name in the settings."),
    _text("address", "The router's address; absent until the node has found it.", 80),
    _text("localAddress", "The address of this node that the session is from.", 80,
          row="local_address"),
    _count("localASN", "Our AS number towards the router.", LARGEST_ASN, row="local_as"),
    _count("peerASN", "The router's AS number; absent where any will do and none is known.",
           LARGEST_ASN, row="remote_as"),
    Field(
        name="state",
        kind=Kind.TEXT,
        about="As in RFC 4271: Idle, Connect, Active, OpenSent, OpenConfirm, Established; "
        "Held: not even tried.",
        most=LONGEST_NAME,
        alike=_DOWN,
    ),
    _since("since", "Since when it is up, or is not.", "state"),
    Field(
        name="lastError",
        kind=Kind.TEXT,
        about="Why it is not up, or the latest reason why it was not, in words.",
        row="last_error",
        is_minor=True,
        is_free=True,
    ),
    Field(
        name="lastErrorTime",
        kind=Kind.SINCE,
        about="When that was met last.",
        row="last_error_seconds",
        is_minor=True,
    ),
    _names("families", "The address families that were negotiated."),
    _flag("gracefulRestart", "Whether graceful restart was negotiated.", row="graceful_restart"),
    _count("prefixesSent", "Prefixes in our adj-rib-out.", row="prefixes_sent"),
    Field(name="bfd", kind=Kind.ROW, about="BFD beside it; absent: the peer asks for none.",
          of=_BFD),
)  # fmt: skip

_REASON = (
    _needed("reason", "A word of the reference of reasons, and after a colon what it is about; "
            "or how far the prefix has come.", 120, is_free=True),
    _names("peers", "The peers that it keeps the prefix from; absent: all of them."),
    _since("since", "Since when; at the latest since it was first seen.", "reason"),
)  # fmt: skip

_PREFIX = (
    _text("prefix", "Absent where there is none to name, as with no-pod-cidr.", 49),
    _text("class", "services or pods; absent: it is only about to be withdrawn.", LONGEST_NAME),
    _text("state", "announced, deprioritised, waiting or withheld.", LONGEST_NAME),
    _count("sent", "How many of the routers meant for it have been sent it."),
    _count("meant", "How many routers are meant to have it."),
    _names("sentTo", "The peers that have been sent it.", row="sent_to"),
    _since("since", "Since when the state is this one.", "state"),
    Field(
        name="reasons",
        kind=Kind.ROWS,
        about="Every reason why a router has not got it, or has it although it should not.",
        of=_REASON,
        key=("reason",),
        most=MOST,
    ),
)

_SETTINGS = (
    _text("digest", "SHA-256 of settings.yaml in force, its first 16 digits.", 16),
    _flag("stale", "Whether the ConfigMap says something else, which is refused."),
    Field(
        name="problems",
        kind=Kind.TEXTS,
        about="Why it is refused; only the first ones.",
        most=3,
        is_free=True,
    ),
)

_BUDGET = (
    _text("standing", "What this node's Lease is to say.", LONGEST_NAME),
    _text("verdict", "What the budget says to our claim.", LONGEST_NAME),
    _count("taken", "Slots that are taken."),
    _count("allowed", "Slots that there are."),
    _count("nodes", "Nodes that count."),
    Field(
        name="problem",
        kind=Kind.TEXT,
        about="Why the Leases cannot be asked.",
        is_minor=True,
        is_free=True,
    ),
)

STATUS = (
    _text("phase", "The agent's own life: serving, draining, settling, drained.", LONGEST_NAME),
    Field(name="summary", kind=Kind.ROW, about="The node in one line of a table.", of=_SUMMARY),
    Field(
        name="conditions",
        kind=Kind.ROWS,
        about="Three yes-or-no answers in the form that every tool knows.",
        of=_CONDITION,
        key=("type",),
        is_map=True,
        most=8,
    ),
    Field(
        name="sessions",
        kind=Kind.ROWS,
        about="One for each peer that is meant for this node.",
        of=_SESSION,
        key=("peer",),
        most=MOST,
    ),
    Field(
        name="prefixes",
        kind=Kind.ROWS,
        about="Each prefix of this node, and what keeps it from which router.",
        of=_PREFIX,
        key=("prefix", "class"),
        most=MOST,
    ),
    _count("omitted", "Sessions and prefixes that had no room here; `sessions` and `routes` "
           "on the node have all."),
    Field(name="settings", kind=Kind.ROW, about="The settings in force.", of=_SETTINGS),
    Field(name="budget", kind=Kind.ROW, about="The outage budget, where there is one.",
          of=_BUDGET),
    _text("version", "The agent's version.", LONGEST_NAME),
    Field(
        name="lastContact",
        kind=Kind.MADE,
        about="When this was written: every ten minutes at least, or the agent is silent.",
    ),
)  # fmt: skip
