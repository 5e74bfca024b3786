"""The rows of the whole cluster for people: tables, and what is to be read line by line.

Ages are as ``kubectl get`` has them; ``-o wide`` and all that explains something has the moment as
it stands in the BGPSpeaker, too.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from exabgp_k8s.cli import output
from exabgp_k8s.cluster import moments

Row = Mapping[str, Any]

MOST_NAMED = 5
"""Nodes that the line below a table names."""


def nodes(rows: Sequence[Row], now: float, *, is_wide: bool) -> str:
    """Return one line for each node, and below them what to ask next."""
    headings = ["Node", "State", "Reason", "Since", "Sessions", "Services", "Pods"]
    cells = [
        [
            row["node"], row["state"], row["reason"], moments.age(row["since"], now),
            row["sessions"], row["services"], row["pods"],
        ]
        for row in rows
    ]  # fmt: skip
    if is_wide:
        headings += ["At", "Phase", "Ready", "Settings", "Version", "Heard"]
        for row, line in zip(rows, cells, strict=True):
            line += [
                row["since"], row["phase"], row["ready"], row["settings_digest"],
                row["version"], moments.age(row["last_contact"], now),
            ]  # fmt: skip
    if not rows:
        return "There is no Node"
    return output.table(headings, cells, is_wide=is_wide) + _next(rows, now)


def _next(rows: Iterable[Row], now: float) -> str:
    """Return for the first nodes that are ill what it is, and what to do."""
    ill = [row for row in rows if not row["is_well"]]
    lines = ["", "", "To be mended:"] if ill else []
    for row in ill[:MOST_NAMED]:
        fault = next(each for each in row["faults"] if not each["on_purpose"])
        lines += output.hanging(f"  {row['node']}  ", f"{fault['text']}{since(fault, now)}", 6)
        lines += output.hanging("      -> ", fault["do"], 9)
    if len(ill) > MOST_NAMED:
        others = ", ".join(row["node"] for row in ill[MOST_NAMED : 4 * MOST_NAMED])
        lines += output.hanging("  ", f"and {len(ill) - MOST_NAMED} more: {others}", 4)
    return "\n".join(lines)


def sessions(rows: Sequence[Row], now: float, *, is_wide: bool) -> str:
    """Return one line for each session."""
    headings = ["Node", "Peer", "Address", "AS", "State", "Since", "PfxSnt", "Problem"]
    cells = [
        [
            row["node"], row["peer"], row["address"], row["peer_asn"], row["state"],
            moments.age(row["since"], now), row["prefixes_sent"],
            _beside(row) if row["is_up"] else row["last_error"],
        ]
        for row in rows
    ]  # fmt: skip
    if is_wide:
        headings += ["At", "LocalAddress", "LocalAS", "Families", "GR", "BFD"]
        for row, line in zip(rows, cells, strict=True):
            line += [
                row["since"], row["local_address"], row["local_asn"], row["families"],
                "yes" if row["graceful_restart"] else "no", row["bfd"],
            ]  # fmt: skip
    return output.table(headings, cells, is_wide=is_wide)


def _beside(row: Row) -> str | None:
    """Return what is odd about a session that is up, in the word that its node has for it."""
    return None if row["bfd"] in (None, "Up") else f"bfd-{row['bfd'].lower()}"


def routes(rows: Sequence[Row], now: float, *, is_wide: bool) -> str:
    """Return one line for each prefix of each node."""
    headings = ["Prefix", "Class", "Node", "State", "Sent", "Since", "Reasons"]
    cells = [
        [
            row["prefix"], row["class"], row["node"], row["state"],
            f"{row['sent']}/{row['meant']}", moments.age(row["since"], now),
            [_reason(each) for each in row["reasons"]],
        ]
        for row in rows
    ]  # fmt: skip
    if is_wide:
        headings += ["At", "SentTo"]
        for row, line in zip(rows, cells, strict=True):
            line += [row["since"], row["sent_to"]]
    return output.table(headings, cells, is_wide=is_wide)


def _reason(reason: Row) -> str:
    to = f" ({', '.join(reason['peers'])})" if reason["peers"] else ""
    return f"{reason['reason']}{to}"


def peers(rows: Sequence[Row], now: float) -> str:
    """Return each router with its sets, and below each set who is missing."""
    return "\n\n".join("\n".join(_peer(row, now)) for row in rows) or "No node has a peer"


def _peer(row: Row, now: float) -> Iterator[str]:
    where = " ".join(map(str, row["addresses"][:MOST_NAMED])) or "without an address"
    asns = " ".join(f"AS {each}" for each in row["asns"])
    yield f"{row['peer']} {where} {asns}: {row['sessions_up']} of {row['sessions_of']} sessions up"
    for found in _alike(row["prefixes"], _set):
        first = found[0]
        named = ", ".join(each["prefix"] for each in found)
        yield (
            f"  {named} ({first['class']}): {first['width']} of {first['meant']} nodes; "
            f"{first['healthy']} could announce it"
        )
        yield from _missing([([each["node"]], each) for each in first["missing"]], now)
    own = row["own"]
    if own["meant"]:
        yield f"  prefixes of one node each: {own['sent']} of {own['meant']}"
        lost = _alike(own["missing"], lambda each: (each["node"], each["reason"], each["since"]))
        named_lost = [
            ([each[0]["node"], " ".join(one["prefix"] for one in each)], each[0]) for each in lost
        ]
        yield from _missing(named_lost, now)


def _alike(found: Iterable[Row], key: Callable[[Row], Hashable]) -> list[list[Row]]:
    """Return rows in groups that say the same, in the order of the first of each."""
    groups: dict[Hashable, list[Row]] = {}
    for each in found:
        groups.setdefault(key(each), []).append(each)
    return list(groups.values())


def _set(row: Row) -> Hashable:
    missing = ((each["node"], each["reason"], each["since"]) for each in row["missing"])
    return row["class"], row["width"], row["healthy"], row["meant"], tuple(missing)


def _missing(found: Sequence[tuple[Sequence[str], Row]], now: float) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*(names for names, _ in found), strict=True)]
    for names, each in found:
        padded = "  ".join(name.ljust(width) for name, width in zip(names, widths, strict=True))
        yield from output.hanging(f"    {padded}  ", f"{each['reason']}{since(each, now)}", 6)


def why(row: Row, now: float) -> str:
    """Return one node: its state, what is wrong and what to do, its prefixes and sessions."""
    lines = [f"{row['node']}: {row['state']}" + (f", {row['reason']}" if row["reason"] else "")]
    lines[0] += since(row, now) if row["reason"] else ""
    for fault in row["faults"]:
        lines += output.hanging("  ", f"{fault['text']}{since(fault, now)}", 4)
        lines += output.hanging("    -> ", fault["do"], 7)
    for each in row["prefixes"]:
        text = f"{each['prefix'] or '-'} ({each['class']}): {each['state']}"
        if each["sent"]:
            text += f" to {each['sent']} of {each['meant']}: {', '.join(each['sent_to'])}"
        lines += output.hanging("  ", text, 4)
    lines += [
        line
        for each in row["session_rows"]
        for line in output.hanging(
            "  ", f"session {each['peer']}: {each['state']}{since(each, now)}", 4
        )
    ]
    return "\n".join(lines)


def since(row: Row, now: float) -> str:
    """Return since when something is so, as it was published, and how long ago that is."""
    if row["since"] is None:
        return ""
    return f", since {row['since']} ({moments.age(row['since'], now)})"
