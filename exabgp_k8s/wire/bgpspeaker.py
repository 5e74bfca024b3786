"""The BGPSpeaker object: one node's rows with the names, the times and the bounds of an API.

Ages become moments in UTC, to the second. A moment that is computed again and again wanders with
two clocks, so one that was published stays while it is at most ``DRIFT`` off: an object that only
trembles would be written again and again. Of what the core does not know the beginning of, the
first look at it counts, and outlives the agent in the object itself.

Five thousand of these objects are in etcd and in the memory of everybody who watches them. So
each has a size that it never exceeds: texts become shorter first, then a reason loses what it is
about, and at last rows are left out and counted.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exabgp_k8s.core.facts import model, printable
from exabgp_k8s.wire import speaker_fields
from exabgp_k8s.wire.speaker_fields import Field, Kind

GROUP, VERSION, KIND, PLURAL = "exabgp-k8s.io", "v1alpha1", "BGPSpeaker", "bgpspeakers"
COLLECTION = f"/apis/{GROUP}/{VERSION}/{PLURAL}"

DRIFT = 3
"""Seconds by which a moment computed anew may differ from the published one."""
DIGEST = 16
"""Hexadecimal digits of a digest that are shown."""

EACH = 936
"""Bytes for each session or prefix, for whichever are more; as many as for 8 in any case. With the
metadata, but for the API server's own notes in it, that is less than 8 KiB."""
FEWEST = 8
_SHORTER = (speaker_fields.LONGEST_TEXT, 100, 60, 40)
"""How long somebody's words are at most, until everything has room."""

Row = Mapping[str, Any]


def new(node: model.NodeFacts) -> Mapping[str, Any]:
    """Return the object of a node before there is anything to say: it goes with its Node."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "metadata": {
            "name": node.name,
            "labels": {"app.kubernetes.io/name": "exabgp-k8s"},
            **owned_by(node),
        },
    }


def owned_by(node: model.NodeFacts) -> Mapping[str, Any]:
    """Return the part of the metadata that says whose object it is."""
    owner = {"apiVersion": "v1", "kind": "Node", "name": node.name, "uid": node.uid}
    return {"ownerReferences": [owner]}


def status(rows: Row, before: Row, at: float, *, version: str, digest: str) -> dict[str, Any]:
    """Return the status to publish, all but ``lastContact``.

    Args:
        rows: what ``report.speaker.status`` says.
        before: the status that is published, whatever that is.
        at: the present time, in seconds since 1970.
        version: the agent's own.
        digest: of the settings in force.
    """
    settings = {**rows["settings"], "digest": digest[:DIGEST]}
    said = {**rows, "settings": settings, "version": version}
    room = EACH * max(FEWEST, *(min(len(said[key]), speaker_fields.MOST) for key in _LONG))
    for longest in _SHORTER:
        found = _Shaping(at, longest).row(speaker_fields.STATUS, said, before)
        found = _counted(found, said)
        if size(found) <= room:
            return found
    said = {**said, "prefixes": [_by_word(each) for each in said["prefixes"]]}
    found = _counted(_Shaping(at, _SHORTER[-1]).row(speaker_fields.STATUS, said, before), said)
    while size(found) > room:
        longer = max(_LONG, key=lambda key: len(found[key]))
        found = _counted({**found, longer: found[longer][:-1]}, said)
    return found


_LONG = ("prefixes", "sessions")
"""The lists that grow with the settings."""


def size(found: Row) -> int:
    """Return how many bytes of JSON a status is."""
    return len(json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode())


def _counted(found: dict[str, Any], said: Row) -> dict[str, Any]:
    omitted = sum(len(said[key]) - len(found[key]) for key in _LONG)
    return {**_agreed(found), **({"omitted": omitted} if omitted else {})}


def _agreed(found: dict[str, Any]) -> dict[str, Any]:
    """Have the reason of the summary stand since the prefixes say that it does."""
    summary = found["summary"]
    known = [
        each["since"]
        for prefix in found["prefixes"]
        for each in prefix.get("reasons", ())
        if each["reason"] == summary.get("reason")
    ]
    return {**found, "summary": {**summary, "since": min(known)}} if known else found


def _by_word(prefix: Row) -> Row:
    """Return a prefix whose reasons of single peers are one for each word."""
    common = [each for each in prefix["reasons"] if not each["peers"]]
    merged: dict[str, list[Row]] = {}
    for each in prefix["reasons"]:
        if each["peers"]:
            merged.setdefault(each["reason"].partition(":")[0], []).append(each)
    own = [
        {
            "reason": word,
            "peers": [peer for each in found for peer in each["peers"]],
            "seconds": max((each["seconds"] or 0 for each in found), default=0) or None,
        }
        for word, found in merged.items()
    ]
    return {**prefix, "reasons": [*common, *own]}


def moment(at: float) -> str:
    """Return a time in the form of the API, to the second."""
    return dt.datetime.fromtimestamp(round(at), tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_same(one: Row, other: Row, *, with_minor: bool = False) -> bool:
    """Return whether two statuses say the same, but for when they were published.

    Args:
        one: a status.
        other: another one.
        with_minor: whether what can wait counts, too.
    """
    fields = speaker_fields.STATUS
    return _essence(fields, one, with_minor=with_minor) == _essence(
        fields, other, with_minor=with_minor
    )


def _essence(fields: Sequence[Field], row: Row, *, with_minor: bool) -> Row:
    return {
        each.name: _essential(each, row.get(each.name), with_minor=with_minor)
        for each in fields
        if each.kind is not Kind.MADE and (with_minor or not each.is_minor)
    }


def _essential(field: Field, value: Any, *, with_minor: bool) -> Any:
    match field.kind:
        case Kind.ROW if isinstance(value, Mapping):
            return _essence(field.of, value, with_minor=with_minor)
        case Kind.ROWS if isinstance(value, list):
            return [_essence(field.of, each, with_minor=with_minor) for each in value]
        case _:
            return "" if value in field.alike else value


@dataclass(frozen=True, slots=True)
class _Shaping:
    """Rows made into the fields of the object, at one moment."""

    at: float
    longest: int
    """Characters of a text at most."""

    def row(self, fields: Sequence[Field], row: Row, published: object) -> dict[str, Any]:
        """Return the object that a row becomes; what has no value is left out."""
        before = published if isinstance(published, Mapping) else {}
        found: dict[str, Any] = {}
        for each in fields:
            if each.kind is Kind.SINCE:
                value = self._since(each, row.get(each.source), found, before)
            else:
                value = self._value(each, row.get(each.source), before.get(each.name))
            if value is not None:
                found[each.name] = value
        return found

    def _value(self, field: Field, value: Any, before: Any) -> Any:
        if value is None:
            return None
        match field.kind:
            case Kind.TEXT:
                return self._text(field, value, field.most)
            case Kind.TEXTS:
                longest = speaker_fields.LONGEST_TEXT
                return [self._text(field, each, longest) for each in value[: field.most]]
            case Kind.ROW:
                return self.row(field.of, value, before)
            case Kind.ROWS:
                return self._rows(field, value, before if isinstance(before, list) else ())
            case _:
                return value

    def _rows(self, field: Field, rows: Sequence[Row], before: Iterable[object]) -> list[Row]:
        known = {_key(field, each): each for each in before if isinstance(each, Mapping)}
        shaped: list[Row] = []
        for each in rows[: field.most]:
            # The key as it is published, for that is what it was published by.
            names = {at.name: self._value(at, each.get(at.source), None) for at in field.of
                     if at.name in field.key}  # fmt: skip
            shaped.append(self.row(field.of, each, known.get(_key(field, names), {})))
        return shaped

    def _since(self, field: Field, seconds: float | None, beside: Row, before: Row) -> str | None:
        """Return since when something is so: as published, where that still fits."""
        published = str(before.get(field.name, ""))
        if seconds is None:
            if not field.while_same or not all(name in beside for name in field.while_same):
                return None
            is_same = all(beside[name] == before.get(name) for name in field.while_same)
            return published if is_same and published else moment(self.at)
        began = self.at - seconds
        if published and abs(_seconds(published) - began) <= DRIFT:
            return published
        return moment(began)

    def _text(self, field: Field, text: str, most: int) -> str:
        if field.is_free:
            # A sentence of ours that quotes them keeps its part of the room.
            most = min(most, self.longest * max(1, most // speaker_fields.LONGEST_TEXT))
        return printable.one_line(text, most)


def _key(field: Field, row: Row) -> tuple[Any, ...]:
    return tuple(str(row.get(name, "")) for name in field.key)


def _seconds(written: str) -> float:
    try:
        return dt.datetime.fromisoformat(written).timestamp()
    except ValueError:
        return 0.0
