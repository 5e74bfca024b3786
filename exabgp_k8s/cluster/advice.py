"""What to do about each word: one sentence for whoever reads it at night.

The words are the nodes' own. More about each stands in docs/reference/reasons.md, and about a
session that does not come up in docs/how-to/inspect.md.
"""

from __future__ import annotations

from collections.abc import Mapping

from exabgp_k8s.core.facts import model

NODE = "NODE"
"""Stands for the node's name in a sentence."""

_WAIT = "Wait: it ends by itself."
_NOTHING_ON_PURPOSE = "Nothing, if it is meant so."
_WHY = "`exabgp-k8s why` in the pod on NODE has the details."

OF_REASONS: Mapping[str, str] = {
    model.Reason.CORDONED: "Nothing while the node is worked on; then `kubectl uncordon NODE`.",
    model.Reason.DRAINING: "Nothing: the node is on its way out.",
    model.Reason.EXCLUDED: f"{_NOTHING_ON_PURPOSE} Otherwise take the label "
    "node.kubernetes.io/exclude-from-external-load-balancers off Node NODE.",
    model.Reason.OUT_OF_SERVICE: "When the node is back, take its out-of-service taint away.",
    model.Reason.UNHEALTHY: "Mend what the check asks; `exabgp-k8s checks` in the pod on NODE "
    "shows its last answer.",
    model.Reason.NODE_DELETED: "Nothing, if Node NODE was deleted on purpose; otherwise see "
    "why kubelet does not register it.",
    model.Reason.OPERATOR: "When the work is done: `exabgp-k8s undrain` in the pod on NODE, or "
    "take the annotation exabgp-k8s.io/announce off the Node.",
    model.Reason.STOPPING: "Nothing: its pod is being stopped or replaced.",
    model.Reason.STARTING: f"Wait some seconds. If it stays: {_WHY}",
    model.Reason.HOLD_DOWN: f"{_WAIT} The cause is gone.",
    model.Reason.NOT_ALLOWED: "Correct `announce` in the settings; the range is not allowed.",
    model.Reason.NO_POD_CIDR: "See why Node NODE has no podCIDRs, or set `announce.pods.from`.",
    model.Reason.POD_RANGES_UNSEEN: "Give the agents the right to read the network plugin's "
    "objects.",
    model.Reason.NO_SERVICE_CIDR: "Write the ranges into `announce.services.cidrs`.",
    model.Reason.NO_NEXT_HOP: "Give the interface an address of the family, or correct `nextHop`.",
    model.Reason.NO_PEER: "Label Node NODE as a `nodeSelector` of the peers wants it.",
    model.Reason.REFUSED: "ExaBGP refused the route; the log of the pod on NODE says why.",
    model.Reason.BUDGET_EXHAUSTED: "See what ails so many nodes at once.",
    model.Reason.BUDGET_UNREACHABLE: "Give the agents the right to Leases, or see why the API "
    "server does not answer them.",
    model.Reason.NOT_SELECTED: _NOTHING_ON_PURPOSE,
    model.Reason.PASSWORD_MISSING: "Add the key that `passwordFrom` names to the Secret.",
    model.Reason.ASN_MISSING: "Put the AS number into the label or annotation of Node NODE.",
    model.Reason.ROUTER_MISSING: "Give the node its default route, or Node NODE the annotation.",
    model.Reason.NO_LOCAL_ADDRESS: "Give the node an address of the router's family, or set "
    "`localAddress`.",
    model.Reason.SAME_ADDRESS: "Give the two peers different addresses.",
    model.Reason.LABEL_MISSING: "Put the label back on Node NODE.",
    model.Reason.ADDRESS_MISSING: "See why the address is gone from Node NODE or its interface.",
    model.Reason.HOST_UNSEEN: _WHY,
    model.Reason.PODS_ELSEWHERE: "Set `announce.pods.from` to the network plugin.",
}
"""By the reason, without what follows its colon."""

OF_ERRORS: tuple[tuple[str, str], ...] = (
    ("bad peer AS", "Compare the AS numbers: ours, and the one that the router expects of NODE."),
    ("administrative", "Ask the router's admin: the session was shut there."),
    ("maximum number of prefixes", "Have the router's prefix limit raised."),
    ("hold timer expired", "Look at the link between the two, and at the router's load."),
    ("connection refused", "Start BGP on the router, or let it listen for this node."),
    ("no answer", "Look for a firewall between them, and compare the TCP MD5 passwords."),
    ("dropped packets", "Compare the TCP MD5 password with the router's."),
    ("no route", "Look at the routing table of NODE."),
    ("before its OPEN", "Have the router take this node's address as a neighbor."),
    ("after its OPEN", "Look into the router's log: it ended the session without a word."),
    ("without a NOTIFICATION", "Look into the router's log: its BGP stopped or crashed."),
)
"""By a part of a session's last error; the first that fits."""

SESSION = "Look at the session on both sides; `exabgp-k8s sessions` in the pod on NODE shows ours."
NOT_READY = "See what became of the node and its kubelet: `kubectl describe node NODE`."
SILENT = "Look at the pod on NODE and its log: it runs no more, or may not reach the API server."
NO_SPEAKER = "See whether a pod of the DaemonSet runs on NODE and may write its BGPSpeaker."
GONE = "Nothing: the object goes with its Node. If it stays: `kubectl delete bgpspeaker NODE`."
REFUSED = "Correct the ConfigMap: `exabgp-k8s config validate` names every mistake."
WAITING = f"Wait some seconds. If it stays: {_WHY}"


def of_reason(reason: str, node: str) -> str:
    """Return what to do about a reason, which may have a detail behind a colon."""
    return _about(OF_REASONS.get(reason.partition(":")[0], WAITING), node)


def of_session(error: str, node: str) -> str:
    """Return what to do about a session that is down, by its last error or reason."""
    held = OF_REASONS.get(error.partition(":")[0])
    found = (what for part, what in OF_ERRORS if part in error)
    return _about(held or next(found, SESSION), node)


def of_node(sentence: str, node: str) -> str:
    """Return one of the sentences of this file for a node."""
    return _about(sentence, node)


def _about(sentence: str, node: str) -> str:
    return sentence.replace(NODE, node)
