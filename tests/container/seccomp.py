"""The profile RuntimeDefault, in the words of a runtime.

Container engines ship one file with conditions (capabilities, architectures), and each engine
makes the runtime's list from it. This one is Debian's golang-github-containers-common, which
buildah brings; containerd's is the same list in Go.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SOURCE = Path("/usr/share/containers/seccomp.json")
ARCHITECTURE = "amd64"


def profile(capabilities: Sequence[str]) -> dict[str, Any]:
    """Return what is allowed to a container with these capabilities."""
    source = json.loads(SOURCE.read_text())
    (architectures,) = (
        [each["architecture"], *each["subArchitectures"]]
        for each in source["archMap"]
        if each["architecture"] == "SCMP_ARCH_X86_64"
    )
    return {
        "defaultAction": source["defaultAction"],
        "defaultErrnoRet": source.get("defaultErrnoRet", 1),
        "architectures": architectures,
        "syscalls": [_rule(each) for each in source["syscalls"] if _applies(each, capabilities)],
    }


def _applies(rule: Mapping[str, Any], capabilities: Sequence[str]) -> bool:
    wanted, unwanted = rule.get("includes") or {}, rule.get("excludes") or {}
    return (
        set(wanted.get("caps") or ()) <= set(capabilities)
        and not set(unwanted.get("caps") or ()) & set(capabilities)
        and ARCHITECTURE in (wanted.get("arches") or [ARCHITECTURE])
        and ARCHITECTURE not in (unwanted.get("arches") or ())
    )


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: rule[name] for name in ("names", "action") if name in rule}
    if rule["action"] == "SCMP_ACT_ERRNO" and rule.get("errnoRet") is not None:
        kept["errnoRet"] = rule["errnoRet"]
    return kept | ({"args": rule["args"]} if rule.get("args") else {})
