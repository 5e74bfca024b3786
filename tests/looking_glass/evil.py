"""Objects in which every text that a stranger may write tries to be more than text."""

from __future__ import annotations

from typing import Any

from tests.cluster import samples

MARKUP = "<script>document.title='owned'</script>"
ATTRIBUTE = '"\'><img src=x onerror="document.title=1">'
TERMINAL = "\x1b]0;owned\x07\x1b[2Jred\u202egnp"
TEMPLATE = "{{ 7 * 191 }}{% include 'base.html' %}"
EVERYTHING = f"{MARKUP} {ATTRIBUTE} {TERMINAL} {TEMPLATE}"


def objects() -> tuple[list[Any], list[Any]]:
    """Return a Node and its BGPSpeaker."""
    node = samples.node("evil")
    node["metadata"]["labels"] = {MARKUP: ATTRIBUTE, "quote": EVERYTHING}
    attacks = {"reason": MARKUP, "since": samples.HAPPENED, "peers": ["tor-a"]}
    speaker = samples.well(1)
    speaker["metadata"]["name"] = "evil"
    speaker["status"] |= {
        "phase": EVERYTHING,
        "summary": {
            "sessions": "1/2", "services": MARKUP, "pods": ATTRIBUTE,
            "reason": EVERYTHING, "since": samples.HAPPENED,
        },
        "sessions": [
            samples.session("tor-a", state="Idle", lastError=EVERYTHING),
            samples.session("tor-b") | {"peer": MARKUP, "address": ATTRIBUTE},
        ],
        "prefixes": [
            samples.prefix(samples.SERVICES, "services", state=MARKUP, reasons=[attacks]),
            samples.prefix(MARKUP, ATTRIBUTE),
        ],
        "conditions": [{
            "type": MARKUP, "status": "False", "reason": ATTRIBUTE, "message": EVERYTHING,
            "lastTransitionTime": MARKUP,
        }],
        "settings": {"digest": MARKUP, "stale": True, "problems": [EVERYTHING]},
        "version": ATTRIBUTE,
    }  # fmt: skip
    return [node], [speaker]
