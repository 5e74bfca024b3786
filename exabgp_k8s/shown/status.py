"""The node at a glance, one fact a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from exabgp_k8s.shown import layout

Line = tuple[str, str]


def lines(answer: Any) -> Iterator[Line]:
    """Yield what the status says, what matters first."""
    yield "node", _node(answer)
    yield "phase", answer["phase"]
    yield "sessions", f"{answer['sessions']['up']} up of {answer['sessions']['configured']}"
    yield from _bfd(answer["bfd"])
    for name, each in answer["classes"].items():
        yield name, each["state"]
        for prefix in answer["prefixes"]:
            if prefix["class"] == name and prefix["prefix"]:
                yield "", _prefix(prefix)
    yield from _left(answer["prefixes"])
    yield "because of", ", ".join(each["cause"] for each in answer["causes"]) or "-"
    yield from _withheld(answer["withheld"])
    yield from (("to come", to_come(each)) for each in answer["waits"])
    for each in answer["spared"]:
        yield "announced all the same", f"{each['class']}: {', '.join(each['reasons'])}"
    if text := _budget(answer["budget"]):
        yield "outage budget", text
    yield from (("held", f"{each['peer']}: {each['cause']}") for each in answer["held"])
    for each in answer["missing"]:
        yield "missing", f"{each['peer'] or 'this node'}: {each['cause']}; what is in use goes on"
    yield from (("warning", f"{each['cause']}: {each['text']}") for each in answer["warnings"])
    yield from _surroundings(answer)


def _bfd(found: Any) -> Iterator[Line]:
    if found is None:
        return
    yield "bfd", f"{found['up']} up of {found['wanted']}"
    if found["problem"]:
        yield "", found["problem"]
        return
    yield from (("", f"{peer}: {why}") for peer, why in sorted(found["down"].items()))


def _node(answer: Any) -> str:
    kubernetes, name = answer["kubernetes"], answer["node"]
    if kubernetes["node_seen"]:
        return f"{name} (its object is deleted)" if kubernetes["node_deleted"] else str(name)
    if kubernetes["node_remembered"]:
        return f"{name} (remembered; not seen since the start)"
    if kubernetes["node_deleted"]:
        return f"no Node object named {name}; is --node (NODE_NAME) the name kubectl shows?"
    return f"{name or '-'} (not seen yet)"


def _prefix(row: Any) -> str:
    """Return one prefix: to how many of how many, why not to the others, and who still has it."""
    text = f"{row['prefix']}: {row['state']}"
    if row["state"] in {"announced", "deprioritised"}:
        text += f" to {row['sent']} of {row['meant']}"
    still = row["still_at"]
    if row["state"] != "withheld":
        lacking = {peer: why for peer, why in row["lacking"].items() if peer not in still}
        text += _peers("not to", lacking)
    return text + _peers("still at", still)


def _left(prefixes: Iterable[Any]) -> Iterator[Line]:
    """Yield what nothing speaks of any more, so that no class has it, and a router may have it."""
    for each in prefixes:
        if each["class"] is None and each["still_at"]:
            yield "to be withdrawn", f"{each['prefix']}{_peers('still at', each['still_at'])}"


def _peers(words: str, found: Mapping[str, str]) -> str:
    """Return peers, each with its reason in brackets; nothing where there are none."""
    if not found:
        return ""
    return f"; {words} " + ", ".join(f"{peer} ({why})" for peer, why in sorted(found.items()))


def _withheld(found: Iterable[Any]) -> Iterator[Line]:
    for each in found:
        to = f" to {each['peer']}" if each["peer"] else ""
        word = "" if each["action"] == "withdraw" else f"{each['action']}: "
        yield (
            "withheld",
            f"{each['prefix'] or each['class']}{to}: {word}{', '.join(each['reasons'])}",
        )


def to_come(wait: Any) -> str:
    """Return what will happen by itself and when."""
    return f"in {layout.left(wait['remaining_seconds'])}: {wait['then']} ({wait['what']})"


def _budget(budget: Any) -> str:
    """Return what the outage budget said, or why it says nothing; empty: it was not asked."""
    if budget is None:
        return ""
    if budget["problem"]:
        return str(budget["problem"])
    if budget["verdict"] is None or budget["allowed"] is None:
        return ""
    return f"{budget['verdict']}: others had {budget['taken']} of {budget['allowed']} slots"


def _surroundings(answer: Any) -> Iterator[Line]:
    kubernetes = answer["kubernetes"]
    contact = kubernetes["last_contact_seconds"]
    heard = "not heard yet" if contact is None else f"heard {layout.age(contact)} ago"
    yield "kubernetes", kubernetes["problem"] or heard
    if problem := answer.get("bgpspeaker", {}).get("problem"):
        yield "bgpspeaker", f"not written: {problem}"
    yield from (("node problem", problem) for problem in kubernetes["node_problems"])
    yield from (("settings refused", problem) for problem in answer["settings"]["problems"])
    if answer["exabgp"]["problem"]:
        yield "exabgp", answer["exabgp"]["problem"]
