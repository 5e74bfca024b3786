"""Why a prefix is announced or not, in sentences."""

from __future__ import annotations

from typing import Any

from exabgp_k8s.shown.layout import age, left

WORDS = {"keep": "announced", "withdraw": "withdrawn", "deprioritise": "deprioritised"}


def sentences(row: Any) -> list[str]:
    """Return what is to be said of one prefix, what matters first."""
    name = f"{row['prefix'] or 'no prefix'} ({row['class']})"
    lines = []
    if row["announced_to"]:
        count = f"{row['sent']} of {row['meant']}"
        lines.append(f"{name}: announced to {count}: {', '.join(row['announced_to'])}")
    elif row["meant"]:
        lines.append(f"{name}: announced to none of the {row['meant']} peers meant for it")
    if row["bridged_by"]:
        lines.append(
            f"{name}: stopping, kept by graceful restart at {', '.join(row['bridged_by'])}"
        )
    lines += [f"{name}: announced in spite of {reason}" for reason in row["spared"]]
    for peer, state in row["waiting"].items():
        reasons = row["held"].get(peer)
        lines.append(f"{name}: to {peer}: {state}" + (f", {' '.join(reasons)}" if reasons else ""))
    for each in row["withheld"]:
        to = f" to {each['peer']}" if each["peer"] else ""
        since = f" for {age(each['seconds'])}" if each["seconds"] is not None else ""
        lines.append(f"{name}: {WORDS[each['action']]}{to} because of {each['reason']}{since}")
    lines += [
        f"{name}: in {left(each['remaining_seconds'])}: {each['then']} ({each['what']})"
        for each in row["waits"]
    ]
    return lines or [f"{name}: not known yet"]
