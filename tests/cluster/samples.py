"""Five nodes as the API server would show them: one is well, and each other has one fault."""

from __future__ import annotations

from typing import Any

from exabgp_k8s.cluster import glance, member, speaker

NOW = 1795660000.0
"""2026-11-26T02:26:40Z."""
BEGAN = "2026-11-26T02:00:00Z"
HAPPENED = "2026-11-26T02:21:40Z"
"""Five minutes ago."""
HEARD = "2026-11-26T02:20:00Z"
SERVICES = "10.96.0.0/16"
TORS = {"tor-a": "192.0.2.1", "tor-b": "192.0.2.2"}


def node(name: str, *, ready: str = "True", is_cordoned: bool = False) -> dict[str, Any]:
    """Return a Node."""
    return {
        "metadata": {"name": name, "labels": {"rack": "a"}, "creationTimestamp": BEGAN},
        "spec": {"unschedulable": True} if is_cordoned else {},
        "status": {
            "conditions": [
                {"type": "MemoryPressure", "status": "False"},
                {
                    "type": "Ready",
                    "status": ready,
                    "reason": "KubeletReady" if ready == "True" else "NodeStatusUnknown",
                    "lastTransitionTime": BEGAN if ready == "True" else HAPPENED,
                },
            ]
        },
    }


def session(peer: str, **other: Any) -> dict[str, Any]:
    """Return a session that is up, but for what is told otherwise."""
    return {
        "peer": peer,
        "address": TORS[peer],
        "localAddress": "192.0.2.11",
        "localASN": 64512,
        "peerASN": 64513,
        "state": "Established",
        "since": BEGAN,
        "families": ["ipv4"],
        "gracefulRestart": False,
        "prefixesSent": 2,
        **other,
    }


def prefix(name: str, prefix_class: str, **other: Any) -> dict[str, Any]:
    """Return a prefix that both routers have been sent, but for what is told otherwise."""
    return {
        "prefix": name,
        "class": prefix_class,
        "state": "announced",
        "sent": 2,
        "meant": 2,
        "sentTo": list(TORS),
        "since": BEGAN,
        **other,
    }


def withheld(reason: str) -> dict[str, Any]:
    """Return what a prefix says that is kept from all routers."""
    reasons = [{"reason": reason, "since": HAPPENED}]
    return {"state": "withheld", "sent": 0, "sentTo": [], "since": HAPPENED, "reasons": reasons}


def well(number: int, **status: Any) -> dict[str, Any]:
    """Return the object of a node that announces all, but for what is told otherwise."""
    return {
        "apiVersion": "exabgp-k8s.io/v1alpha1",
        "kind": "BGPSpeaker",
        "metadata": {"name": f"n{number}"},
        "status": {
            "phase": "serving",
            "summary": {"sessions": "2/2", "services": "announced", "pods": "announced"},
            "sessions": [session(peer) for peer in TORS],
            "prefixes": [
                prefix(SERVICES, "services"),
                prefix(f"10.244.{number}.0/24", "pods"),
            ],
            "settings": {"digest": "0123456789abcdef", "stale": False, "problems": []},
            "version": "0.1.0",
            "lastContact": HEARD,
            **status,
        },
    }


def cordoned(number: int) -> dict[str, Any]:
    """Return the object of a node that somebody works on."""
    summary = {
        "sessions": "2/2", "services": "withheld", "pods": "withheld",
        "reason": "cordoned", "since": HAPPENED,
    }  # fmt: skip
    prefixes = [
        prefix(SERVICES, "services", **withheld("cordoned")),
        prefix(f"10.244.{number}.0/24", "pods", **withheld("cordoned")),
    ]
    return well(number, summary=summary, prefixes=prefixes)


def failing(number: int) -> dict[str, Any]:
    """Return the object of a node whose check speaks against the services."""
    reason = "unhealthy:kube-proxy"
    summary = {
        "sessions": "2/2", "services": "withheld", "pods": "announced",
        "reason": reason, "since": HAPPENED,
    }  # fmt: skip
    prefixes = [
        prefix(SERVICES, "services", **withheld(reason)),
        prefix(f"10.244.{number}.0/24", "pods"),
    ]
    return well(number, summary=summary, prefixes=prefixes)


def refused(number: int) -> dict[str, Any]:
    """Return the object of a node that both routers expect in another AS."""
    lacks = {
        "state": "waiting", "sent": 0, "sentTo": [], "since": HAPPENED,
        "reasons": [
            {"reason": "waiting for the session", "since": HAPPENED, "peers": list(TORS)}
        ],
    }  # fmt: skip
    down = {
        "state": "Active", "since": HAPPENED, "families": [], "prefixesSent": 0,
        "lastError": "notification 2/2 (bad peer AS)",
    }  # fmt: skip
    return well(
        number,
        summary={
            "sessions": "0/2", "services": "waiting", "pods": "waiting",
            "reason": "waiting for the session", "since": HAPPENED,
        },
        sessions=[session(peer, **down) for peer in TORS],
        prefixes=[
            prefix(SERVICES, "services", **lacks),
            prefix(f"10.244.{number}.0/24", "pods", **lacks),
        ],
    )  # fmt: skip


def stale(number: int) -> dict[str, Any]:
    """Return the object of a node that refuses an edit of the settings."""
    condition = {
        "type": "SettingsCurrent", "status": "False", "reason": "Refused",
        "message": "The edited settings are refused", "lastTransitionTime": HAPPENED,
    }  # fmt: skip
    settings = {"digest": "0123", "stale": True, "problems": ["peers[0].asn: must be a number"]}
    return well(number, settings=settings, conditions=[condition])


def five() -> tuple[list[Any], list[Any]]:
    """Return the Nodes and the BGPSpeakers."""
    nodes = [node(f"n{number}", is_cordoned=number == 2) for number in range(1, 6)]
    return nodes, [well(1), cordoned(2), failing(3), refused(4), stale(5)]


def take(nodes: list[Any], speakers: list[Any], now: float = NOW) -> glance.Glance:
    """Return the cluster of these objects."""
    return glance.take(map(member.parse, nodes), map(speaker.parse, speakers), now)
