"""From a file of theirs to our document: which objects there are, and who understands them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from exabgp_k8s import errors
from exabgp_k8s.settings import manifests
from exabgp_k8s.translate import calico, cilium, kuberouter, metallb
from exabgp_k8s.translate.draft import Draft
from exabgp_k8s.translate.source import Source

Writer = Callable[[Draft, dict[str, list[Source]]], None]

ORIGINS: dict[str, tuple[Writer, tuple[str, ...]]] = {
    "metallb": (metallb.write, metallb.KINDS),
    "calico": (calico.write, calico.KINDS),
    "cilium": (cilium.write, (*cilium.KINDS, "ConfigMap")),
    "kube-router": (kuberouter.write, kuberouter.KINDS),
}


def translate(
    origin: str, text: str, source: str, *, services: Sequence[str], pods: Sequence[str]
) -> Draft:
    """Return our document from a file of theirs, with what it could not carry over.

    Raises:
        SettingsError: where the file is not YAML, or has no BGP peers of that origin.
    """
    write, kinds = ORIGINS[origin]
    found = Draft(services=services, pods=pods)
    objects = [each.plain for each in manifests.objects(text, source)]
    by_kind: dict[str, list[Source]] = {}
    for each in objects:
        kind = each.get("kind") if isinstance(each, dict) else None
        if kind in kinds:
            by_kind.setdefault(str(kind), []).append(found.read(_source(each)))
        elif kind:
            found.lose(_source(each), "", f"is none of {', '.join(kinds)}, and was passed over")
    write(found, by_kind)
    if not found.peers:
        kept = ", ".join(sorted(by_kind)) or "none of them"
        why = f"no BGP peers of {origin} that can be written; they are made from "
        why += f"{', '.join(kinds)}, and there is: {kept}"
        told = (errors.Problem("", each) for each in (*found.losses(), why))
        raise errors.SettingsError(tuple(told), source)
    return found


def _source(found: dict[str, Any]) -> Source:
    metadata = found.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else ""
    return Source(f"{found.get('kind')}/{name}", found)
