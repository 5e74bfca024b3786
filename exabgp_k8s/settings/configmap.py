"""The settings inside of a ConfigMap's manifest, as it lies in a repository or in a cluster.

Where a text holds no manifest it is the settings themselves. Otherwise there has to be one
ConfigMap with the key that the pod reads, and whatever is there instead is answered with what to
write: a pipeline that checks the wrong file must not be told that all is well.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from exabgp_k8s import errors
from exabgp_k8s.settings import fields, manifests

KEY = "settings.yaml"
"""The name of the file that the DaemonSet mounts."""
MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """The settings document, and where it stands in the file that it was found in."""

    text: str
    above: int = 0
    """Lines of the file above the document's first one."""
    indent: int = 0
    """Columns in front of each of its lines."""
    fixed: tuple[int, int] | None = None
    """Where the whole document begins, if its own lines are none of the file's (JSON)."""

    def placed(self, problem: errors.Problem) -> errors.Problem:
        """Return a problem of the document with its place in the file."""
        if self.fixed is not None:
            return dataclasses.replace(problem, line=self.fixed[0], column=self.fixed[1])
        if not problem.line:
            return problem
        line, column = problem.line + self.above, problem.column + self.indent
        return dataclasses.replace(problem, line=line, column=column)


def find(text: str, source: str) -> Extract:
    """Return the settings in a text: the one of the ConfigMap in it, or all of it.

    Raises:
        SettingsError: where there are manifests and not exactly one with the settings.
    """
    try:
        found = manifests.objects(text, source)
    except errors.SettingsError:
        # Whoever reads the settings says more of it.
        return Extract(text=text)
    if not any(each.get("kind") and each.get("apiVersion") for each in found):
        return Extract(text=text)
    maps = [each for each in found if _kind(each) == "ConfigMap"]
    holding = [value for each in maps if (value := each.get("data", KEY)) is not None]
    if len(holding) != 1:
        why = _several(holding) if holding else _none(found, maps)
        raise errors.SettingsError((errors.Problem("", why),), source)
    return _extract(holding[0], text, source)


def _kind(found: manifests.Written) -> str:
    kind = found.get("kind")
    return str(kind.value) if kind is not None else "document without a kind"


def _extract(value: manifests.Written, text: str, source: str) -> Extract:
    if not isinstance(value.value, str):
        message = f"has to be text; write `{KEY}: |` and below it the document, indented"
        problem = errors.Problem(f'data["{KEY}"]', message, value.line, value.column)
        raise errors.SettingsError((problem,), source)
    if value.style != "|":
        return Extract(text=value.value, fixed=(value.line, value.column))
    lines = text.splitlines()[value.line :]
    first = next((line for line in lines if line.strip()), "")
    return Extract(text=value.value, above=value.line, indent=len(first) - len(first.lstrip(" ")))


def _several(holding: Sequence[manifests.Written]) -> str:
    lines = " and ".join(str(each.line) for each in holding)
    return f"holds {len(holding)} settings documents, in lines {lines}; check them one by one"


def _none(found: Sequence[manifests.Written], maps: Sequence[manifests.Written]) -> str:
    if not maps:
        kinds = ", ".join(sorted({_kind(each) for each in found})[:MOST_NAMED])
        return (
            f"holds no ConfigMap, but: {kinds}; name the file with the ConfigMap of the "
            f"settings, or {KEY} itself"
        )
    name, data = maps[0].get("metadata", "name"), maps[0].get("data")
    who = f"the ConfigMap {name.value}" if name is not None else "the ConfigMap"
    if maps[0].get("binaryData", KEY) is not None:
        return f"{who} has {KEY} under binaryData; write it as text, under data"
    keys = list(data.value) if data is not None and isinstance(data.value, dict) else []
    if not keys:
        return f"{who} has no data; write `data:`, `  {KEY}: |` and below it the document"
    hint = "is it " + KEY + "? " if fields.suggestion(KEY, keys) else ""
    listed = ", ".join(keys[:MOST_NAMED])
    return (
        f"{who} has no key {KEY} under data, which is the one that pods read, but: {listed}; "
        f"{hint}name it {KEY}"
    )
